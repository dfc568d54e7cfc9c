package jinja

import (
	"slices"
	"strings"
)

// attribute is value.name: what Python's getattr gives, else value[name], else
// undefined (jinja2's sandbox.py).
func (r *run) attribute(of Value, name string) Value {
	r.step(1)
	r.defined(of)
	if v, ok := r.member(of, name); ok {
		return v
	}
	if d, ok := of.(*Dict); ok {
		if v, ok := d.find(name); ok {
			return v
		}
	}
	return r.lacking(of, name)
}

// item is value[key]; where that fails for a text, value.key.
func (r *run) item(of, key Value) Value {
	r.step(1)
	r.defined(of)
	if v, ok := r.subscripted(of, key); ok {
		return v
	}
	if name, ok := key.(string); ok {
		if v, ok := r.member(of, name); ok {
			return v
		}
	}
	return r.lacking(of, key)
}

// lacking is what is not there.
func (r *run) lacking(of, key Value) Value {
	what := typeName(of) + " object"
	if of == nil {
		what = "None"
	}
	if name, ok := key.(string); ok {
		return undefined("'%s' has no attribute '%s'", what, name)
	}
	return undefined("%s has no element %s", what, r.key(key))
}

func (r *run) key(v Value) string {
	switch v.(type) {
	case *Func, *generator, *namespace, *loop:
		return typeName(v)
	}
	return r.repr(v)
}

// subscripted is what Python's value[key] gives.
func (r *run) subscripted(of, key Value) (Value, bool) {
	r.weigh(key)
	if text, ok := textOf(of); ok {
		r.weigh(text)
	}
	if d, ok := of.(*Dict); ok {
		switch key.(type) {
		case *List, *Dict, *view:
			return nil, false
		}
		return d.find(key)
	}
	i, ok := small(key)
	if !ok {
		return nil, false
	}
	if text, ok := textOf(of); ok {
		c, ok := characterAt(text, i)
		if _, marked := of.(*markup); marked {
			return &markup{c}, ok
		}
		return c, ok
	}
	var items []Value
	switch of := of.(type) {
	case *List:
		items = of.Items
	case *Tuple:
		items = of.Items
	case *numbers:
		if i < 0 {
			i += of.n
		}
		return of.from + i*of.by, i >= 0 && i < of.n
	}
	if i < 0 {
		i += int64(len(items))
	}
	if i < 0 || i >= int64(len(items)) {
		return nil, false
	}
	return items[i], true
}

func characterAt(text string, i int64) (string, bool) {
	if i < 0 {
		n, _ := length(text)
		i += int64(n)
	}
	if i < 0 || i >= int64(len(text)) {
		return "", false
	}
	for _, c := range text {
		if i == 0 {
			return string(c), true
		}
		i--
	}
	return "", false
}

// slice is value[from:to:by].
func (r *run) slice(of Value, bounds [3]Value) Value {
	r.defined(of)
	text, isText := textOf(of)
	items, isList := of.(*List)
	tuple, isTuple := of.(*Tuple)
	switch {
	case !isText && !isList && !isTuple:
		if _, ok := of.(*numbers); ok {
			r.fail("a slice of a range is not supported here: make it a list")
		}
		r.fail("'%s' object is not subscriptable", typeName(of))
	case isText:
		return r.sliceText(of, text, bounds)
	case isTuple:
		return &Tuple{Items: picked(tuple.Items, r.places(len(tuple.Items), bounds))}
	}
	return &List{picked(items.Items, r.places(len(items.Items), bounds))}
}

func (r *run) sliceText(of Value, text string, bounds [3]Value) Value {
	characters := []rune(text)
	r.take(4 * len(text))
	var out strings.Builder
	for _, i := range r.places(len(characters), bounds) {
		out.WriteRune(characters[i])
	}
	if _, ok := of.(*markup); ok {
		return &markup{out.String()}
	}
	return out.String()
}

func picked(items []Value, places []int) []Value {
	out := make([]Value, len(places))
	for i, at := range places {
		out[i] = items[at]
	}
	return out
}

// places are the indices that a slice of n items has (Python's slice.indices).
func (r *run) places(n int, bounds [3]Value) []int {
	r.take(8 * n)
	by := int64(1)
	if bounds[2] != nil {
		by = r.index(bounds[2], "slice step")
		if by == 0 {
			r.fail("slice step cannot be zero")
		}
	}
	low, high := int64(0), int64(n)
	if by < 0 {
		low, high = -1, int64(n)-1
	}
	bound := func(v Value, otherwise int64) int64 {
		if v == nil {
			return otherwise
		}
		at := r.index(v, "slice index")
		if at < 0 {
			return max(low, at+int64(n))
		}
		return min(high, at)
	}
	from, to := bound(bounds[0], low), bound(bounds[1], high)
	if by < 0 {
		from, to = bound(bounds[0], high), bound(bounds[1], low)
	}
	var out []int
	for at := from; by > 0 && at < to || by < 0 && at > to; at += by {
		out = append(out, int(at))
		if by > int64(n) || -by > int64(n) {
			break // at + by could be past an int64
		}
	}
	return out
}

func (r *run) index(v Value, what string) int64 {
	r.defined(v)
	n, ok := small(v)
	if !ok {
		r.fail("%s must be an int that fits 64 bits, not %s", what, typeName(v))
	}
	return n
}

// changes are what the sandbox keeps templates from.
var changes = map[string][]string{
	"dict": {"clear", "pop", "popitem", "setdefault", "update"},
	"list": {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"},
}

// untaken are attributes that Python has and this package has not.
var untaken = map[string][]string{
	"str":      {"encode", "expandtabs", "format_map", "isidentifier", "maketrans", "translate"},
	"Markup":   {},
	"int":      {"as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag", "is_integer", "numerator", "real", "to_bytes"},
	"float":    {"as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real"},
	"dict":     {"fromkeys"},
	"range":    {"start", "stop", "step", "count", "index"},
	"Macro":    {"name", "arguments", "catch_kwargs", "catch_varargs", "caller", "explicit_caller"},
	"function": {},
}

// member is Python's getattr(value, name).
func (r *run) member(of Value, name string) (Value, bool) {
	kind := typeName(of)
	if slices.Contains(changes[kind], name) {
		return undefined("access to attribute '%s' of '%s' object is unsafe", name, kind), true
	}
	lookup := kind
	if kind == "bool" {
		lookup = "int"
	}
	if slices.Contains(untaken[lookup], name) {
		r.fail("'%s' of %s is not supported here", name, kind)
	}
	switch of := of.(type) {
	case string:
		if method, ok := textMethods[name]; ok {
			return bound(name, of, method), true
		}
	case *markup:
		if _, ok := textMethods[name]; ok || slices.Contains(untaken["str"], name) {
			r.fail("'%s' of text marked safe is not supported here", name)
		}
	case *Dict:
		if method, ok := dictMethods[name]; ok {
			return bound(name, of, method), true
		}
	case *List:
		if method, ok := listMethods[name]; ok {
			return bound(name, of.Items, method), true
		}
		if name == "copy" {
			return bound(name, of, copyList), true
		}
	case *Tuple:
		if at := slices.Index(of.names, name); at >= 0 {
			return of.Items[at], true
		}
		if method, ok := listMethods[name]; ok {
			return bound(name, of.Items, method), true
		}
	case *namespace:
		return of.vars.find(name)
	case *loop:
		return of.attribute(name)
	}
	return nil, false
}

// bound is a method of a value.
func bound[T any](name string, of T, method func(r *run, of T, args *call) Value) *Func {
	return &Func{Name: name, call: func(r *run, args []Value, named *Dict) Value {
		r.weigh(of)
		r.weigh(args...)
		return method(r, of, &call{run: r, name: name, args: args, named: named})
	}}
}

var dictMethods = map[string]func(*run, *Dict, *call) Value{
	"keys": func(r *run, d *Dict, c *call) Value {
		c.done()
		return &view{items: d.keys(), kind: "keys", of: d}
	},
	"values": func(r *run, d *Dict, c *call) Value {
		c.done()
		values := make([]Value, len(d.entries))
		for i, e := range d.entries {
			values[i] = e.value
		}
		return &view{items: values, kind: "values", of: d}
	},
	"items": func(r *run, d *Dict, c *call) Value {
		c.done()
		return &view{items: r.pairs(d), kind: "items", of: d}
	},
	"copy": func(r *run, d *Dict, c *call) Value {
		c.done()
		r.take(64 * len(d.entries))
		return d.copied()
	},
	"get": func(r *run, d *Dict, c *call) Value {
		key, otherwise := c.positional("key"), c.optional("", nil)
		c.done()
		r.hashable(key)
		if v, ok := d.find(key); ok {
			return v
		}
		return otherwise
	},
}

func (r *run) pairs(d *Dict) []Value {
	r.take(64 * len(d.entries))
	pairs := make([]Value, len(d.entries))
	for i, e := range d.entries {
		pairs[i] = &Tuple{Items: []Value{e.key, e.value}}
	}
	return pairs
}

func copyList(r *run, l *List, c *call) Value {
	c.done()
	return &List{r.joined(l.Items, nil)}
}

var listMethods = map[string]func(*run, []Value, *call) Value{
	"count": func(r *run, items []Value, c *call) Value {
		value := c.positional("value")
		c.done()
		n := int64(0)
		for _, item := range items {
			if r.equal(item, value) {
				n++
			}
		}
		return n
	},
	"index": func(r *run, items []Value, c *call) Value {
		value := c.positional("value")
		if len(c.args) > 0 {
			r.fail("index of a part of a list is not supported here")
		}
		c.done()
		for i, item := range items {
			if r.equal(item, value) {
				return int64(i)
			}
		}
		r.fail("the value is not in the list")
		return nil
	},
}
