package jinja

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// filter is value|name(…).
func (r *run) filter(name string, value Value, args []Value, named *Dict) Value {
	r.step(1)
	r.weigh(value)
	r.weigh(args...)
	f := filters[name]
	if f == nil {
		r.fail("no filter named '%s'", name)
	}
	return f(r, value, &call{run: r, name: name, args: args, named: named})
}

type filter func(r *run, value Value, c *call) Value

// filters are jinja2's (filters.py) and transformers' tojson. Those of unsupported
// are known and not computed.
var filters map[string]filter

var unsupported = []string{"filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr", "forceescape"}

func init() {
	filters = map[string]filter{
		"abs": absolute, "attr": attr, "batch": batch, "capitalize": ofText(capitalize), "center": center, "count": lengthOf,
		"d": defaultTo, "default": defaultTo, "dictsort": dictSort, "e": escaped, "escape": escaped, "first": first, "float": toFloat,
		"format": formatFilter, "groupby": groupBy, "indent": indent, "int": toInt, "items": items, "join": joinFilter, "last": last,
		"length": lengthOf, "list": toList, "lower": ofText(lower), "map": mapFilter, "max": extreme(1), "min": extreme(-1),
		"reject": selecting(false, false), "rejectattr": selecting(false, true), "replace": replaceFilter, "reverse": reverse,
		"round": round, "safe": safe, "select": selecting(true, false), "selectattr": selecting(true, true), "slice": sliceFilter,
		"sort": sortFilter, "string": toText, "sum": sum, "title": ofText(titleFilter), "tojson": toJSON, "trim": trim,
		"truncate": truncate, "unique": unique, "upper": ofText(upper), "wordcount": wordCount,
	}
	for _, name := range unsupported {
		filters[name] = func(r *run, _ Value, c *call) Value {
			r.fail("the filter '%s' is not supported here", c.name)
			return nil
		}
	}
}

// ofText is a filter of str(value).
func ofText(change func(string) string) filter {
	return func(r *run, value Value, c *call) Value {
		c.done()
		text := r.plain(value, c)
		r.take(len(text))
		r.step(len(text) / 2)
		return change(text)
	}
}

// plain is str(value); text marked safe would stay so, and is refused.
func (r *run) plain(value Value, c *call) string {
	if _, ok := value.(*markup); ok {
		r.fail("%s of text marked safe is not supported here", c.name)
	}
	return r.str(value)
}

func toText(r *run, value Value, c *call) Value {
	c.done()
	if m, ok := value.(*markup); ok {
		return m
	}
	return r.str(value)
}

func safe(r *run, value Value, c *call) Value {
	c.done()
	return &markup{r.str(value)}
}

func escaped(r *run, value Value, c *call) Value {
	c.done()
	if m, ok := value.(*markup); ok {
		return m
	}
	text := r.str(value)
	r.take(6 * len(text))
	return &markup{escape(text)}
}

var wordBeginning = regexp.MustCompile(`[-\s({\[<\v\x1c-\x1f\x{85}\p{Z}]+`)

// titleFilter is jinja2's, which capitalises after spaces, hyphens and brackets.
func titleFilter(s string) string {
	var out strings.Builder
	word := func(part string) {
		if part != "" {
			characters := []rune(part)
			out.WriteString(upper(string(characters[:1])) + lower(string(characters[1:])))
		}
	}
	at := 0
	for _, m := range wordBeginning.FindAllStringIndex(s, -1) {
		word(s[at:m[0]])
		word(s[m[0]:m[1]])
		at = m[1]
	}
	word(s[at:])
	return out.String()
}

func trim(r *run, value Value, c *call) Value {
	chars := c.optional("chars", nil)
	c.done()
	return strip(c, r.plain(value, c), chars, strings.TrimFunc)
}

func center(r *run, value Value, c *call) Value {
	width := c.integer(c.optional("width", int64(80)))
	c.done()
	return r.padded(r.plain(value, c), width, " ", 0)
}

func replaceFilter(r *run, value Value, c *call) Value {
	old, with, count := c.required("old"), c.required("new"), c.optional("count", nil)
	c.done()
	n := -1
	if count != nil {
		n = c.integer(count)
	}
	return r.replace(r.str(value), r.str(old), r.str(with), n)
}

func formatFilter(r *run, value Value, c *call) Value {
	text := r.plain(value, c)
	if len(c.named.entries) > 0 {
		if len(c.args) > 0 {
			r.fail("can't handle positional and keyword arguments at the same time")
		}
		return r.format(text, c.named)
	}
	return r.format(text, &Tuple{Items: c.args})
}

func indent(r *run, value Value, c *call) Value {
	width, first, blank := c.optional("width", int64(4)), r.truth(c.optional("first", false)), r.truth(c.optional("blank", false))
	c.done()
	text := c.text(value)
	by, ok := width.(string)
	if !ok {
		n := c.integer(width)
		r.take(max(0, n))
		by = strings.Repeat(" ", max(0, n))
	}
	parts := lines(text+"\n", false)
	for i, line := range parts {
		r.take(len(line) + len(by))
		if i > 0 && (line != "" || blank) || i == 0 && first {
			parts[i] = by + line
		}
	}
	return strings.Join(parts, "\n")
}

func truncate(r *run, value Value, c *call) Value {
	n, kill := c.integer(c.optional("length", int64(255))), r.truth(c.optional("killwords", false))
	end, leeway := c.text(c.optional("end", "...")), 5
	if l := c.optional("leeway", nil); l != nil {
		leeway = c.integer(l)
	}
	c.done()
	marks := len([]rune(end))
	have, ok := length(value)
	switch {
	case n < marks || leeway < 0:
		r.fail("truncate: expected length >= %d and leeway >= 0, got %d and %d", marks, n, leeway)
	case !ok:
		r.fail("object of type '%s' has no len()", typeName(value))
	case have <= n+leeway:
		return value
	}
	text := []rune(c.text(value))
	cut := string(text[:n-marks])
	if !kill {
		cut = splitBy(cut, " ", 1, true)[0]
	}
	return cut + end
}

var words = regexp.MustCompile(`[\pL\pN_]+`)

func wordCount(r *run, value Value, c *call) Value {
	c.done()
	text := r.plain(value, c)
	r.step(len(text) / 2) // expressions are slow
	return int64(len(words.FindAllStringIndex(text, -1)))
}

func defaultTo(r *run, value Value, c *call) Value {
	otherwise, falsy := c.optional("default_value", ""), r.truth(c.optional("boolean", false))
	c.done()
	if _, ok := value.(*Undefined); ok || falsy && !r.truth(value) {
		return otherwise
	}
	return value
}

// attr is an attribute, never an item.
func attr(r *run, value Value, c *call) Value {
	name := c.text(c.required("name"))
	c.done()
	r.defined(value)
	if v, ok := r.member(value, name); ok {
		return v
	}
	return r.lacking(value, name)
}

func absolute(r *run, value Value, c *call) Value {
	c.done()
	r.defined(value)
	switch v := value.(type) {
	case float64:
		return math.Abs(v)
	case bool, int64, *big.Int:
		n, _ := integer(v)
		return whole(new(big.Int).Abs(n))
	}
	r.fail("bad operand type for abs(): '%s'", typeName(value))
	return nil
}

func toInt(r *run, value Value, c *call) Value {
	otherwise, base := c.optional("default", int64(0)), c.integer(c.optional("base", int64(10)))
	c.done()
	r.defined(value)
	switch v := value.(type) {
	case bool, int64, *big.Int:
		n, _ := integer(v)
		return whole(n)
	case float64:
		if math.IsNaN(v) {
			return otherwise
		}
		if math.IsInf(v, 0) {
			r.fail("cannot convert float infinity to integer")
		}
		n, _ := big.NewFloat(v).Int(nil)
		return whole(n)
	case string, *markup:
		text := r.str(v)
		r.step(len(text) * min(len(text), 4300) >> 12)
		if n, ok := parseInt(text, base); ok {
			return r.checked(n)
		}
		if x, ok := parseFloat(text); ok && !math.IsInf(x, 0) && !math.IsNaN(x) {
			n, _ := big.NewFloat(x).Int(nil)
			return whole(n)
		}
	}
	return otherwise
}

func toFloat(r *run, value Value, c *call) Value {
	otherwise := c.optional("default", 0.0)
	c.done()
	r.defined(value)
	if isNumber(value) {
		return r.float(value)
	}
	if text, ok := textOf(value); ok {
		r.step(len(text) / 2)
		if x, ok := parseFloat(text); ok {
			return x
		}
	}
	return otherwise
}

func round(r *run, value Value, c *call) Value {
	precision, method := c.optional("precision", int64(0)), c.text(c.optional("method", "common"))
	c.done()
	r.defined(value)
	n := c.integer(precision)
	if !isNumber(value) {
		r.fail("type %s doesn't define __round__ method", typeName(value))
	}
	switch method {
	case "common":
		return r.rounded(value, n)
	case "ceil", "floor":
	default:
		r.fail("method must be common, ceil or floor")
	}
	power := r.operate("**", int64(10), int64(n))
	x := r.float(r.operate("*", value, power))
	if math.IsInf(x, 0) || math.IsNaN(x) {
		r.fail("cannot convert float %s to integer", floatText(x, "infinity", "NaN"))
	}
	if method == "ceil" {
		x = math.Ceil(x)
	} else {
		x = math.Floor(x)
	}
	n2, _ := big.NewFloat(x).Int(nil)
	return r.operate("/", whole(n2), power)
}

// rounded is Python's round(value, n): to the even of two that are as near.
func (r *run) rounded(value Value, n int) Value {
	if x, ok := value.(float64); ok {
		switch {
		case math.IsInf(x, 0) || math.IsNaN(x) || n > 323:
			return x
		case n < -308:
			return math.Copysign(0, x)
		case n >= 0:
			rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', n, 64), 64) // correctly rounded, ties to even of the exact value
			return rounded
		}
		exact, _ := new(big.Float).SetFloat64(x).Int(nil)
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
		fraction := x != math.Trunc(x)
		rounded, _ := new(big.Float).SetInt(roundTo(exact, scale, fraction)).Float64()
		return math.Copysign(rounded, x)
	}
	m, _ := integer(value)
	if n >= 0 {
		return whole(m)
	}
	if n < -4300 {
		return int64(0)
	}
	return whole(roundTo(m, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil), false))
}

// roundTo is the nearest multiple of a scale, the even one of two; more says that
// a fraction follows, away from zero.
func roundTo(m, scale *big.Int, more bool) *big.Int {
	absolute := new(big.Int).Abs(m)
	quotient, rest := new(big.Int).QuoRem(absolute, scale, new(big.Int))
	switch half := new(big.Int).Lsh(rest, 1).Cmp(scale); {
	case half > 0 || half == 0 && (more || quotient.Bit(0) == 1):
		quotient.Add(quotient, big.NewInt(1))
	}
	quotient.Mul(quotient, scale)
	if m.Sign() < 0 {
		quotient.Neg(quotient)
	}
	return quotient
}
