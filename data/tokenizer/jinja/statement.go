package jinja

import (
	"slices"
	"strings"
)

// node is a statement. exec gives "break" or "continue" where one of these
// leaves it.
type node interface {
	exec(r *run, s *scope, out *output) (jump string)
}

// line is where a node stands.
type line struct{ number int }

// output is text that is being written, within the run's budget.
type output struct {
	strings.Builder
	run *run
}

func (o *output) write(text string) {
	o.run.take(len(text))
	o.WriteString(text)
}

// exec runs statements one after another, up to a jump.
func (r *run) exec(body []node, s *scope, out *output) string {
	for _, n := range body {
		r.step(1)
		if jump := n.exec(r, s, out); jump != "" {
			return jump
		}
	}
	return ""
}

// captured is the text that statements write, in a scope of their own.
func (r *run) captured(body []node, s *scope) (text, jump string) {
	out := &output{run: r}
	jump = r.exec(body, s.inner(), out)
	return out.String(), jump
}

type textNode struct{ text string }

func (n *textNode) exec(_ *run, _ *scope, out *output) string {
	out.write(n.text)
	return ""
}

// printNode is {{ value }}, or {% print value, … %}.
type printNode struct {
	line
	values []expr
}

func (n *printNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	for _, value := range n.values {
		out.write(r.str(value.eval(r, s)))
	}
	return ""
}

type ifNode struct {
	line
	test            expr
	body, otherwise []node
}

func (n *ifNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	if r.truth(n.test.eval(r, s)) {
		return r.exec(n.body, s, out)
	}
	return r.exec(n.otherwise, s, out)
}

// jumpNode is {% break %} or {% continue %}.
type jumpNode struct{ kind string }

func (n *jumpNode) exec(*run, *scope, *output) string { return n.kind }

// target is what is assigned to: a name, an attribute of a namespace, or parts
// that a value is unpacked to.
type target struct {
	line
	name, attribute string
	parts           []*target
}

// names tells whether a name is assigned to.
func (t *target) names(name string) bool {
	return t.name == name && t.attribute == "" || slices.ContainsFunc(t.parts, func(part *target) bool { return part.names(name) })
}

func (t *target) assign(r *run, s *scope, v Value) {
	r.line = t.number
	switch {
	case t.parts != nil:
		items := r.iterate(v)
		if len(items) > len(t.parts) {
			r.fail("too many values to unpack (expected %d)", len(t.parts))
		}
		if len(items) < len(t.parts) {
			r.fail("not enough values to unpack (expected %d, got %d)", len(t.parts), len(items))
		}
		for i, part := range t.parts {
			part.assign(r, s, items[i])
		}
	case t.attribute != "":
		space, ok := s.get(t.name).(*namespace)
		if !ok {
			r.fail("cannot assign attribute on non-namespace object")
		}
		space.set(r, t.attribute, v)
	default:
		s.vars[t.name] = v
	}
}

// setNode is {% set target = value %}, or with block the text of its body
// through filters.
type setNode struct {
	line
	target *target
	value  expr
	body   []node
	block  bool
}

func (n *setNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	value, jump := s, ""
	if n.block {
		var text string
		if text, jump = r.captured(n.body, s); jump != "" {
			return jump // and what was written is lost, as in jinja2
		}
		value = s.inner()
		value.vars[blockName] = text
	}
	n.target.assign(r, s, n.value.eval(r, value))
	return jump
}

// filterBlock is {% filter … %}.
type filterBlock struct {
	value expr
	body  []node
}

func (n *filterBlock) exec(r *run, s *scope, out *output) string {
	text, jump := r.captured(n.body, s)
	if jump != "" {
		return jump
	}
	inner := s.inner()
	inner.vars[blockName] = text
	out.write(r.str(n.value.eval(r, inner)))
	return jump
}

// blockValue is the text of the block that filters are put on.
type blockValue struct{}

const blockName = " block" // no template can name it

func (*blockValue) eval(_ *run, s *scope) Value { return s.get(blockName) }

type withNode struct {
	line
	targets []*target
	values  []expr
	body    []node
}

func (n *withNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	inner := s.inner()
	values := make([]Value, len(n.values))
	for i, value := range n.values {
		values[i] = value.eval(r, s) // none sees the others
	}
	for i, t := range n.targets {
		t.assign(r, inner, values[i])
	}
	return r.exec(n.body, inner, out)
}

// macroNode defines what can be called.
type macroNode struct {
	line
	name     string
	params   []string
	defaults []expr // of the last parameters
	body     []node
	uses     map[string]bool // names in the body that are no parameters
}

func (n *macroNode) exec(r *run, s *scope, out *output) string {
	s.vars[n.name] = n.bound(s)
	return ""
}

// bound is the macro as a value: it sees the scope that it stands in.
func (n *macroNode) bound(s *scope) *Func {
	return &Func{Name: n.name, macro: true, call: func(r *run, args []Value, named *Dict) Value {
		defer r.enter()()
		inner := s.inner()
		n.bind(r, inner, args, named)
		out := &output{run: r}
		r.exec(n.body, inner, out)
		return out.String()
	}}
}

// bind gives the parameters their values, and varargs, kwargs and caller, which a
// body may read.
func (n *macroNode) bind(r *run, s *scope, args []Value, named *Dict) {
	rest := NewDict()
	for _, e := range named.entries {
		rest.put(e.key, e.value)
	}
	first := len(n.params) - len(n.defaults)
	var missing []int
	for i, name := range n.params {
		given, ok := rest.Get(name)
		switch {
		case i < len(args) && ok:
			r.fail("macro '%s' got multiple values for argument '%s'", n.name, name)
		case i < len(args):
			s.vars[name] = args[i]
		case ok:
			s.vars[name] = given
			rest.remove(name)
		default:
			missing = append(missing, i)
			s.vars[name] = undefined("parameter '%s' was not provided", name)
		}
	}
	for _, i := range missing {
		if i >= first {
			s.vars[n.params[i]] = n.defaults[i-first].eval(r, s)
		}
	}
	n.bindRest(r, s, args, rest)
}

func (n *macroNode) bindRest(r *run, s *scope, args []Value, rest *Dict) {
	if caller, ok := rest.Get("caller"); ok && n.uses["caller"] {
		s.vars["caller"] = caller
		rest.remove("caller")
	} else if n.uses["caller"] {
		s.vars["caller"] = undefined("No caller defined")
	}
	switch over := len(args) - len(n.params); {
	case n.uses["varargs"]:
		s.vars["varargs"] = &Tuple{Items: append([]Value{}, args[min(len(args), len(n.params)):]...)}
	case over > 0:
		r.fail("macro '%s' takes not more than %d argument(s)", n.name, len(n.params))
	}
	switch {
	case n.uses["kwargs"]:
		s.vars["kwargs"] = rest
	case len(rest.entries) > 0:
		r.fail("macro '%s' takes no keyword argument '%s'", n.name, r.str(rest.entries[0].key))
	}
}

// callNode is {% call … %}: its body is the caller of a macro.
type callNode struct {
	line
	call  *callExpr
	macro *macroNode
}

func (n *callNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	out.write(r.str(n.call.with(r, s, n.macro.bound(s))))
	return ""
}

// passThrough gives the caller's text: the tag generation.
var passThrough = &Func{Name: "generation", call: func(r *run, _ []Value, named *Dict) Value {
	caller, _ := named.Get("caller")
	return caller.(*Func).call(r, nil, NewDict())
}}
