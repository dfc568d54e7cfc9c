package jinja

import "math"

// globals are what a template sees beside its variables.
var globals = map[string]Value{
	"range":           &Func{Name: "range", call: rangeOf},
	"namespace":       &Func{Name: "namespace", call: newNamespace},
	"dict":            &Func{Name: "dict", call: newDict},
	"raise_exception": &Func{Name: "raise_exception", call: raise},
	"cycler":          missing("cycler"),
	"joiner":          missing("joiner"),
	"lipsum":          missing("lipsum"),
	"self":            missing("self"),
}

func missing(name string) *Func {
	return &Func{Name: name, call: func(r *run, _ []Value, _ *Dict) Value {
		r.fail("%s is not supported here", name)
		return nil
	}}
}

// raise is how a template refuses a conversation.
func raise(r *run, args []Value, named *Dict) Value {
	c := &call{run: r, name: "raise_exception", args: args, named: named}
	message := c.required("message")
	c.done()
	r.fail("%s", r.str(message))
	return nil
}

// maxRange is the sandbox's MAX_RANGE.
const maxRange = 100_000

func rangeOf(r *run, args []Value, named *Dict) Value {
	c := &call{run: r, name: "range", args: args, named: named}
	bounds := []int64{}
	for len(c.args) > 0 {
		bounds = append(bounds, int64(c.integer(c.positional("stop"))))
	}
	c.done()
	n := &numbers{by: 1}
	switch len(bounds) {
	case 1:
		n.to = bounds[0]
	case 2:
		n.from, n.to = bounds[0], bounds[1]
	case 3:
		n.from, n.to, n.by = bounds[0], bounds[1], bounds[2]
	default:
		r.fail("range expected 1 to 3 arguments, got %d", len(bounds))
	}
	if n.by == 0 {
		r.fail("range() arg 3 must not be zero")
	}
	if count := (float64(n.to) - float64(n.from)) / float64(n.by); count > 0 {
		if count > maxRange {
			r.fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
		}
		n.n = int64(math.Ceil(count))
	}
	return n
}

func newDict(r *run, args []Value, named *Dict) Value {
	d := NewDict()
	if len(args) > 1 {
		r.fail("dict expected at most 1 argument, got %d", len(args))
	}
	r.defined(args...)
	for _, from := range args {
		if other, ok := from.(*Dict); ok {
			d = other.copied()
			continue
		}
		for _, pair := range r.iterate(from) {
			items := r.iterate(pair)
			if len(items) != 2 {
				r.fail("dictionary update sequence element has length %d; 2 is required", len(items))
			}
			r.hashable(items[0])
			d.put(items[0], items[1])
		}
	}
	for _, e := range named.entries {
		d.put(e.key, e.value)
	}
	r.take(64 * len(d.entries))
	return d
}

func newNamespace(r *run, args []Value, named *Dict) Value {
	n := &namespace{vars: NewDict()}
	for _, e := range newDict(r, args, named).(*Dict).entries {
		name, ok := e.key.(string)
		if !ok {
			r.fail("a namespace's attributes are texts, not %s", typeName(e.key))
		}
		n.set(r, name, e.value)
	}
	return n
}
