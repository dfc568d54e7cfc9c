package data

import "fmt"

// Context is what a row's chat template is given beside its messages, as JSON;
// "" for nothing.
type Context struct {
	Tools          string // a list of tools; "[]", a list without one, is not the same to a template
	TemplateKwargs string // an object of further variables
}

// Offered are the tools that a conversation has, "" for none: what a list
// without one is to whoever but a template reads it.
func (c Context) Offered() string {
	if c.Tools == "[]" {
		return ""
	}
	return c.Tools
}

// ContextFields are the fields that a context is read from: tools and
// chat_template_kwargs, each a value or its JSON as text.
type ContextFields struct{ tools, kwargs *Field }

// NewContextFields gives the fields as files name them.
func NewContextFields() *ContextFields {
	return &ContextFields{
		tools:  &Field{Name: "tools", Holds: HoldsAny, Optional: true},
		kwargs: &Field{Name: "chat_template_kwargs", Holds: HoldsAny, Optional: true},
	}
}

// Fields are the two; none of nil.
func (c *ContextFields) Fields() []*Field {
	if c == nil {
		return nil
	}
	return []*Field{c.tools, c.kwargs}
}

// Read reads the context of a row.
func (c *ContextFields) Read() (out Context, bad *Problem) {
	if c == nil {
		return out, nil
	}
	if out.Tools, bad = c.tools.json('['); bad != nil {
		return out, bad
	}
	out.TemplateKwargs, bad = c.kwargs.json('{')
	return out, bad
}

// json is the field's value as JSON that opens with a bracket; "" for null and
// for an object without members.
func (f *Field) json(opening byte) (string, *Problem) {
	c := &f.Cell
	if c.Absent() {
		return "", nil
	}
	sparse := f.Sparse
	if c.Kind == CellText {
		p := jsonParser{b: []byte(c.Text)}
		value := Cell{}
		if err := p.only(&value); err != nil {
			return "", f.Problem(ReasonWrongType, "text that is no JSON: at byte %d: %s", err.at, err.msg)
		}
		c, sparse = &value, false
	}
	if bad := cellCharacters(c, f.Column); bad != nil {
		return "", bad
	}
	text := string(appendJSON(nil, c, sparse))
	switch {
	case text == "null" || text == "{}" && opening == '{':
		return "", nil
	case text[0] != opening:
		return "", f.Problem(ReasonWrongType, "%s where a JSON value that opens with %c should be", c.describe(), opening)
	}
	return text, nil
}

// only reads a value with nothing after it.
func (p *jsonParser) only(value *Cell) *jsonError {
	p.space()
	if err := p.value(value); err != nil {
		return err
	}
	p.space()
	if p.i < len(p.b) {
		return p.fail("something follows the value")
	}
	return nil
}

// cellCharacters refuses what must never reach a tokenizer unseen, at any
// depth.
func cellCharacters(c *Cell, column string) *Problem {
	if bad := characters(c.Text, column); bad != nil {
		return bad
	}
	for i := range c.Items {
		if bad := cellCharacters(&c.Items[i], column); bad != nil {
			return bad
		}
	}
	for i := range c.Members {
		m := &c.Members[i]
		if bad := characters(m.Key, column); bad != nil {
			return bad
		}
		if bad := cellCharacters(&m.Value, column); bad != nil {
			bad.Detail = fmt.Sprintf("%s: %s", Clip(m.Key, 40), bad.Detail)
			return bad
		}
	}
	return nil
}
