package jinja

import (
	"slices"
	"strings"
)

// parser follows jinja2's parser.py.
type parser struct {
	tokens []token
	at     int
	depth  int // of nested statements and expressions
	loops  int // that break and continue may leave
	fors   int // around, macros between or not
	soft   int // within a branch, where jinja2 looks filters and tests up when they are reached
	// unknown are those that it does not know elsewhere.
	unknown []error
}

// maxNesting bounds statements and expressions in one another: Python's own
// compiler gives up at about a hundred.
const maxNesting = 100

func parse(source string) []node {
	p := &parser{tokens: lex(source)}
	body := p.statements()
	if len(p.unknown) > 0 {
		panic(p.unknown[0])
	}
	return body
}

// lookUp notes a filter or test that is not there.
func (p *parser) lookUp(known bool, kind, name string) {
	if !known && p.soft == 0 {
		p.unknown = append(p.unknown, syntaxError(p.current().line, "no %s named '%s'", kind, name))
	}
}

func (p *parser) current() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

func (p *parser) fail(format string, args ...any) {
	panic(syntaxError(p.current().line, format, args...))
}

// is tells whether the current token is that operator or name.
func (p *parser) is(kind tokenKind, texts ...string) bool {
	t := p.current()
	return t.kind == kind && slices.Contains(texts, t.text)
}

func (p *parser) skip(kind tokenKind, text string) bool {
	if p.is(kind, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(kind tokenKind, text string) {
	if !p.skip(kind, text) {
		p.fail("expected '%s', got %v", text, p.current())
	}
}

func (p *parser) name() string {
	t := p.next()
	if t.kind != nameToken {
		p.at--
		p.fail("expected a name, got %v", t)
	}
	return t.text
}

// enter bounds the nesting; its result leaves.
func (p *parser) enter() func() {
	if p.depth++; p.depth > maxNesting {
		p.fail("more than %d statements or expressions in one another", maxNesting)
	}
	return func() { p.depth-- }
}

// statements read up to a tag that ends what is open, one of ends, which stays,
// or to the end of the template.
func (p *parser) statements(ends ...string) (body []node) {
	defer p.enter()()
	for {
		switch t := p.current(); t.kind {
		case endToken:
			if len(ends) > 0 {
				p.fail("the template ends within a tag that wants %s", strings.Join(ends, " or "))
			}
			return body
		case textToken:
			p.at++
			body = append(body, &textNode{text: t.text})
		default:
			p.at++
			if t.text == "{{" {
				body = append(body, &printNode{line: line{t.line}, values: []expr{p.tuple(true)}})
				p.expect(closeToken, "}}")
				continue
			}
			if p.current().kind == nameToken && slices.Contains(ends, p.current().text) {
				return body
			}
			body = append(body, p.statement())
			p.expect(closeToken, "%}")
		}
	}
}

// until reads a body and the tag that ends it, and gives that tag's name.
func (p *parser) until(ends ...string) (body []node, end string) {
	p.skip(operatorToken, ":") // as in Python
	p.expect(closeToken, "%}")
	body = p.statements(ends...)
	return body, p.next().text
}

func (p *parser) statement() node {
	at := line{p.current().line}
	switch tag := p.name(); tag {
	case "for":
		return p.forTag(at)
	case "if":
		return p.ifTag(at)
	case "set":
		return p.setTag(at)
	case "macro":
		n := &macroNode{line: at, name: p.assignable()}
		n.parameters(p)
		p.macroBody(n, "endmacro")
		return n
	case "call":
		return p.callTag(at)
	case "filter":
		n := &filterBlock{value: p.filters(&blockValue{}, true)}
		n.body = p.inner("endfilter")
		return n
	case "with":
		return p.withTag(at)
	case "generation": // transformers': what the assistant wrote
		n := &callNode{line: at, call: &callExpr{line: at, callee: &constant{value: passThrough}}, macro: &macroNode{line: at, name: "caller"}}
		p.macroBody(n.macro, "endgeneration")
		return n
	case "break", "continue":
		if p.loops == 0 {
			p.fail("'%s' outside of a loop", tag)
		}
		return &jumpNode{tag}
	case "print":
		n := &printNode{line: at}
		for !p.is(closeToken, "%}") {
			if len(n.values) > 0 {
				p.expect(operatorToken, ",")
			}
			n.values = append(n.values, p.expression())
		}
		return n
	case "include", "import", "from", "extends", "block", "autoescape":
		panic(syntaxError(at.number, "the tag '%s' is not supported here", tag))
	default:
		panic(syntaxError(at.number, "unknown tag '%s'", tag))
	}
}

// inner is a body that is no branch of an if.
func (p *parser) inner(end string) []node {
	soft := p.soft
	p.soft = 0
	body, _ := p.until(end)
	p.soft = soft
	return body
}

// macroBody reads the body of what is called: no loop around it can be left from
// within.
func (p *parser) macroBody(n *macroNode, end string) {
	loops, from := p.loops, p.at
	p.loops = 0
	n.body = p.inner(end)
	p.loops = loops
	n.uses = map[string]bool{}
	for i, t := range p.tokens[from:p.at] {
		if before := p.tokens[from+i-1]; t.kind == nameToken && (before.kind != operatorToken || before.text != ".") {
			n.uses[t.text] = true
		}
	}
	if at := slices.Index(n.params, "caller"); n.uses["caller"] && at >= 0 && at < len(n.params)-len(n.defaults) {
		p.fail("the argument caller must be left out or given a default")
	}
	for _, name := range n.params {
		delete(n.uses, name) // the parameter is used
	}
}

func (p *parser) forTag(at line) node {
	p.fors++
	defer func() { p.fors-- }()
	n := &forNode{line: at, target: p.assigned(false)}
	p.expect(nameToken, "in")
	n.over = p.tuple(false)
	if p.skip(nameToken, "if") {
		n.test = p.expression()
	}
	n.recursive = p.skip(nameToken, "recursive")
	soft := p.soft
	p.soft = 0
	p.loops++
	body, end := p.until("endfor", "else")
	p.loops--
	n.body = body
	if end == "else" {
		n.otherwise, _ = p.until("endfor")
	}
	p.soft = soft
	return n
}

func (p *parser) ifTag(at line) node {
	p.soft++
	defer func() { p.soft-- }()
	n := &ifNode{line: at, test: p.tuple(false)}
	body, end := p.until("elif", "else", "endif")
	n.body = body
	switch end {
	case "elif":
		n.otherwise = []node{p.ifTag(line{p.current().line})}
	case "else":
		n.otherwise, _ = p.until("endif")
	}
	return n
}

func (p *parser) setTag(at line) node {
	n := &setNode{line: at, target: p.assigned(true)}
	if p.skip(operatorToken, "=") {
		n.value = p.tuple(true)
		return n
	}
	n.value = p.filters(&blockValue{}, false)
	n.body, n.block = p.inner("endset"), true
	return n
}

func (p *parser) callTag(at line) node {
	n := &callNode{line: at, macro: &macroNode{line: at, name: "caller"}}
	if p.is(operatorToken, "(") {
		n.macro.parameters(p)
	}
	call, ok := p.expression().(*callExpr)
	if !ok {
		p.fail("expected a call")
	}
	n.call = call
	p.macroBody(n.macro, "endcall")
	return n
}

func (p *parser) withTag(at line) node {
	n := &withNode{line: at}
	for !p.is(closeToken, "%}") {
		if len(n.targets) > 0 {
			p.expect(operatorToken, ",")
		}
		n.targets = append(n.targets, p.target(false))
		p.expect(operatorToken, "=")
		n.values = append(n.values, p.expression())
	}
	n.body = p.inner("endwith")
	return n
}

// assigned is the target of a for or a set: within a loop, loop is none.
func (p *parser) assigned(namespaces bool) *target {
	t := p.target(namespaces)
	if p.fors > 0 && t.names("loop") {
		p.fail("can't assign to special loop variable in a for loop")
	}
	return t
}

// target is what is assigned to: a name, several that are unpacked, and in a set
// an attribute of a namespace.
func (p *parser) target(namespaces bool) *target {
	at := line{p.current().line}
	var parts []*target
	several := false
	for len(parts) == 0 || several && !p.is(operatorToken, ")") && p.current().kind != closeToken {
		if p.skip(operatorToken, "(") {
			parts = append(parts, p.target(false))
			p.expect(operatorToken, ")")
		} else {
			part := &target{line: at, name: p.assignable()}
			if namespaces && p.skip(operatorToken, ".") {
				part.attribute = p.name()
			}
			parts = append(parts, part)
		}
		if !p.skip(operatorToken, ",") {
			break
		}
		several = true
	}
	if !several {
		return parts[0]
	}
	return &target{line: at, parts: parts}
}

// assignable is a name that can be assigned to.
func (p *parser) assignable() string {
	if p.is(nameToken, "true", "false", "none", "True", "False", "None") {
		p.fail("can't assign to '%s'", p.current().text)
	}
	return p.name()
}

// parameters reads a macro's, in brackets.
func (n *macroNode) parameters(p *parser) {
	p.expect(operatorToken, "(")
	for !p.is(operatorToken, ")") {
		if len(n.params) > 0 {
			p.expect(operatorToken, ",")
		}
		name := p.assignable()
		if slices.Contains(n.params, name) {
			p.fail("duplicate argument '%s'", name)
		}
		n.params = append(n.params, name)
		switch {
		case p.skip(operatorToken, "="):
			n.defaults = append(n.defaults, p.expression())
		case len(n.defaults) > 0:
			p.fail("non-default argument follows default argument")
		}
	}
	p.expect(operatorToken, ")")
}
