package jinja

// forNode is a loop. Each round has variables of its own.
type forNode struct {
	line
	target          *target
	over, test      expr
	recursive       bool
	body, otherwise []node
}

func (n *forNode) exec(r *run, s *scope, out *output) string {
	r.line = n.number
	return n.rounds(r, s, out, n.over.eval(r, s), 0)
}

// rounds goes over a value's items, depth loops within itself.
func (n *forNode) rounds(r *run, s *scope, out *output, over Value, depth int) string {
	items := n.kept(r, s, r.iterate(over))
	l := &loop{items: items, depth: depth}
	if n.recursive {
		l.again = &Func{Name: "loop", call: func(r *run, args []Value, named *Dict) Value {
			defer r.enter()()
			if len(args) != 1 || len(named.entries) > 0 {
				r.fail("loop takes one value to go over")
			}
			inner := &output{run: r}
			n.rounds(r, s, inner, args[0], depth+1)
			return inner.String()
		}}
	}
	ended := false // whether any round came to its end: else is of loops without one
	for i, item := range items {
		r.step(1)
		round := s.inner()
		l.at = i
		round.vars["loop"] = l
		n.target.assign(r, round, item)
		jump := r.exec(n.body, round, out)
		if jump == "break" {
			break
		}
		ended = ended || jump == ""
	}
	if !ended {
		return r.exec(n.otherwise, s.inner(), out)
	}
	return ""
}

// kept are the items that the loop's test holds for.
func (n *forNode) kept(r *run, s *scope, items []Value) []Value {
	if n.test == nil {
		return items
	}
	var kept []Value
	for _, item := range items {
		r.step(1)
		round := s.inner()
		n.target.assign(r, round, item)
		if r.truth(n.test.eval(r, round)) {
			kept = append(kept, item)
		}
	}
	return kept
}

// loop is what a body sees as loop.
type loop struct {
	items   []Value
	at      int
	depth   int
	again   *Func
	changed []Value // what changed was called with last
	asked   bool
}

func (l *loop) attribute(name string) (Value, bool) {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.at + 1), true
	case "index0":
		return int64(l.at), true
	case "revindex":
		return int64(n - l.at), true
	case "revindex0":
		return int64(n - l.at - 1), true
	case "first":
		return l.at == 0, true
	case "last":
		return l.at == n-1, true
	case "length":
		return int64(n), true
	case "depth":
		return int64(l.depth + 1), true
	case "depth0":
		return int64(l.depth), true
	case "previtem":
		if l.at == 0 {
			return undefined("there is no previous item"), true
		}
		return l.items[l.at-1], true
	case "nextitem":
		if l.at == n-1 {
			return undefined("there is no next item"), true
		}
		return l.items[l.at+1], true
	case "cycle":
		return &Func{Name: "cycle", call: l.cycle}, true
	case "changed":
		return &Func{Name: "changed", call: l.hasChanged}, true
	}
	return nil, false
}

func (l *loop) cycle(r *run, args []Value, named *Dict) Value {
	if len(args) == 0 || len(named.entries) > 0 {
		r.fail("no items for cycling given")
	}
	return args[l.at%len(args)]
}

func (l *loop) hasChanged(r *run, args []Value, _ *Dict) Value {
	same := l.asked && r.equal(&Tuple{Items: l.changed}, &Tuple{Items: args})
	l.changed, l.asked = args, true
	return !same
}
