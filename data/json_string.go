package data

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string and returns it as it lies in the line, or where it has
// escapes decoded into the buffer; without a buffer it is only checked.
func (p *jsonParser) str(into *[]byte) ([]byte, *jsonError) {
	p.i++
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			s := p.b[start:p.i]
			p.i++
			return s, nil
		case c == '\\':
			return p.escaped(start, into)
		case c < 0x20:
			return nil, p.fail("an unescaped control character (0x%02x) in a string", c)
		}
		p.i++
	}
	return nil, p.fail("a string is not closed: the line is cut short")
}

// escaped reads the rest of a string whose first backslash is at p.i.
func (p *jsonParser) escaped(start int, into *[]byte) ([]byte, *jsonError) {
	var out []byte
	decode := into != nil
	if decode {
		out = append((*into)[:0], p.b[start:p.i]...)
		defer func() { *into = out }()
	}
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			p.i++
			return out, nil
		case c < 0x20:
			return nil, p.fail("an unescaped control character (0x%02x) in a string", c)
		case c != '\\':
			end := p.i + 1
			for end < len(p.b) && p.b[end] != '"' && p.b[end] != '\\' && p.b[end] >= 0x20 {
				end++
			}
			if decode {
				out = append(out, p.b[p.i:end]...)
			}
			p.i = end
		default:
			var err *jsonError
			if out, err = p.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, p.fail("a string is not closed: the line is cut short")
}

// escape decodes one escape at p.i.
func (p *jsonParser) escape(out []byte) ([]byte, *jsonError) {
	if p.i+1 >= len(p.b) {
		return nil, p.fail("a string is not closed: the line is cut short")
	}
	switch c := p.b[p.i+1]; c {
	case '"', '\\', '/':
		out = append(out, c)
	case 'b':
		out = append(out, '\b')
	case 'f':
		out = append(out, '\f')
	case 'n':
		out = append(out, '\n')
	case 'r':
		out = append(out, '\r')
	case 't':
		out = append(out, '\t')
	case 'u':
		return p.unicodeEscape(out)
	default:
		return nil, p.fail("an unknown escape \\%c", c)
	}
	p.i += 2
	return out, nil
}

func (p *jsonParser) unicodeEscape(out []byte) ([]byte, *jsonError) {
	r, ok := p.hex4(p.i)
	if !ok {
		return nil, p.fail("a broken \\u escape")
	}
	p.i += 6
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), nil
	}
	if low, ok := p.hex4(p.i); ok {
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			p.i += 6
			return utf8.AppendRune(out, both), nil
		}
	}
	return append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f), nil
}

// hex4 reads \uXXXX at i.
func (p *jsonParser) hex4(i int) (rune, bool) {
	if i+6 > len(p.b) || p.b[i] != '\\' || p.b[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.b[i+2:i+6]), 16, 32)
	return rune(n), err == nil
}
