package jinja

import (
	"cmp"
	"math/big"
	"strings"
)

// equal is a == b.
func (r *run) equal(a, b Value) bool {
	r.step(1)
	if isNumber(a) && isNumber(b) {
		return orderNumbers(a, b) == 0
	}
	if x, ok := textOf(a); ok {
		y, ok := textOf(b)
		if len(x) == len(y) {
			r.weigh(x)
		}
		return ok && x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case *Undefined:
		_, ok := b.(*Undefined)
		return ok
	case *List:
		if b, ok := b.(*List); ok {
			return r.equalItems(a.Items, b.Items)
		}
		return false
	case *Tuple:
		if b, ok := b.(*Tuple); ok {
			return r.equalItems(a.Items, b.Items)
		}
		return false
	case *numbers:
		if b, ok := b.(*numbers); ok {
			return a.n == b.n && (a.n == 0 || a.from == b.from && (a.n == 1 || a.by == b.by))
		}
		return false
	case *Dict:
		if b, ok := b.(*Dict); ok {
			return r.equalDicts(a, b)
		}
		return false
	case *view:
		if b, ok := b.(*view); ok && a != b && a.kind != "values" {
			r.fail("comparing dict_%s is not supported here", a.kind)
		}
	}
	return a == b
}

func (r *run) equalItems(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	defer r.enter()()
	for i := range a {
		if !r.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (r *run) equalDicts(a, b *Dict) bool {
	if len(a.entries) != len(b.entries) {
		return false
	}
	defer r.enter()()
	for _, e := range a.entries {
		other, ok := b.find(e.key)
		if !ok || !r.equal(e.value, other) {
			return false
		}
	}
	return true
}

// compare is one of Python's comparisons.
func (r *run) compare(op string, a, b Value) bool {
	switch op {
	case "==":
		return r.equal(a, b)
	case "!=":
		return !r.equal(a, b)
	case "in":
		return r.contains(b, a)
	case "not in":
		return !r.contains(b, a)
	}
	if x, ok := a.(float64); ok && x != x {
		return false
	}
	if x, ok := b.(float64); ok && x != x {
		return false
	}
	order := r.order(op, a, b)
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// order compares numbers, texts, lists and tuples among themselves.
func (r *run) order(op string, a, b Value) int {
	r.step(1)
	r.defined(a, b)
	if isNumber(a) && isNumber(b) {
		return orderNumbers(a, b)
	}
	if x, ok := textOf(a); ok {
		if y, ok := textOf(b); ok {
			return strings.Compare(x, y) // UTF-8 has the order of its code points
		}
	}
	x, listed := a.(*List)
	if y, ok := b.(*List); ok && listed {
		return r.orderItems(op, x.Items, y.Items)
	}
	u, tuple := a.(*Tuple)
	if v, ok := b.(*Tuple); ok && tuple {
		return r.orderItems(op, u.Items, v.Items)
	}
	r.fail("'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b))
	return 0
}

func (r *run) orderItems(op string, a, b []Value) int {
	defer r.enter()()
	for i := range min(len(a), len(b)) {
		if !r.equal(a[i], b[i]) {
			return r.order(op, a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// contains is value in container.
func (r *run) contains(container, value Value) bool {
	if text, ok := textOf(container); ok {
		part, ok := textOf(value)
		if !ok {
			r.defined(value)
			r.fail("'in <string>' requires string as left operand, not %s", typeName(value))
		}
		r.step(len(text) / 64)
		return strings.Contains(text, part)
	}
	switch c := container.(type) {
	case *Dict:
		r.hashable(value)
		_, ok := c.find(value)
		return ok
	case *namespace, *loop, *Func, nil, bool, int64, *big.Int, float64:
		r.fail("argument of type '%s' is not iterable", typeName(container))
	}
	for _, item := range r.iterate(container) {
		if r.equal(item, value) {
			return true
		}
	}
	return false
}
