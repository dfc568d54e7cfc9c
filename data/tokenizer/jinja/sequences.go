package jinja

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func lengthOf(r *run, value Value, c *call) Value {
	c.done()
	n, ok := length(value)
	if !ok {
		r.fail("object of type '%s' has no len()", typeName(value))
	}
	return int64(n)
}

func toList(r *run, value Value, c *call) Value {
	c.done()
	return &List{r.joined(r.iterate(value), nil)}
}

func first(r *run, value Value, c *call) Value {
	c.done()
	if text, ok := textOf(value); ok && text != "" {
		_, n := utf8.DecodeRuneInString(text)
		return text[:n]
	}
	if g, ok := value.(*generator); ok && len(g.items) > 0 {
		item := g.items[0]
		g.items = g.items[1:]
		return item
	}
	items := r.iterate(value)
	if len(items) == 0 {
		return undefined("No first item, sequence was empty.")
	}
	return items[0]
}

func last(r *run, value Value, c *call) Value {
	c.done()
	items := r.backwards(value)
	if len(items) == 0 {
		return undefined("No last item, sequence was empty.")
	}
	return items[0]
}

// backwards is reversed(value).
func (r *run) backwards(value Value) []Value {
	switch value.(type) {
	case *generator, *namespace, *Func, nil, bool, int64, float64:
		r.fail("'%s' object is not reversible", typeName(value))
	}
	items := r.joined(r.iterate(value), nil)
	slices.Reverse(items)
	return items
}

func reverse(r *run, value Value, c *call) Value {
	c.done()
	if text, ok := value.(string); ok {
		characters := []rune(text)
		slices.Reverse(characters)
		return string(characters)
	}
	if g, ok := value.(*generator); ok {
		items := r.joined(r.iterate(g), nil)
		slices.Reverse(items)
		return &List{items}
	}
	return &generator{items: r.backwards(value)}
}

func items(r *run, value Value, c *call) Value {
	c.done()
	switch d := value.(type) {
	case *Undefined:
		return &generator{}
	case *Dict:
		return &generator{items: r.pairs(d)}
	}
	r.fail("can only get item pairs from a mapping, not %s", typeName(value))
	return nil
}

// path is what an attribute= of a filter names: keys one in another.
func (r *run) path(attribute Value, c *call) []Value {
	switch a := attribute.(type) {
	case nil:
		return nil
	case string:
		return keyPath(a)
	case int64:
		return []Value{a}
	}
	r.fail("%s: attribute is a text or a number, not %s", c.name, typeName(attribute))
	return nil
}

func keyPath(dotted string) (keys []Value) {
	for part := range strings.SplitSeq(dotted, ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err == nil && strings.Trim(part, "0123456789") == "" {
			keys = append(keys, n)
			continue
		}
		keys = append(keys, part)
	}
	return keys
}

// follow goes down a path; where otherwise is not None it stands for what is not
// there.
func (r *run) follow(v Value, path []Value, otherwise Value) Value {
	for _, key := range path {
		v = r.item(v, key)
		if _, ok := v.(*Undefined); ok && otherwise != nil {
			v = otherwise
		}
	}
	return v
}

func joinFilter(r *run, value Value, c *call) Value {
	between, attribute := r.str(c.optional("d", "")), c.optional("attribute", nil)
	c.done()
	path := r.path(attribute, c)
	var parts []string
	for _, item := range r.iterate(value) {
		part := r.str(r.follow(item, path, nil))
		r.take(len(part) + len(between))
		parts = append(parts, part)
	}
	return strings.Join(parts, between)
}

func mapFilter(r *run, value Value, c *call) Value {
	if !r.truth(value) {
		return &generator{}
	}
	out := &generator{}
	attribute, named := c.named.Get("attribute")
	switch {
	case len(c.args) == 0 && named:
		c.optional("attribute", nil)
		otherwise := c.optional("default", nil)
		c.done()
		path := r.path(attribute, c)
		for _, item := range r.iterate(value) {
			out.items = append(out.items, r.follow(item, path, otherwise))
		}
	case len(c.args) == 0:
		r.fail("map requires a filter argument")
	default:
		name := c.text(c.args[0])
		for _, item := range r.iterate(value) {
			out.items = append(out.items, r.filter(name, item, c.args[1:], c.named))
		}
	}
	return out
}

// selecting is select and selectattr, or what they leave.
func selecting(keep, attributes bool) filter {
	return func(r *run, value Value, c *call) Value {
		out := &generator{}
		if !r.truth(value) {
			return out
		}
		var path []Value
		args := c.args
		if attributes {
			if len(args) == 0 {
				r.fail("missing parameter for attribute name")
			}
			path, args = r.path(args[0], c), args[1:]
		}
		for _, item := range r.iterate(value) {
			at := r.follow(item, path, nil)
			holds := false
			if len(args) == 0 {
				holds = r.truth(at)
			} else {
				holds = r.truth(r.test(c.text(args[0]), at, args[1:], c.named))
			}
			if holds == keep {
				out.items = append(out.items, item)
			}
		}
		return out
	}
}

// folded is what sorting without case compares.
func folded(v Value, caseSensitive bool) Value {
	if text, ok := v.(string); ok && !caseSensitive {
		return lower(text)
	}
	return v
}

// sorted orders by keys, and keeps what is equal in its order.
func (r *run) sorted(items []Value, key func(Value) Value, backwards bool) []Value {
	type keyed struct{ key, item Value }
	all := make([]keyed, len(items))
	for i, item := range items {
		all[i] = keyed{key(item), item}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		order := 0
		switch {
		case r.compare("<", a.key, b.key):
			order = -1
		case r.compare("<", b.key, a.key):
			order = 1
		}
		if backwards {
			return -order
		}
		return order
	})
	out := make([]Value, len(all))
	for i, k := range all {
		out[i] = k.item
	}
	return out
}

func sortFilter(r *run, value Value, c *call) Value {
	backwards, sensitive := c.integer(c.optional("reverse", false)) != 0, r.truth(c.optional("case_sensitive", false))
	attribute := c.optional("attribute", nil)
	c.done()
	paths := [][]Value{r.path(attribute, c)}
	if text, ok := attribute.(string); ok {
		paths = nil
		for part := range strings.SplitSeq(text, ",") {
			paths = append(paths, keyPath(part))
		}
	}
	return &List{r.sorted(r.iterate(value), func(item Value) Value {
		keys := &List{}
		for _, path := range paths {
			keys.Items = append(keys.Items, folded(r.follow(item, path, nil), sensitive))
		}
		return keys
	}, backwards)}
}

func dictSort(r *run, value Value, c *call) Value {
	sensitive, by, backwards := r.truth(c.optional("case_sensitive", false)), c.optional("by", "key"), c.integer(c.optional("reverse", false)) != 0
	c.done()
	at := map[Value]int{"key": 0, "value": 1}
	place, ok := at[by]
	if !ok {
		r.fail(`you can only sort by either "key" or "value"`)
	}
	d, ok := value.(*Dict)
	if !ok {
		r.defined(value)
		r.fail("'%s' object has no attribute 'items'", typeName(value))
	}
	return &List{r.sorted(r.pairs(d), func(pair Value) Value { return folded(pair.(*Tuple).Items[place], sensitive) }, backwards)}
}

func unique(r *run, value Value, c *call) Value {
	sensitive, attribute := r.truth(c.optional("case_sensitive", false)), c.optional("attribute", nil)
	c.done()
	path, seen, out := r.path(attribute, c), NewDict(), &generator{}
	for _, item := range r.iterate(value) {
		key := folded(r.follow(item, path, nil), sensitive)
		r.hashable(key)
		if _, ok := seen.find(key); !ok {
			seen.put(key, true)
			out.items = append(out.items, item)
		}
	}
	return out
}

// extreme is min (−1) or max (1): the first of several that are equal.
func extreme(sign int) filter {
	return func(r *run, value Value, c *call) Value {
		sensitive, attribute := r.truth(c.optional("case_sensitive", false)), c.optional("attribute", nil)
		c.done()
		items, path := r.iterate(value), r.path(attribute, c)
		if len(items) == 0 {
			return undefined("No aggregated item, sequence was empty.")
		}
		key := func(item Value) Value { return folded(r.follow(item, path, nil), sensitive) }
		best, op := 0, map[int]string{-1: "<", 1: ">"}[sign]
		for i := range items[1:] {
			if r.compare(op, key(items[i+1]), key(items[best])) {
				best = i + 1
			}
		}
		return items[best]
	}
}

func sum(r *run, value Value, c *call) Value {
	attribute, total := c.optional("attribute", nil), c.optional("start", int64(0))
	c.done()
	path := r.path(attribute, c)
	if _, ok := total.(string); ok {
		r.fail("sum() can't sum strings [use ''.join(seq) instead]")
	}
	for _, item := range r.iterate(value) {
		total = r.operate("+", total, r.follow(item, path, nil))
	}
	return total
}

func batch(r *run, value Value, c *call) Value {
	n, fill := c.integer(c.required("linecount")), c.optional("fill_with", nil)
	c.done()
	out, part := &generator{}, []Value{}
	for _, item := range r.iterate(value) {
		if len(part) == n {
			out.items = append(out.items, &List{part})
			part = nil
		}
		part = append(part, item)
	}
	if len(part) > 0 {
		if fill != nil {
			r.take(16 * max(0, n-len(part)))
			for len(part) < n {
				part = append(part, fill)
			}
		}
		out.items = append(out.items, &List{part})
	}
	return out
}

func sliceFilter(r *run, value Value, c *call) Value {
	n, fill := c.integer(c.required("slices")), c.optional("fill_with", nil)
	c.done()
	all, out := r.iterate(value), &generator{}
	if n == 0 {
		r.fail("integer division or modulo by zero")
	}
	r.take(64 * min(max(0, n), math.MaxInt/64))
	at := 0
	for i := range n {
		size := len(all) / n
		if i < len(all)%n {
			size++
		}
		part := slices.Clone(all[at : at+size])
		at += size
		if fill != nil && i >= len(all)%n {
			part = append(part, fill)
		}
		out.items = append(out.items, &List{part})
	}
	return out
}

// groupBy gives named tuples: what the items of a group have in common, and them.
func groupBy(r *run, value Value, c *call) Value {
	path, otherwise := r.path(c.required("attribute"), c), c.optional("default", nil)
	sensitive := r.truth(c.optional("case_sensitive", false))
	c.done()
	key := func(item Value) Value { return folded(r.follow(item, path, otherwise), sensitive) }
	out := &List{}
	var before Value
	for _, item := range r.sorted(r.iterate(value), key, false) {
		k := key(item)
		if n := len(out.Items); n > 0 && r.equal(k, before) {
			group := out.Items[n-1].(*Tuple).Items[1].(*List)
			group.Items = append(group.Items, item)
			continue
		}
		before = k
		out.Items = append(out.Items, &Tuple{Items: []Value{r.follow(item, path, otherwise), &List{[]Value{item}}}, names: []string{"grouper", "list"}})
	}
	return out
}
