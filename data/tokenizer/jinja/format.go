package jinja

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var conversion = regexp.MustCompile(`%(?:\((\w*)\))?([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?(.?)`)

// format is text % values.
func (r *run) format(text string, values Value) Value {
	args, tuple := []Value{values}, false
	if t, ok := values.(*Tuple); ok {
		args, tuple = t.Items, true
	}
	named, isDict := values.(*Dict)
	var out strings.Builder
	used := 0
	for {
		at := strings.IndexByte(text, '%')
		if at < 0 {
			break
		}
		out.WriteString(text[:at])
		m := conversion.FindStringSubmatch(text[at:])
		text = text[at+len(m[0]):]
		if m[5] == "%" {
			out.WriteByte('%')
			continue
		}
		if m[3] == "*" || m[4] == "*" {
			r.fail("a width of * in %% formatting is not supported here")
		}
		var v Value
		switch {
		case strings.Contains(m[0], "("):
			if !isDict {
				r.fail("format requires a mapping")
			}
			var ok bool
			if v, ok = named.Get(m[1]); !ok {
				r.fail("no key '%s' to format", m[1])
			}
			used = 1
		case used >= len(args):
			r.fail("not enough arguments for format string")
		default:
			v = args[used]
			used++
		}
		part := r.converted(v, m[2], m[3], m[4], strings.Contains(m[0], "."), m[5])
		r.take(len(part))
		out.WriteString(part)
	}
	out.WriteString(text)
	r.take(out.Len())
	_, undef := values.(*Undefined)
	if used < len(args) && (tuple || !isDict && !undef) {
		if _, list := values.(*List); !list || tuple {
			r.fail("not all arguments converted during string formatting")
		}
	}
	return out.String()
}

// converted is one value by one conversion.
func (r *run) converted(v Value, flags, width, precision string, exact bool, kind string) string {
	n, _ := strconv.Atoi(width)
	digits := -1
	if exact {
		digits, _ = strconv.Atoi(precision)
	}
	if n > 1<<20 || digits > 1<<12 {
		r.fail("%w: a format of width %d, precision %d", ErrBudget, n, digits)
	}
	var body, sign string
	switch kind {
	case "s", "r":
		body = r.str(v)
		if kind == "r" {
			body = r.repr(v)
		}
		if characters := []rune(body); digits >= 0 && digits < len(characters) {
			body = string(characters[:digits])
		}
		flags = strings.ReplaceAll(flags, "0", "")
	case "c":
		body = r.str(v)
		if code, ok := small(v); ok {
			body = string(rune(code))
		} else if len([]rune(body)) != 1 {
			r.fail("%%c requires int or char")
		}
		flags = strings.ReplaceAll(flags, "0", "")
	case "d", "i", "u", "x", "X", "o":
		sign, body = r.wholeDigits(v, kind, flags, digits)
	case "f", "F", "e", "E", "g", "G":
		sign, body = r.floatDigits(v, kind, digits)
		if strings.Contains(flags, "#") {
			r.fail("the flag # of %%%s is not supported here", kind)
		}
	case "":
		r.fail("incomplete format")
	default:
		r.fail("unsupported format character '%s'", kind)
	}
	if sign == "" && strings.ContainsAny(flags, "+ ") && !strings.Contains("src", kind) {
		sign = " "
		if strings.Contains(flags, "+") {
			sign = "+"
		}
	}
	missing := n - len([]rune(sign+body))
	switch {
	case missing <= 0:
		return sign + body
	case strings.Contains(flags, "-"):
		return sign + body + strings.Repeat(" ", missing)
	case strings.Contains(flags, "0"):
		return sign + strings.Repeat("0", missing) + body
	}
	return strings.Repeat(" ", missing) + sign + body
}

func (r *run) wholeDigits(v Value, kind, flags string, digits int) (sign, body string) {
	n, ok := integer(v)
	if x, isFloat := v.(float64); isFloat && strings.Contains("diu", kind) && !math.IsInf(x, 0) && !math.IsNaN(x) {
		n, _ = big.NewFloat(x).Int(nil)
		ok = true
	}
	if !ok {
		r.defined(v)
		r.fail("%%%s format: a real number is required, not %s", kind, typeName(v))
	}
	r.digits(n)
	if n.Sign() < 0 {
		sign, n = "-", new(big.Int).Neg(n)
	}
	base := map[string]int{"x": 16, "X": 16, "o": 8}[kind]
	if base == 0 {
		base = 10
	}
	body = n.Text(base)
	if len(body) < digits {
		body = strings.Repeat("0", digits-len(body)) + body
	}
	if strings.Contains(flags, "#") && base != 10 {
		sign += "0" + strings.ToLower(kind)
	}
	if kind == "X" {
		return strings.ToUpper(sign), strings.ToUpper(body)
	}
	return sign, body
}

func (r *run) floatDigits(v Value, kind string, digits int) (sign, body string) {
	if !isNumber(v) {
		r.defined(v)
		r.fail("must be real number, not %s", typeName(v))
	}
	if digits < 0 {
		digits = 6
	}
	x := r.float(v)
	body = fmt.Sprintf("%.*"+kind, digits, math.Abs(x))
	if lower := strings.ToLower(kind); lower == "g" {
		body = fmt.Sprintf("%.*"+kind, max(1, digits), math.Abs(x))
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		body = map[bool]string{true: "inf", false: "nan"}[math.IsInf(x, 0)]
		if strings.ToUpper(kind) == kind {
			body = strings.ToUpper(body)
		}
	}
	if math.Signbit(x) && !math.IsNaN(x) {
		sign = "-"
	}
	return sign, body
}

var field = regexp.MustCompile(`\{\{|\}\}|\{([^{}]*)\}|[{}]`)

// formatMethod is str.format, of fields that name an argument and nothing more.
func formatMethod(r *run, s string, c *call) Value {
	next := 0
	text := field.ReplaceAllStringFunc(s, func(found string) string {
		switch found {
		case "{{", "}}":
			return found[:1]
		case "{", "}":
			r.fail("single '%s' encountered in format string", found)
		}
		name := found[1 : len(found)-1]
		var v Value
		n, err := strconv.Atoi(name)
		switch {
		case name == "":
			n = next
			next++
		case err != nil:
			named, ok := c.named.Get(name)
			if strings.ContainsAny(name, ".[!:") {
				r.fail("the field %s of str.format is not supported here: of fields only names and numbers are", found)
			}
			if !ok {
				r.fail("no argument '%s' to format", name)
			}
			n, v = -1, named
		}
		if n >= len(c.args) {
			r.fail("replacement index %d out of range for positional args tuple", n)
		}
		if n >= 0 {
			v = c.args[n]
		}
		part := r.str(v)
		r.take(len(part))
		return part
	})
	return text
}
