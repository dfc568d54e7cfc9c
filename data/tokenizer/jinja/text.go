package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// textMethods are str's.
var textMethods map[string]func(*run, string, *call) Value

func init() {
	textMethods = map[string]func(*run, string, *call) Value{
		"upper": plain(upper), "lower": plain(lower), "casefold": plain(casefold), "capitalize": plain(capitalize), "title": plain(title),
		"swapcase":   plain(swapcase),
		"strip":      stripping(strings.TrimFunc),
		"lstrip":     stripping(strings.TrimLeftFunc),
		"rstrip":     stripping(strings.TrimRightFunc),
		"startswith": affix(strings.HasPrefix), "endswith": affix(strings.HasSuffix),
		"removeprefix": removing(strings.TrimPrefix), "removesuffix": removing(strings.TrimSuffix),
		"split": splitting(false), "rsplit": splitting(true), "splitlines": splitLines, "join": joinTexts, "replace": replaceText,
		"partition": partition, "rpartition": rpartition,
		"find": finding(strings.Index, false), "rfind": finding(strings.LastIndex, false),
		"index": finding(strings.Index, true), "rindex": finding(strings.LastIndex, true), "count": countText,
		"center": padding(0), "ljust": padding(1), "rjust": padding(2), "zfill": zfill, "format": formatMethod,
		"isalnum": every(func(c rune) bool { return unicode.IsLetter(c) || unicode.In(c, unicode.Nd, unicode.No, unicode.Nl) }),
		"isalpha": every(unicode.IsLetter), "isspace": every(isSpace), "isdigit": every(isDigit), "isdecimal": every(unicode.IsDigit),
		"isnumeric": every(unicode.IsNumber), "isascii": isASCII, "isprintable": isPrintable,
		"islower": casing(isLower, isUpper), "isupper": casing(isUpper, isLower), "istitle": isTitle,
	}
}

func plain(change func(string) string) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		c.done()
		r.take(len(s))
		return change(s)
	}
}

func upper(s string) string    { return cases.Upper(language.Und).String(s) }
func lower(s string) string    { return cases.Lower(language.Und).String(s) }
func casefold(s string) string { return cases.Fold().String(s) }

// capitalize makes the first character a title's and all others small.
func capitalize(s string) string {
	var out strings.Builder
	for i, c := range s {
		if i == 0 {
			out.WriteString(titleCase(string(c)))
			continue
		}
		out.WriteString(lowerAt(s, i, c))
	}
	return out.String()
}

// lowerAt is the character at i in small letters. A sigma that ends a word has a
// form of its own.
func lowerAt(s string, i int, c rune) string {
	if c != 'Σ' {
		return lower(string(c))
	}
	cased := func(c rune) bool { return isLower(c) || isUpper(c) || unicode.IsTitle(c) }
	before := []rune(strings.TrimRightFunc(s[:i], ignoredByCase))
	after, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(s[i+len("Σ"):], ignoredByCase))
	if len(before) > 0 && cased(before[len(before)-1]) && !cased(after) {
		return "ς"
	}
	return "σ"
}

// ignoredByCase is Unicode's Case_Ignorable.
func ignoredByCase(c rune) bool {
	return unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·’․﹒＇．﹕：‧", c)
}

func titleCase(s string) string { return cases.Title(language.Und, cases.NoLower).String(s) }

// title is str.title: a capital after each character without case.
func title(s string) string {
	var out strings.Builder
	cased := false
	for i, c := range s {
		if cased {
			out.WriteString(lowerAt(s, i, c))
		} else {
			out.WriteString(titleCase(string(c)))
		}
		cased = isLower(c) || isUpper(c) || unicode.IsTitle(c)
	}
	return out.String()
}

func swapcase(s string) string {
	var out strings.Builder
	for i, c := range s {
		switch {
		case isUpper(c):
			out.WriteString(lowerAt(s, i, c))
		case isLower(c):
			out.WriteString(upper(string(c)))
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

func isLower(c rune) bool { return unicode.IsLower(c) || unicode.Is(unicode.Other_Lowercase, c) }
func isUpper(c rune) bool { return unicode.IsUpper(c) || unicode.Is(unicode.Other_Uppercase, c) }

// isDigit is of decimal digits and those written above or in circles.
func isDigit(c rune) bool {
	return unicode.IsDigit(c) || strings.ContainsRune("²³¹", c) || c >= 0x2070 && c <= 0x2079 && c != 0x2071 && c != 0x2072 && c != 0x2073 ||
		c >= 0x2080 && c <= 0x2089 || c >= 0x2460 && c <= 0x2468 || c >= 0x2474 && c <= 0x247c || c >= 0x2488 && c <= 0x2490
}

func every(is func(rune) bool) func(*run, string, *call) Value {
	return func(_ *run, s string, c *call) Value {
		c.done()
		return s != "" && strings.IndexFunc(s, func(c rune) bool { return !is(c) }) < 0
	}
}

func isASCII(_ *run, s string, c *call) Value {
	c.done()
	return strings.IndexFunc(s, func(c rune) bool { return c >= 0x80 }) < 0
}

func isPrintable(_ *run, s string, c *call) Value {
	c.done()
	return strings.IndexFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) < 0
}

// casing is true of a text with characters of one case and none of the other.
func casing(is, other func(rune) bool) func(*run, string, *call) Value {
	return func(_ *run, s string, c *call) Value {
		c.done()
		return hasCase(s, is, other)
	}
}

func hasCase(s string, is, other func(rune) bool) bool {
	return strings.ContainsFunc(s, is) && !strings.ContainsFunc(s, other) && !strings.ContainsFunc(s, unicode.IsTitle)
}

func isTitle(r *run, s string, c *call) Value {
	c.done()
	r.step(len(s) / 2)
	return title(s) == s && strings.ContainsFunc(s, func(c rune) bool { return isUpper(c) || unicode.IsTitle(c) })
}

func stripping(trim func(string, func(rune) bool) string) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		chars := c.optional("", nil)
		c.done()
		return strip(c, s, chars, trim)
	}
}

func strip(c *call, s string, chars Value, trim func(string, func(rune) bool) string) string {
	if chars == nil {
		return trim(s, isSpace)
	}
	set := c.text(chars)
	return trim(s, func(c rune) bool { return strings.ContainsRune(set, c) })
}

func affix(has func(s, part string) bool) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		parts := []Value{c.positional("prefix")}
		if len(c.args) > 0 {
			r.fail("%s of a part of a text is not supported here", c.name)
		}
		c.done()
		if tuple, ok := parts[0].(*Tuple); ok {
			parts = tuple.Items
		}
		for _, part := range parts {
			if has(s, c.text(part)) {
				return true
			}
		}
		return false
	}
}

func removing(trim func(s, part string) string) func(*run, string, *call) Value {
	return func(_ *run, s string, c *call) Value {
		part := c.text(c.positional("prefix"))
		c.done()
		return trim(s, part)
	}
}

func joinTexts(r *run, s string, c *call) Value {
	items := r.iterate(c.positional("iterable"))
	c.done()
	parts := make([]string, len(items))
	for i, item := range items {
		if _, ok := item.(string); !ok {
			r.defined(item)
			r.fail("sequence item %d: expected str instance, %s found", i, typeName(item))
		}
		parts[i] = item.(string)
		r.take(len(parts[i]) + len(s))
	}
	return strings.Join(parts, s)
}

func replaceText(r *run, s string, c *call) Value {
	old, with, n := c.text(c.positional("old")), c.text(c.positional("new")), c.integer(c.optional("", int64(-1)))
	c.done()
	return r.replace(s, old, with, n)
}

func (r *run) replace(s, old, with string, n int) string {
	times := strings.Count(s, old)
	if n >= 0 {
		times = min(times, n)
	}
	r.take(len(s) + times*max(0, len(with)-len(old)))
	return strings.Replace(s, old, with, n)
}

func partition(r *run, s string, c *call) Value {
	sep := c.separator()
	before, after, found := strings.Cut(s, sep)
	if !found {
		sep = ""
	}
	return &Tuple{Items: []Value{before, sep, after}}
}

func rpartition(r *run, s string, c *call) Value {
	sep := c.separator()
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return &Tuple{Items: []Value{"", "", s}}
	}
	return &Tuple{Items: []Value{s[:at], sep, s[at+len(sep):]}}
}

func (c *call) separator() string {
	sep := c.text(c.positional("sep"))
	c.done()
	if sep == "" {
		c.run.fail("empty separator")
	}
	return sep
}

func finding(find func(s, part string) int, must bool) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		part := c.text(c.positional("sub"))
		if len(c.args) > 0 {
			r.fail("%s in a part of a text is not supported here", c.name)
		}
		c.done()
		at := find(s, part)
		if at < 0 {
			if must {
				r.fail("substring not found")
			}
			return int64(-1)
		}
		return int64(utf8.RuneCountInString(s[:at]))
	}
}

func countText(r *run, s string, c *call) Value {
	part := c.text(c.positional("sub"))
	if len(c.args) > 0 {
		r.fail("count in a part of a text is not supported here")
	}
	c.done()
	return int64(strings.Count(s, part))
}

// padding is center, ljust or rjust.
func padding(side int) func(*run, string, *call) Value {
	return func(r *run, s string, c *call) Value {
		width, fill := c.integer(c.positional("width")), c.text(c.optional("", " "))
		c.done()
		if utf8.RuneCountInString(fill) != 1 {
			r.fail("the fill character must be exactly one character long")
		}
		return r.padded(s, width, fill, side)
	}
}

func (r *run) padded(s string, width int, fill string, side int) string {
	missing := width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return s
	}
	left := map[int]int{0: missing/2 + missing&width&1, 1: 0, 2: missing}[side] // as CPython's pad
	if missing > maxBytes*bytesPerByte {
		missing = maxBytes * bytesPerByte
	}
	r.take(len(s) + missing*len(fill))
	return strings.Repeat(fill, left) + s + strings.Repeat(fill, missing-left)
}

func zfill(r *run, s string, c *call) Value {
	width := c.integer(c.positional("width"))
	c.done()
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[:1] + r.padded(s[1:], width-1, "0", 2)
	}
	return r.padded(s, width, "0", 2)
}
