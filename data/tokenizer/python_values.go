package tokenizer

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/ardanlabs/jinja"
)

// pythonFunctions are what expressions are rewritten to call: Python's and
// Jinja's ways with values.
func pythonFunctions() map[string]jinja.Value {
	callables := map[string]func([]jinja.Value, map[string]jinja.Value) (jinja.Value, error){
		jsonFilter: pythonJSON, "python_str": pythonStr, "python_trim": pythonTrim, "python_join": pythonJoin,
		"python_add": pythonAdd, "python_cat": pythonCat, "python_iter": pythonIter, "python_iterable": pythonIterable, "python_pow": pythonPow,
		"python_unknown": func([]jinja.Value, map[string]jinja.Value) (jinja.Value, error) {
			return jinja.Undefined(), errors.New("the filter from_json, which transformers does not know")
		},
		"python_uniterable": func(args []jinja.Value, named map[string]jinja.Value) (jinja.Value, error) {
			is, err := pythonIterable(args, named)
			return jinja.NewBool(err == nil && !is.AsBool()), err
		},
	}
	out := map[string]jinja.Value{}
	for name, call := range maps.All(callables) {
		out[name] = jinja.NewCallable(name, call)
	}
	return out
}

// strOf is str(value), "" for what is undefined.
func strOf(v jinja.Value) string {
	switch {
	case v.IsString():
		return v.AsString()
	case v.IsUndefined(), v.IsCallable():
		return ""
	}
	return repr(v)
}

// repr is Python's repr(value).
func repr(v jinja.Value) string {
	switch {
	case v.IsNone():
		return "None"
	case v.IsBool():
		if v.AsBool() {
			return "True"
		}
		return "False"
	case v.IsInt():
		return strconv.FormatInt(v.AsInt(), 10)
	case v.IsFloat():
		return pythonFloat(v.AsFloat())
	case v.IsString():
		return reprText(v.AsString())
	case v.IsList():
		parts := make([]string, v.AsList().Len())
		for i, item := range v.AsList().Items {
			parts[i] = repr(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case v.IsDict():
		var parts []string
		for _, key := range v.AsDict().Keys {
			parts = append(parts, reprText(key)+": "+repr(v.AsDict().Data[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "Undefined"
}

// reprText quotes as Python does: by ' unless the text has these and no ".
func reprText(s string) string {
	quote := '\''
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteString(`\` + string("nrt"[strings.IndexRune("\n\r\t", r)]))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
	return b.String()
}

func pythonStr(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	if len(args) != 1 {
		return jinja.Undefined(), errors.New("string: want one value")
	}
	return jinja.NewString(strOf(args[0])), nil
}

// pythonTrim is the filter trim: str(value).strip(chars).
func pythonTrim(args []jinja.Value, named map[string]jinja.Value) (jinja.Value, error) {
	if chars, ok := named["chars"]; ok {
		args = append(args, chars)
	}
	switch {
	case len(args) == 1 || len(args) == 2 && args[1].IsNone():
		return jinja.NewString(strings.TrimFunc(strOf(args[0]), isPythonSpace)), nil
	case len(args) == 2 && args[1].IsString():
		return jinja.NewString(strings.Trim(strOf(args[0]), args[1].AsString())), nil
	}
	return jinja.Undefined(), errors.New("trim: want a value, and the characters to strip")
}

// pythonJoin is the filter join: d between the items, or between an attribute of
// each.
func pythonJoin(args []jinja.Value, named map[string]jinja.Value) (jinja.Value, error) {
	for i, name := range []string{"d", "attribute"} {
		if v, ok := named[name]; ok {
			for len(args) <= i+1 {
				args = append(args, jinja.NewString(""))
			}
			args[i+1] = v
		}
	}
	items, err := itemsOf(args[0])
	if err != nil {
		return jinja.Undefined(), err
	}
	between := ""
	if len(args) > 1 {
		between = strOf(args[1])
	}
	parts := make([]string, len(items))
	for i, item := range items {
		if len(args) > 2 && args[2].IsString() && args[2].AsString() != "" {
			item = attributeOf(item, args[2].AsString())
		}
		parts[i] = strOf(item)
	}
	return jinja.NewString(strings.Join(parts, between)), nil
}

func attributeOf(v jinja.Value, name string) jinja.Value {
	if v.IsDict() {
		if member, ok := v.AsDict().Get(name); ok {
			return member
		}
	}
	return jinja.Undefined()
}

// itemsOf are what a for goes over: nothing for what is undefined.
func itemsOf(v jinja.Value) (items []jinja.Value, err error) {
	switch {
	case v.IsList():
		return v.AsList().Items, nil
	case v.IsDict():
		for _, key := range v.AsDict().Keys {
			items = append(items, jinja.NewString(key))
		}
	case v.IsString():
		for _, r := range v.AsString() {
			items = append(items, jinja.NewString(string(r)))
		}
	case !v.IsUndefined():
		return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
	}
	return items, nil
}

func pythonIter(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	if len(args) != 1 {
		return jinja.Undefined(), errors.New("for: want one value to go over")
	}
	_, err := itemsOf(args[0])
	return args[0], err
}

// pythonIterable is Jinja's test: what is undefined is iterable.
func pythonIterable(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	if len(args) != 1 {
		return jinja.Undefined(), errors.New("iterable: want one value")
	}
	_, err := itemsOf(args[0])
	return jinja.NewBool(err == nil), nil
}

// pythonCat is ~: str of everything.
func pythonCat(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	var b strings.Builder
	for _, v := range args {
		b.WriteString(strOf(v))
	}
	return jinja.NewString(b.String()), nil
}

// pythonAdd is + from left to right.
func pythonAdd(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	sum := args[0]
	for _, v := range args[1:] {
		var err error
		if sum, err = add(sum, v); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func add(a, b jinja.Value) (jinja.Value, error) {
	switch {
	case a.IsString() && b.IsString():
		return jinja.NewString(a.AsString() + b.AsString()), nil
	case a.IsList() && b.IsList():
		return jinja.NewList(append(append([]jinja.Value{}, a.AsList().Items...), b.AsList().Items...)), nil
	case isWhole(a) && isWhole(b):
		return jinja.NewInt(whole(a) + whole(b)), nil
	case isNumber(a) && isNumber(b):
		return jinja.NewFloat(number64(a) + number64(b)), nil
	case a.IsUndefined() || b.IsUndefined():
		return jinja.Undefined(), errors.New("a value that the conversation does not have is added to a text")
	case a.IsString() || b.IsString():
		other := b
		if b.IsString() {
			other = a
		}
		return jinja.Undefined(), fmt.Errorf("can only concatenate str (not %q) to str", typeName(other))
	}
	return jinja.Undefined(), fmt.Errorf("unsupported operand type(s) for +: '%s' and '%s'", typeName(a), typeName(b))
}

// pythonPow is a ** b.
func pythonPow(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	a, b := args[0], args[1]
	if !isNumber(a) || !isNumber(b) {
		return jinja.Undefined(), fmt.Errorf("unsupported operand type(s) for **: '%s' and '%s'", typeName(a), typeName(b))
	}
	power := math.Pow(number64(a), number64(b))
	if isWhole(a) && isWhole(b) && whole(b) >= 0 && math.Abs(power) < 1<<53 {
		return jinja.NewInt(int64(power)), nil
	}
	return jinja.NewFloat(power), nil
}

func isWhole(v jinja.Value) bool  { return v.IsInt() || v.IsBool() }
func isNumber(v jinja.Value) bool { return isWhole(v) || v.IsFloat() }

func whole(v jinja.Value) int64 {
	switch {
	case v.IsInt():
		return v.AsInt()
	case v.AsBool():
		return 1
	}
	return 0
}

func number64(v jinja.Value) float64 {
	if v.IsFloat() {
		return v.AsFloat()
	}
	return float64(whole(v))
}

// typeName is Python's name of a value's type.
func typeName(v jinja.Value) string {
	switch {
	case v.IsNone():
		return "NoneType"
	case v.IsBool():
		return "bool"
	case v.IsInt():
		return "int"
	case v.IsFloat():
		return "float"
	case v.IsString():
		return "str"
	case v.IsList():
		return "list"
	case v.IsDict():
		return "dict"
	}
	return "Undefined"
}
