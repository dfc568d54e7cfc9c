package jinja

import (
	"slices"
	"strings"
	"unicode/utf8"
)

func splitting(fromRight bool) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		by, most := c.optional("sep", nil), c.integer(c.optional("maxsplit", int64(-1)))
		c.done()
		r.take(32 * len(s))
		if by == nil {
			return texts(fields(s, most, fromRight))
		}
		sep := c.text(by)
		if sep == "" {
			r.fail("empty separator")
		}
		return texts(splitBy(s, sep, most, fromRight))
	}
}

func texts(parts []string) *List {
	items := make([]Value, len(parts))
	for i, part := range parts {
		items[i] = part
	}
	return &List{items}
}

func splitBy(s, sep string, most int, fromRight bool) []string {
	if most < 0 || !fromRight {
		if most >= 0 {
			most++
		}
		return strings.SplitN(s, sep, most)
	}
	var parts []string
	for range most {
		at := strings.LastIndex(s, sep)
		if at < 0 {
			break
		}
		parts, s = append(parts, s[at+len(sep):]), s[:at]
	}
	parts = append(parts, s)
	slices.Reverse(parts)
	return parts
}

// fields splits at white space; what is left after most of them stays whole.
func fields(s string, most int, fromRight bool) []string {
	parts := strings.FieldsFunc(s, isSpace)
	if most < 0 || len(parts) <= most {
		return parts
	}
	parts = nil
	if fromRight {
		s = strings.TrimRightFunc(s, isSpace)
		for range most {
			at := strings.LastIndexFunc(s, isSpace)
			_, n := utf8.DecodeRuneInString(s[at:])
			parts, s = append(parts, s[at+n:]), strings.TrimRightFunc(s[:at], isSpace)
		}
		parts = append(parts, s)
		slices.Reverse(parts)
		return parts
	}
	s = strings.TrimLeftFunc(s, isSpace)
	for range most {
		at := strings.IndexFunc(s, isSpace)
		parts, s = append(parts, s[:at]), strings.TrimLeftFunc(s[at:], isSpace)
	}
	return append(parts, s)
}

func splitLines(r *run, s string, c *call) Value {
	keep := c.integer(c.optional("keepends", false)) != 0
	c.done()
	r.take(32 * len(s))
	return texts(lines(s, keep))
}

// lines splits as str.splitlines does.
func lines(s string, keep bool) (parts []string) {
	for s != "" {
		at := strings.IndexFunc(s, func(c rune) bool { return strings.ContainsRune("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029", c) })
		if at < 0 {
			return append(parts, s)
		}
		_, n := utf8.DecodeRuneInString(s[at:])
		if strings.HasPrefix(s[at:], "\r\n") {
			n = 2
		}
		end := at
		if keep {
			end += n
		}
		parts, s = append(parts, s[:end]), s[at+n:]
	}
	return parts
}
