package jinja

import "strings"

// expr is an expression.
type expr interface {
	eval(r *run, s *scope) Value
}

type constant struct{ value Value }

func (n *constant) eval(*run, *scope) Value { return n.value }

type variable struct {
	line
	name string
}

func (n *variable) eval(r *run, s *scope) Value {
	r.step(1)
	return s.get(n.name)
}

type listExpr struct{ items []expr }

func (n *listExpr) eval(r *run, s *scope) Value { return &List{evaluated(r, s, n.items)} }

type tupleExpr struct{ items []expr }

func (n *tupleExpr) eval(r *run, s *scope) Value { return &Tuple{Items: evaluated(r, s, n.items)} }

func evaluated(r *run, s *scope, items []expr) []Value {
	r.step(len(items))
	values := make([]Value, len(items))
	for i, item := range items {
		values[i] = item.eval(r, s)
	}
	return values
}

type dictExpr struct {
	line
	keys, values []expr
}

func (n *dictExpr) eval(r *run, s *scope) Value {
	d := NewDict()
	for i, key := range n.keys {
		k := key.eval(r, s)
		r.line = n.number
		r.hashable(k)
		d.put(k, n.values[i].eval(r, s))
	}
	return d
}

// conditional is a if test else b; without else it is undefined.
type conditional struct{ test, value, otherwise expr }

func (n *conditional) eval(r *run, s *scope) Value {
	switch {
	case r.truth(n.test.eval(r, s)):
		return n.value.eval(r, s)
	case n.otherwise != nil:
		return n.otherwise.eval(r, s)
	}
	return undefined("the inline if-expression evaluated to false and no else section was defined")
}

// logical is and, or: the operand that decides.
type logical struct {
	left, right expr
	or          bool
}

func (n *logical) eval(r *run, s *scope) Value {
	left := n.left.eval(r, s)
	if r.truth(left) == n.or {
		return left
	}
	return n.right.eval(r, s)
}

type negation struct{ value expr }

func (n *negation) eval(r *run, s *scope) Value { return !r.truth(n.value.eval(r, s)) }

// comparison is a chain: a < b < c holds where both do.
type comparison struct {
	line
	first  expr
	ops    []string
	others []expr
}

func (n *comparison) eval(r *run, s *scope) Value {
	left := n.first.eval(r, s)
	for i, op := range n.ops {
		right := n.others[i].eval(r, s)
		r.line = n.number
		if !r.compare(op, left, right) {
			return false
		}
		left = right
	}
	return true
}

type binary struct {
	line
	op          string
	left, right expr
}

func (n *binary) eval(r *run, s *scope) Value {
	left := n.left.eval(r, s)
	right := n.right.eval(r, s)
	r.line = n.number
	r.step(1)
	return r.operate(n.op, left, right)
}

type sign struct {
	line
	minus bool
	value expr
}

func (n *sign) eval(r *run, s *scope) Value {
	v := n.value.eval(r, s)
	r.line = n.number
	op := "+"
	if n.minus {
		op = "-"
	}
	r.defined(v)
	if !isNumber(v) {
		r.fail("bad operand type for unary %s: '%s'", op, typeName(v))
	}
	if x, ok := v.(float64); ok && n.minus {
		return -x // of 0.0 too
	}
	return r.operate(op, int64(0), v)
}

// concatenation is a ~ b: str of each.
type concatenation struct{ parts []expr }

func (n *concatenation) eval(r *run, s *scope) Value {
	var out strings.Builder
	for _, part := range n.parts {
		text := r.str(part.eval(r, s))
		r.take(len(text))
		out.WriteString(text)
	}
	return out.String()
}

type attribute struct {
	line
	of   expr
	name string
}

func (n *attribute) eval(r *run, s *scope) Value {
	of := n.of.eval(r, s)
	r.line = n.number
	return r.attribute(of, n.name)
}

type item struct {
	line
	of, key expr
}

func (n *item) eval(r *run, s *scope) Value {
	of, key := n.of.eval(r, s), n.key.eval(r, s)
	r.line = n.number
	return r.item(of, key)
}

type slice struct {
	line
	of     expr
	bounds [3]expr
}

func (n *slice) eval(r *run, s *scope) Value {
	of := n.of.eval(r, s)
	var bounds [3]Value
	for i, bound := range n.bounds {
		if bound != nil {
			bounds[i] = bound.eval(r, s)
		}
	}
	r.line = n.number
	return r.slice(of, bounds)
}

// arguments are those of a call: named are keyword ones, rest and named what * and
// ** stand before.
type arguments struct {
	positional  []expr
	keys        []string
	values      []expr
	rest, named expr
}

func (a *arguments) evaluate(r *run, s *scope) (args []Value, named *Dict) {
	args, named = evaluated(r, s, a.positional), NewDict()
	for i, key := range a.keys {
		named.Set(key, a.values[i].eval(r, s))
	}
	if a.rest != nil {
		args = append(args, r.iterate(a.rest.eval(r, s))...)
	}
	if a.named != nil {
		more, ok := a.named.eval(r, s).(*Dict)
		if !ok {
			r.fail("argument after ** must be a mapping")
		}
		for _, e := range more.entries {
			name, ok := e.key.(string)
			if _, twice := named.Get(name); twice || !ok {
				r.fail("keywords must be strings, each once: %s", r.repr(e.key))
			}
			named.put(e.key, e.value)
		}
	}
	return args, named
}

type callExpr struct {
	line
	arguments
	callee expr
}

func (n *callExpr) eval(r *run, s *scope) Value { return n.with(r, s, nil) }

// with calls, with a caller where there is one.
func (n *callExpr) with(r *run, s *scope, caller *Func) Value {
	callee := n.callee.eval(r, s)
	args, named := n.evaluate(r, s)
	if caller != nil {
		named.Set("caller", caller)
	}
	r.line = n.number
	r.step(1)
	r.defined(callee)
	if l, ok := callee.(*loop); ok && l.again != nil {
		callee = l.again
	}
	f, ok := callee.(*Func)
	if !ok {
		r.fail("'%s' object is not callable", typeName(callee))
	}
	return f.call(r, args, named)
}

// applied is value|name(…) or value is name(…): apply is the run's filter or test.
type applied struct {
	line
	arguments
	value expr
	name  string
	apply func(r *run, name string, value Value, args []Value, named *Dict) Value
}

func (n *applied) eval(r *run, s *scope) Value {
	value := n.value.eval(r, s)
	args, named := n.evaluate(r, s)
	r.line = n.number
	return n.apply(r, n.name, value, args, named)
}
