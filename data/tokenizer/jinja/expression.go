package jinja

import (
	"math/big"
	"strconv"
)

// expression reads one, with its conditions. Each level binds stronger than the
// one before it.
func (p *parser) expression() expr {
	defer p.enter()()
	known := len(p.unknown)
	value := p.or()
	for p.is(nameToken, "if") {
		p.at++
		p.unknown = p.unknown[:known]
		p.soft++
		n := &conditional{value: value, test: p.or()}
		if p.skip(nameToken, "else") {
			n.otherwise = p.expression()
		}
		p.soft--
		value = n
	}
	return value
}

func (p *parser) or() expr {
	left := p.and()
	for p.skip(nameToken, "or") {
		left = &logical{left: left, right: p.and(), or: true}
	}
	return left
}

func (p *parser) and() expr {
	left := p.not()
	for p.skip(nameToken, "and") {
		left = &logical{left: left, right: p.not()}
	}
	return left
}

func (p *parser) not() expr {
	if p.skip(nameToken, "not") {
		defer p.enter()()
		return &negation{p.not()}
	}
	return p.comparison()
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">="}

func (p *parser) comparison() expr {
	at := line{p.current().line}
	n := &comparison{line: at, first: p.sum()}
	for {
		switch {
		case p.is(operatorToken, comparisons...):
			n.ops = append(n.ops, p.next().text)
		case p.skip(nameToken, "in"):
			n.ops = append(n.ops, "in")
		case p.is(nameToken, "not") && p.tokens[p.at+1].kind == nameToken && p.tokens[p.at+1].text == "in":
			p.at += 2
			n.ops = append(n.ops, "not in")
		case len(n.ops) == 0:
			return n.first
		default:
			return n
		}
		n.others = append(n.others, p.sum())
	}
}

func (p *parser) binary(operand func() expr, ops ...string) expr {
	left := operand()
	for p.is(operatorToken, ops...) {
		t := p.next()
		left = &binary{line: line{t.line}, op: t.text, left: left, right: operand()}
	}
	return left
}

func (p *parser) sum() expr { return p.binary(p.concatenation, "+", "-") }

func (p *parser) concatenation() expr {
	n := &concatenation{parts: []expr{p.product()}}
	for p.skip(operatorToken, "~") {
		n.parts = append(n.parts, p.product())
	}
	if len(n.parts) == 1 {
		return n.parts[0]
	}
	return n
}

func (p *parser) product() expr { return p.binary(p.power, "*", "/", "//", "%") }

func (p *parser) power() expr { return p.binary(func() expr { return p.unary(true) }, "**") }

func (p *parser) unary(filtered bool) expr {
	defer p.enter()()
	t := p.current()
	var value expr
	switch {
	case p.is(operatorToken, "-", "+"):
		p.at++
		value = &sign{line: line{t.line}, minus: t.text == "-", value: p.unary(false)}
	default:
		value = p.primary()
	}
	value = p.postfix(value)
	if filtered {
		value = p.filtered(value)
	}
	return value
}

func (p *parser) primary() expr {
	t := p.next()
	switch t.kind {
	case nameToken:
		switch t.text {
		case "true", "True":
			return &constant{value: true}
		case "false", "False":
			return &constant{value: false}
		case "none", "None":
			return &constant{}
		}
		return &variable{line: line{t.line}, name: t.text}
	case stringToken:
		text := t.text
		for p.current().kind == stringToken {
			text += p.next().text
		}
		return &constant{value: text}
	case intToken:
		n, _ := new(big.Int).SetString(t.text, 0)
		if n == nil { // 0_0 and the like
			n, _ = new(big.Int).SetString(t.text, 10)
		}
		return &constant{value: whole(n)}
	case floatToken:
		x, _ := strconv.ParseFloat(t.text, 64)
		return &constant{value: x}
	case operatorToken:
		switch t.text {
		case "(":
			value := p.tuple(true, ")")
			p.expect(operatorToken, ")")
			return value
		case "[":
			return &listExpr{p.items("]")}
		case "{":
			return p.dict(line{t.line})
		}
	}
	p.at = max(0, p.at-1)
	p.fail("unexpected %v", t)
	return nil
}

// tuple reads an expression, or several by commas as a tuple; conditions says
// whether it may have conditions. With an end it may be empty.
func (p *parser) tuple(conditions bool, end ...string) expr {
	one := p.or
	if conditions {
		one = p.expression
	}
	var items []expr
	comma := false
	for {
		if len(items) > 0 {
			if !p.skip(operatorToken, ",") {
				break
			}
			comma = true
		}
		if t := p.current(); t.kind == closeToken || p.is(operatorToken, ")") || !conditions && p.is(nameToken, "if", "recursive") {
			break
		}
		items = append(items, one())
	}
	switch {
	case len(items) == 1 && !comma:
		return items[0]
	case len(items) == 0 && len(end) == 0:
		p.fail("expected an expression, got %v", p.current())
	}
	return &tupleExpr{items}
}

func (p *parser) items(end string) (items []expr) {
	p.separated(end, func() { items = append(items, p.expression()) })
	return items
}

// separated reads what stands between commas, of which one may follow the last,
// up to the end and with it.
func (p *parser) separated(end string, one func()) {
	for !p.is(operatorToken, end) {
		one()
		if !p.is(operatorToken, end) {
			p.expect(operatorToken, ",")
		}
	}
	p.expect(operatorToken, end)
}

func (p *parser) dict(at line) expr {
	n := &dictExpr{line: at}
	p.separated("}", func() {
		n.keys = append(n.keys, p.expression())
		p.expect(operatorToken, ":")
		n.values = append(n.values, p.expression())
	})
	return n
}

func (p *parser) postfix(value expr) expr {
	for {
		switch {
		case p.is(operatorToken, ".", "["):
			value = p.subscript(value)
		case p.is(operatorToken, "("):
			value = p.call(value)
		default:
			return value
		}
	}
}

func (p *parser) filtered(value expr) expr {
	for {
		switch {
		case p.is(operatorToken, "|"):
			value = p.filters(value, false)
		case p.is(nameToken, "is"):
			value = p.test(value)
		case p.is(operatorToken, "("):
			value = p.call(value)
		default:
			return value
		}
	}
}

func (p *parser) subscript(value expr) expr {
	t := p.next()
	if t.text == "." {
		switch name := p.next(); name.kind {
		case nameToken:
			return &attribute{line: line{t.line}, of: value, name: name.text}
		case intToken:
			n, err := strconv.ParseInt(name.text, 0, 64)
			if err == nil {
				return &item{line: line{t.line}, of: value, key: &constant{value: n}}
			}
		}
		p.at--
		p.fail("expected a name or a number after '.'")
	}
	var keys []expr
	for !p.is(operatorToken, "]") {
		if len(keys) > 0 {
			p.expect(operatorToken, ",")
		}
		keys = append(keys, p.subscripted())
	}
	p.expect(operatorToken, "]")
	if len(keys) != 1 {
		for _, key := range keys {
			if s, ok := key.(*slice); ok && s.of == nil {
				p.fail("a slice beside another index")
			}
		}
		return &item{line: line{t.line}, of: value, key: &tupleExpr{keys}}
	}
	if s, ok := keys[0].(*slice); ok && s.of == nil {
		s.line, s.of = line{t.line}, value
		return s
	}
	return &item{line: line{t.line}, of: value, key: keys[0]}
}

// subscripted is an index, or a slice start:stop:step.
func (p *parser) subscripted() expr {
	var bounds [3]expr
	colons := 0
	for {
		switch {
		case p.is(operatorToken, ":"):
			if colons++; colons > 2 {
				p.fail("unexpected ':'")
			}
			p.at++
		case p.is(operatorToken, "]", ","):
			if colons == 0 {
				p.fail("expected an index, got %v", p.current())
			}
			return &slice{bounds: bounds}
		case bounds[colons] != nil:
			p.fail("expected ':' or ']', got %v", p.current())
		default:
			bounds[colons] = p.expression()
			if colons == 0 && !p.is(operatorToken, ":") {
				return bounds[0]
			}
		}
	}
}
