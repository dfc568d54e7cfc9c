package jinja

import (
	"math/big"
	"slices"
)

// test is value is name(…).
func (r *run) test(name string, value Value, args []Value, named *Dict) Value {
	r.step(1)
	r.weigh(value)
	r.weigh(args...)
	t := tests[name]
	if t == nil {
		r.fail("no test named '%s'", name)
	}
	c := &call{run: r, name: name, args: args, named: named}
	return t(r, value, c)
}

type test func(r *run, value Value, c *call) bool

// tests are jinja2's (tests.py).
var tests map[string]test

func init() {
	tests = map[string]test{
		"defined":   is(func(_ *run, v Value) bool { _, ok := v.(*Undefined); return !ok }),
		"undefined": is(func(_ *run, v Value) bool { _, ok := v.(*Undefined); return ok }),
		"none":      is(func(_ *run, v Value) bool { return v == nil }),
		"boolean":   is(func(_ *run, v Value) bool { _, ok := v.(bool); return ok }),
		"true":      is(func(_ *run, v Value) bool { return v == true }),
		"false":     is(func(_ *run, v Value) bool { return v == false }),
		"integer":   is(func(_ *run, v Value) bool { _, b := v.(bool); _, ok := integer(v); return ok && !b }),
		"float":     is(func(_ *run, v Value) bool { _, ok := v.(float64); return ok }),
		"number":    is(func(_ *run, v Value) bool { return isNumber(v) }),
		"string":    is(func(_ *run, v Value) bool { _, ok := textOf(v); return ok }),
		"mapping":   is(func(_ *run, v Value) bool { _, ok := v.(*Dict); return ok }),
		"sequence":  is(func(_ *run, v Value) bool { return isSequence(v) }),
		"iterable":  is(func(_ *run, v Value) bool { return isIterable(v) }),
		"callable":  is(isCallable),
		"escaped":   is(func(_ *run, v Value) bool { _, ok := v.(*markup); return ok }),
		"lower":     is(func(r *run, v Value) bool { return hasCase(r.str(v), isLower, isUpper) }),
		"upper":     is(func(r *run, v Value) bool { return hasCase(r.str(v), isUpper, isLower) }),
		"odd":       is(func(r *run, v Value) bool { return r.equal(r.operate("%", v, int64(2)), int64(1)) }),
		"even":      is(func(r *run, v Value) bool { return r.equal(r.operate("%", v, int64(2)), int64(0)) }),
		"filter":    is(func(r *run, v Value) bool { return r.known(v, filters[r.str(v)] != nil) }),
		"test":      is(func(r *run, v Value) bool { return r.known(v, tests[r.str(v)] != nil) }),
		"divisibleby": func(r *run, v Value, c *call) bool {
			by := c.required("num")
			c.done()
			return r.equal(r.operate("%", v, by), int64(0))
		},
		"sameas": func(r *run, v Value, c *call) bool {
			other := c.required("other")
			c.done()
			return r.same(v, other)
		},
		"in": func(r *run, v Value, c *call) bool {
			in := c.required("seq")
			c.done()
			return r.contains(in, v)
		},
	}
	for op, names := range map[string][]string{"==": {"eq", "equalto"}, "!=": {"ne"}, ">": {"gt", "greaterthan"}, ">=": {"ge"}, "<": {"lt", "lessthan"}, "<=": {"le"}} {
		compares := func(r *run, v Value, c *call) bool {
			other := c.positional("other")
			c.done()
			return r.compare(op, v, other)
		}
		for _, name := range append(names, op) {
			tests[name] = compares
		}
	}
}

// is is a test without arguments.
func is(holds func(r *run, v Value) bool) test {
	return func(r *run, v Value, c *call) bool {
		c.done()
		return holds(r, v)
	}
}

func isSequence(v Value) bool {
	switch v.(type) {
	case string, *markup, *List, *Tuple, *Dict, *numbers, *Undefined:
		return true
	}
	return false
}

func isIterable(v Value) bool {
	switch v.(type) {
	case *view, *generator, *loop:
		return true
	}
	return isSequence(v)
}

func isCallable(_ *run, v Value) bool {
	switch v := v.(type) {
	case *Func:
		return v.Name != "self"
	case *Undefined, *loop:
		return true
	}
	return false
}

// known is whether a text names a filter or test.
func (r *run) known(v Value, known bool) bool {
	_, ok := v.(string)
	r.hashable(v)
	return ok && known
}

// same is whether both are one object: of texts and large numbers that is
// Python's own affair.
func (r *run) same(a, b Value) bool {
	switch x := a.(type) {
	case string, *markup, float64, *big.Int:
		if typeName(a) == typeName(b) {
			r.fail("sameas of two %s is not supported here", typeName(a))
		}
		return false
	case int64:
		y, ok := b.(int64)
		if ok && x == y && (x < -5 || x > 256) {
			r.fail("sameas of two large numbers is not supported here")
		}
		return ok && x == y
	}
	return !slices.Contains([]string{"Undefined"}, typeName(a)) && a == b
}
