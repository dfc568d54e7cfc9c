package data

import (
	"strconv"
	"strings"
)

// CellKind is what one value of a row turned out to be.
type CellKind uint8

// The kinds of values.
const (
	CellMissing  CellKind = iota // the row has no such column
	CellNull                     // of a column: nothing but nulls are known of it
	CellText                     //
	CellNumber                   //
	CellBool                     //
	CellMessages                 // a list of objects, or an empty one
	CellList                     // a list of other things
	CellObject                   //
	CellOther                    // of a column: a type that is not read
)

// Cell is one value of one row.
type Cell struct {
	Kind    CellKind
	Text    string // of a number too, its digits, where they are kept
	Num     float64
	True    bool
	Items   []Cell   // of a list
	Members []Member // of an object, in the file's order
}

// Member is a named value of an object.
type Member struct {
	Key   string
	Value Cell
}

// Member is the value of the key; a missing cell where the object lacks it.
func (c *Cell) Member(key string) *Cell {
	for i := range c.Members {
		if c.Members[i].Key == key {
			return &c.Members[i].Value
		}
	}
	return &Cell{}
}

// Absent reports whether there is no value: null, or no such column.
func (c *Cell) Absent() bool { return c.Kind == CellMissing || c.Kind == CellNull }

// isMessage reports whether an object is one message, not a list of them.
func (c *Cell) isMessage() bool {
	if c.Kind != CellObject {
		return false
	}
	role, content := turnOf(c)
	return role.Kind == CellText && content.Kind != CellMissing
}

// turnOf are role and content of a message, which ShareGPT calls from and
// value.
func turnOf(message *Cell) (role, content *Cell) {
	role, content = message.Member("role"), message.Member("content")
	if role.Kind != CellMissing || content.Kind != CellMissing {
		return role, content
	}
	return message.Member("from"), message.Member("value")
}

// scalar is a value as text: of a number its digits, of a boolean true or
// false; empty for what is none of these.
func (c *Cell) scalar() string {
	switch {
	case c.Kind == CellText:
		return strings.TrimSpace(c.Text)
	case c.Kind == CellNumber && c.Text != "":
		return c.Text
	case c.Kind == CellNumber:
		return strconv.FormatFloat(c.Num, 'g', -1, 64)
	case c.Kind == CellBool:
		return strconv.FormatBool(c.True)
	}
	return ""
}

// describe names a value's type in an error.
func (c *Cell) describe() string {
	switch c.Kind {
	case CellText:
		return "text"
	case CellNumber:
		return "a number"
	case CellMessages:
		return "messages"
	case CellNull:
		return "null"
	case CellBool:
		if c.True {
			return "true"
		}
		return "false"
	case CellList:
		return "a list of other things than messages"
	case CellObject:
		return "an object"
	}
	return "a value of another type"
}
