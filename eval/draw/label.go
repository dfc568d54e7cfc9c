package draw

import (
	"strings"
	"unicode"
)

// Label fits a name from outside into a table or an axis: no control
// characters, at most width runes.
func Label(name string, width int) string {
	if name == "" {
		return "(none)"
	}
	clean := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '·'
		}
		return c
	}, name))
	if len(clean) > width {
		clean = append(clean[:width-1], '…')
	}
	return string(clean)
}
