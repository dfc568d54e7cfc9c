// Package jinja renders chat templates as transformers does: jinja2 3.1's
// ImmutableSandboxedEnvironment with trim_blocks, lstrip_blocks, loop controls,
// the tag generation, tojson, raise_exception and namespaces as
// transformers/utils/chat_template_utils.py has them.
//
// Values behave as Python's. Where jinja2 or Python raises, Render gives an
// error; what exists there and not here is an error that says so, and never
// another text. Autoescape is off.
package jinja

import (
	"errors"
	"fmt"
	"math/big"
)

// Template is a parsed template. It may be rendered by several goroutines at once.
type Template struct {
	body []node
}

// ErrBudget is what a rendering has in its chain that took more steps, memory or
// depth than a template may.
var ErrBudget = errors.New("the template does not end within its budget")

// failure is how errors travel from within a rendering or a parse to its edge.
type failure struct{ err error }

func syntaxError(line int, format string, args ...any) failure {
	return failure{fmt.Errorf("line %d: "+format, append([]any{line}, args...)...)}
}

func (f failure) Error() string { return f.err.Error() }

// caught turns a failure into an error; other panics go on.
func caught(err *error) {
	switch problem := recover().(type) {
	case nil:
	case failure:
		*err = problem.err
	default:
		panic(problem)
	}
}

// maxSource bounds a template's text: the longest of known models have 30 kB.
const maxSource = 1 << 20

// Parse reads a template's text.
func Parse(source string) (t *Template, err error) {
	defer caught(&err)
	if len(source) > maxSource {
		return nil, fmt.Errorf("%w: its text has %d bytes, more than %d", ErrBudget, len(source), maxSource)
	}
	return &Template{body: parse(source)}, nil
}

// Render gives the text of a template with these variables, which it does not
// change. It is an error to take more than the budget: steps and bytes that grow
// with the variables' size.
func (t *Template) Render(variables map[string]Value) (text string, err error) {
	defer caught(&err)
	r := newRun(variables)
	base := &scope{vars: globals, parent: nil}
	root := &scope{vars: map[string]Value{}, parent: &scope{vars: variables, parent: base}}
	out := &output{run: r}
	r.exec(t.body, root, out)
	return out.String(), nil
}

// Budgets of a rendering, and what they grow by for a byte of the variables. They
// are far above what a chat template takes, and low enough for a server.
const (
	maxSteps, stepsPerByte = 2_000_000, 1_000
	maxBytes, bytesPerByte = 64 << 20, 1_000
	maxDepth               = 200 // of macros and recursive loops in one another; Python gives up near it
)

// run is one rendering.
type run struct {
	steps, bytes int // left
	depth        int
	line         int // of what is evaluated
}

func newRun(variables map[string]Value) *run {
	size := 0
	for _, v := range variables {
		size += sizeOf(v)
	}
	return &run{steps: maxSteps + stepsPerByte*size, bytes: maxBytes + bytesPerByte*size}
}

// sizeOf is about how many bytes a variable holds.
func sizeOf(v Value) int {
	n := 8
	switch v := v.(type) {
	case string:
		n += len(v)
	case *List:
		for _, item := range v.Items {
			n += sizeOf(item)
		}
	case *Dict:
		for _, e := range v.entries {
			n += sizeOf(e.key) + sizeOf(e.value)
		}
	}
	return n
}

// step takes n steps from the budget.
func (r *run) step(n int) {
	if r.steps -= n; r.steps < 0 {
		r.fail("%w: more than %d steps", ErrBudget, maxSteps)
	}
}

// weigh takes steps for what a look at each value may cost: its length, and for
// tuples, which may share members, that of all within.
func (r *run) weigh(values ...Value) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			r.step(len(v) / 16)
		case *markup:
			r.step(len(v.text) / 16)
		case *List:
			r.step(len(v.Items) / 64)
		case *Dict:
			r.step(len(v.entries) / 64)
		case *Tuple:
			leave := r.enter()
			r.step(len(v.Items))
			r.weigh(v.Items...)
			leave()
		case *big.Int:
			r.step(v.BitLen() * v.BitLen() >> 16)
		}
	}
}

// take takes n bytes that are made from the budget, before they are.
func (r *run) take(n int) {
	if r.bytes -= n; r.bytes < 0 || n < 0 {
		r.fail("%w: more than %d MB of texts and lists", ErrBudget, maxBytes>>20)
	}
}

// enter goes one call deeper; its result comes back.
func (r *run) enter() func() {
	if r.depth++; r.depth > maxDepth {
		r.fail("%w: calls more than %d deep: maximum recursion depth exceeded", ErrBudget, maxDepth)
	}
	return func() { r.depth-- }
}

func (r *run) fail(format string, args ...any) {
	panic(syntaxError(r.line, format, args...))
}

// scope has the variables of a part of the template; those around it are seen
// from within and not changed.
type scope struct {
	vars   map[string]Value
	parent *scope
}

func (s *scope) inner() *scope { return &scope{vars: map[string]Value{}, parent: s} }

func (s *scope) get(name string) Value {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v
		}
	}
	return undefined("'%s' is undefined", name)
}
