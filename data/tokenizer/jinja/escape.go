package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape reads a quoted text as jinja2 does, text.encode("ascii",
// "backslashreplace").decode("unicode-escape").
func (l *lexer) unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var ascii strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			ascii.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&ascii, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&ascii, `\u%04x`, r)
		default:
			fmt.Fprintf(&ascii, `\U%08x`, r)
		}
	}
	var out strings.Builder
	for rest := ascii.String(); rest != ""; {
		at := strings.IndexByte(rest, '\\')
		if at < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:at])
		if at+1 == len(rest) {
			panic(syntaxError(l.line, `a quoted text ends with a backslash`))
		}
		rest = rest[at+1:]
		rest = rest[l.escaped(rest, &out):]
	}
	return out.String()
}

var shortEscapes = map[byte]string{'\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\n': ""}

// escaped writes what stands behind a backslash, and gives its length.
func (l *lexer) escaped(rest string, out *strings.Builder) int {
	c := rest[0]
	if short, ok := shortEscapes[c]; ok {
		out.WriteString(short)
		return 1
	}
	if digits, ok := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; ok {
		if len(rest) < 1+digits {
			panic(syntaxError(l.line, `truncated \%c escape`, c))
		}
		code, err := strconv.ParseUint(rest[1:1+digits], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			panic(syntaxError(l.line, `\%s is no character`, rest[:1+digits]))
		}
		out.WriteRune(rune(code))
		return 1 + digits
	}
	if c == 'N' {
		panic(syntaxError(l.line, `\N{name} in a text is not supported here: write the character itself`))
	}
	n := 0
	for n < 3 && n < len(rest) && rest[n] >= '0' && rest[n] <= '7' {
		n++
	}
	if n > 0 {
		code, _ := strconv.ParseUint(rest[:n], 8, 32)
		out.WriteRune(rune(code))
		return n
	}
	out.WriteByte('\\') // an escape that Python does not know stays
	out.WriteByte(c)
	return 1
}
