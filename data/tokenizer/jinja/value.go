package jinja

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Value is what Python would have: nil (None), bool, int64 and *big.Int (int),
// float64, string, *List, *Tuple, *Dict, *Func, and what templates make of them:
// *Undefined, *markup, *generator, *view, *numbers (range), *namespace, *loop.
type Value any

// List is Python's list.
type List struct{ Items []Value }

// Tuple is Python's tuple; names are those of its items where it is a named one.
type Tuple struct {
	Items []Value
	names []string
}

// Func can be called by a template.
type Func struct {
	Name  string
	macro bool
	call  func(r *run, args []Value, named *Dict) Value
}

// NewFunc is a function that takes positional arguments only; an error of it is
// the rendering's.
func NewFunc(name string, call func(args []Value) (Value, error)) *Func {
	return &Func{Name: name, call: func(r *run, args []Value, named *Dict) Value {
		if len(named.entries) > 0 {
			r.fail("%s takes no keyword arguments", name)
		}
		v, err := call(args)
		if err != nil {
			r.fail("%w", err)
		}
		return v
	}}
}

// Undefined is what a name or an attribute that is not there gives: it prints as
// nothing, is false and has no items; anything else that is done with it fails
// with why.
type Undefined struct{ why string }

func undefined(format string, args ...any) *Undefined {
	return &Undefined{fmt.Sprintf(format, args...)}
}

// markup is text marked safe: it escapes what is added to it.
type markup struct{ text string }

// generator is what filters like map give: it has no length, and can be gone over
// once.
type generator struct {
	items []Value
}

// view is what a dict's keys, values and items give.
type view struct {
	items []Value
	kind  string // keys, values, items
	of    *Dict
}

// numbers is a range.
type numbers struct{ from, to, by, n int64 }

// namespace is what a set may change attributes of.
type namespace struct{ vars *Dict }

func (n *namespace) set(r *run, name string, v Value) {
	if strings.HasPrefix(name, "_") {
		r.fail("chat templates cannot store underscore-prefixed attributes on a namespace, but got '%s'", name)
	}
	n.vars.Set(name, v)
}

// defined fails on what is undefined, with why.
func (r *run) defined(values ...Value) {
	for _, v := range values {
		if u, ok := v.(*Undefined); ok {
			r.fail("%s", u.why)
		}
	}
}

// typeName is Python's name of a value's type.
func typeName(v Value) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *markup:
		return "Markup"
	case *List:
		return "list"
	case *Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *Undefined:
		return "Undefined"
	case *generator:
		return "generator"
	case *view:
		return "dict_" + v.kind
	case *numbers:
		return "range"
	case *namespace:
		return "Namespace"
	case *loop:
		return "LoopContext"
	case *Func:
		if v.macro {
			return "Macro"
		}
		return "function"
	}
	return fmt.Sprintf("%T", v)
}

// truth is bool(value).
func (r *run) truth(v Value) bool {
	switch v := v.(type) {
	case nil, *Undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *markup:
		return v.text != ""
	case *List, *Tuple, *Dict, *view, *numbers:
		n, _ := length(v)
		return n > 0
	}
	return true
}

// length is len(value), where it has one.
func length(v Value) (int, bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case *markup:
		return utf8.RuneCountInString(v.text), true
	case *List:
		return len(v.Items), true
	case *Tuple:
		return len(v.Items), true
	case *Dict:
		return len(v.entries), true
	case *view:
		return len(v.items), true
	case *numbers:
		return int(v.n), true
	case *loop:
		return len(v.items), true
	case *Undefined:
		return 0, true
	}
	return 0, false
}

// iterate gives the items of iter(value).
func (r *run) iterate(v Value) []Value {
	items, ok := r.items(v)
	if !ok {
		r.fail("'%s' object is not iterable", typeName(v))
	}
	r.step(len(items))
	return items
}

func (r *run) items(v Value) ([]Value, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case *Tuple:
		return v.Items, true
	case *view:
		return v.items, true
	case *Dict:
		return v.keys(), true
	case *Undefined:
		return nil, true
	case string:
		return r.characters(v), true
	case *markup:
		return r.characters(v.text), true
	case *generator:
		items := v.items
		v.items = nil
		return items, true
	case *numbers:
		r.take(int(v.n) * 16)
		items := make([]Value, v.n)
		for i := range items {
			items[i] = v.from + int64(i)*v.by
		}
		return items, true
	case *loop:
		r.fail("a loop within itself is not supported here")
	}
	return nil, false
}

func (r *run) characters(text string) []Value {
	r.take(len(text) * 32)
	items := make([]Value, 0, len(text))
	for _, c := range text {
		items = append(items, string(c))
	}
	return items
}

// str is str(value).
func (r *run) str(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case *markup:
		return v.text
	case *Undefined:
		return ""
	}
	return r.repr(v)
}

// repr is repr(value). What Python writes with an address has none here.
func (r *run) repr(v Value) string {
	r.step(1)
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return r.digits(v)
	case float64:
		return floatText(v, "inf", "nan")
	case string:
		r.take(len(v))
		return Repr(v)
	case *List:
		return r.listed("[", v.Items, "]")
	case *Tuple:
		if len(v.Items) == 1 {
			return r.listed("(", v.Items, ",)")
		}
		return r.listed("(", v.Items, ")")
	case *Dict:
		defer r.enter()()
		parts := make([]string, len(v.entries))
		for i, e := range v.entries {
			parts[i] = r.repr(e.key) + ": " + r.repr(e.value)
			r.take(len(parts[i]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *view:
		return "dict_" + v.kind + "(" + r.listed("[", v.items, "]") + ")"
	case *numbers:
		if v.by == 1 {
			return fmt.Sprintf("range(%d, %d)", v.from, v.to)
		}
		return fmt.Sprintf("range(%d, %d, %d)", v.from, v.to, v.by)
	case *Undefined:
		return "Undefined"
	case *markup:
		return "Markup(" + Repr(v.text) + ")"
	case *namespace:
		return "<Namespace " + r.repr(v.vars) + ">"
	case *loop:
		return fmt.Sprintf("<LoopContext %d/%d>", v.at+1, len(v.items))
	}
	r.fail("a %s is printed, which transformers writes with an address in memory: it is not supported here", typeName(v))
	return ""
}

func (r *run) listed(open string, items []Value, closing string) string {
	defer r.enter()()
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = r.repr(item)
		r.take(len(parts[i]))
	}
	return open + strings.Join(parts, ", ") + closing
}

// Repr quotes a text as Python does: by ' unless the text has these and no ".
func Repr(s string) string {
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

// textOf is the text of what Python takes for a str.
func textOf(v Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case *markup:
		return v.text, true
	}
	return "", false
}
