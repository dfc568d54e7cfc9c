package main

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// visible writes text in which control characters show as \x1b and the like:
// what servers and users' files hold is printed, and is not to move the cursor,
// to name the window or to hide what stood there. Lines and tabs stay. From
// \x7f on the form is \u007f: JSON may hold these as they are, and so stays JSON.
type visible struct{ io.Writer }

func (v visible) Write(b []byte) (int, error) {
	var shown []byte
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case !unicode.IsControl(r) || r == '\n' || r == '\t':
			shown = append(shown, b[i:i+size]...)
		case r < '\x7f':
			shown = fmt.Appendf(shown, `\x%02x`, r)
		default:
			shown = fmt.Appendf(shown, `\u%04x`, r)
		}
		i += size
	}
	if _, err := v.Writer.Write(shown); err != nil {
		return 0, err
	}
	return len(b), nil
}
