package jinja

import (
	"slices"
	"strings"
)

func (p *parser) call(callee expr) *callExpr {
	n := &callExpr{line: line{p.current().line}, callee: callee}
	n.arguments = p.arguments()
	return n
}

func (p *parser) arguments() (a arguments) {
	p.expect(operatorToken, "(")
	p.separated(")", func() {
		switch {
		case p.skip(operatorToken, "*"):
			if a.rest != nil || a.named != nil {
				p.fail("invalid syntax for a call")
			}
			a.rest = p.expression()
		case p.skip(operatorToken, "**"):
			if a.named != nil {
				p.fail("invalid syntax for a call")
			}
			a.named = p.expression()
		case a.named != nil:
			p.fail("invalid syntax for a call")
		case p.current().kind == nameToken && p.tokens[p.at+1].kind == operatorToken && p.tokens[p.at+1].text == "=":
			name := p.name()
			p.at++
			if slices.Contains(a.keys, name) {
				p.fail("keyword argument repeated: %s", name)
			}
			a.keys, a.values = append(a.keys, name), append(a.values, p.expression())
		default:
			if len(a.keys) > 0 || a.rest != nil {
				p.fail("invalid syntax for a call")
			}
			a.positional = append(a.positional, p.expression())
		}
	})
	return a
}

// filters reads |name(…) after a value; bare says that the first comes without |.
func (p *parser) filters(value expr, bare bool) expr {
	for bare || p.skip(operatorToken, "|") {
		bare = false
		n := &applied{line: line{p.current().line}, value: value, name: p.dotted(), apply: (*run).filter}
		p.lookUp(filters[n.name] != nil, "filter", n.name)
		if p.is(operatorToken, "(") {
			n.arguments = p.arguments()
		}
		value = n
	}
	return value
}

func (p *parser) dotted() string {
	name := []string{p.name()}
	for p.skip(operatorToken, ".") {
		name = append(name, p.name())
	}
	return strings.Join(name, ".")
}

func (p *parser) test(value expr) expr {
	at := line{p.next().line}
	not := p.skip(nameToken, "not")
	n := &applied{line: at, value: value, name: p.dotted(), apply: (*run).test}
	p.lookUp(tests[n.name] != nil, "test", n.name)
	t := p.current()
	switch {
	case p.is(operatorToken, "("):
		n.arguments = p.arguments()
	case (t.kind == nameToken || t.kind == stringToken || t.kind == intToken || t.kind == floatToken || p.is(operatorToken, "[", "{")) &&
		!p.is(nameToken, "else", "or", "and"):
		if p.is(nameToken, "is") {
			p.fail("you cannot chain multiple tests with is")
		}
		n.positional = []expr{p.postfix(p.primary())}
	}
	if not {
		return &negation{n}
	}
	return n
}
