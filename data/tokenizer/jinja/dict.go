package jinja

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
)

// Dict is Python's dict: keys in their order.
type Dict struct {
	entries []entry
	index   map[any]int // of an entry, by what keyOf gives
}

type entry struct{ key, value Value }

// NewDict is empty.
func NewDict() *Dict { return &Dict{index: map[any]int{}} }

// Set puts a value under a key.
func (d *Dict) Set(key string, v Value) { d.put(key, v) }

// Get gives the value under a key.
func (d *Dict) Get(key string) (Value, bool) { return d.find(key) }

// Keys are those that are texts.
func (d *Dict) Keys() (keys []string) {
	for _, e := range d.entries {
		if key, ok := e.key.(string); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func (d *Dict) put(key, v Value) {
	k := keyOf(key)
	if i, ok := d.index[k]; ok {
		d.entries[i].value = v
		return
	}
	d.index[k] = len(d.entries)
	d.entries = append(d.entries, entry{key, v})
}

func (d *Dict) find(key Value) (Value, bool) {
	i, ok := d.index[keyOf(key)]
	if !ok {
		return nil, false
	}
	return d.entries[i].value, true
}

func (d *Dict) remove(key Value) {
	i, ok := d.index[keyOf(key)]
	if !ok {
		return
	}
	d.entries = slices.Delete(d.entries, i, i+1)
	delete(d.index, keyOf(key))
	for k, at := range d.index {
		if at > i {
			d.index[k] = at - 1
		}
	}
}

func (d *Dict) keys() []Value {
	keys := make([]Value, len(d.entries))
	for i, e := range d.entries {
		keys[i] = e.key
	}
	return keys
}

func (d *Dict) copied() *Dict {
	out := NewDict()
	for _, e := range d.entries {
		out.put(e.key, e.value)
	}
	return out
}

// hashable fails on what cannot be a key.
func (r *run) hashable(v Value) {
	switch v := v.(type) {
	case *List, *Dict, *view:
		r.fail("unhashable type: '%s'", typeName(v))
	case *Tuple:
		defer r.enter()()
		for _, item := range v.Items {
			r.hashable(item)
		}
	default:
		r.weigh(v)
	}
	r.step(1)
}

// keyOf is the same for keys that Python holds for equal: 1, 1.0 and True are.
func keyOf(v Value) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<62 {
			return int64(v)
		}
		return v
	case *big.Int:
		return "int " + v.String()
	case *markup:
		return "str " + v.text
	case string:
		return "str " + v
	case *Undefined:
		return "undefined"
	case *Tuple:
		parts := make([]string, len(v.Items))
		for i, item := range v.Items {
			parts[i] = fmt.Sprintf("%T %[1]v", keyOf(item))
			parts[i] = fmt.Sprint(len(parts[i]), parts[i])
		}
		return "tuple " + strings.Join(parts, ",")
	}
	return v // nil, int64, and what is only equal to itself
}
