package data

import (
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetColumn is a column of a file and the reader of its cells.
type parquetColumn struct {
	Column
	node *parquet.Column
}

func parquetColumns(root *parquet.Column) []parquetColumn {
	cols := make([]parquetColumn, len(root.Columns()))
	for i, c := range root.Columns() {
		cols[i] = parquetColumn{classify(c), c}
	}
	return cols
}

func classify(c *parquet.Column) Column {
	if c.Leaf() && !c.Repeated() {
		return Column{Name: c.Name(), Kind: leafKind(c.Type()), What: strings.ToLower(c.Type().String())}
	}
	if holdsMessages(c) {
		return Column{Name: c.Name(), Kind: CellMessages, What: "messages"}
	}
	kind := CellObject
	if _, ok := listElement(c); ok || c.Repeated() {
		kind = CellList
	}
	return Column{Name: c.Name(), Kind: kind, What: "a struct or list"}
}

// leafKind says how the values of a flat column can be read.
func leafKind(t parquet.Type) CellKind {
	logical := logicalType(t)
	switch t.Kind() {
	case parquet.ByteArray:
		switch logical.(type) {
		case nil, *format.StringType, *format.EnumType, *format.JsonType:
			return CellText
		}
	case parquet.Int32, parquet.Int64:
		switch logical.(type) {
		case nil, *format.IntType:
			return CellNumber
		}
	case parquet.Float, parquet.Double:
		return CellNumber
	case parquet.FixedLenByteArray:
		if _, half := logical.(*format.Float16Type); half {
			return CellNumber
		}
	case parquet.Boolean:
		return CellBool
	case -1: // the type of a column of nothing but nulls
		return CellNull
	}
	return CellOther
}

func logicalType(t parquet.Type) any {
	if l := t.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

// listElement is the element of a list in any dialect: list.element,
// list.item, array, bag.array_element (the format's rules for lists, LogicalTypes.md).
func listElement(c *parquet.Column) (*parquet.Column, bool) {
	if c.Leaf() || c.Repeated() || len(c.Columns()) != 1 {
		return nil, false
	}
	repeated := c.Columns()[0]
	switch {
	case !repeated.Repeated():
		return nil, false
	case repeated.Leaf(), len(repeated.Columns()) > 1, repeated.Name() == "array", repeated.Name() == c.Name()+"_tuple":
		return repeated, true
	}
	return repeated.Columns()[0], true
}

// holdsMessages reports whether the column is a list of messages, in any
// dialect of lists, or a struct of two lists.
func holdsMessages(c *parquet.Column) bool {
	if element, list := listElement(c); list {
		c = element
	}
	return hasTexts(c, 1)
}

// hasTexts reports whether role and content are there, texts in one list.
func hasTexts(group *parquet.Column, level int) bool {
	found := 0
	if group.Leaf() {
		return false
	}
	for _, c := range group.Columns() {
		if c.Name() != "role" && c.Name() != "content" {
			continue
		}
		if element, list := listElement(c); list {
			c = element
		}
		if c.Leaf() && c.MaxRepetitionLevel() == level && (leafKind(c.Type()) == CellText || leafKind(c.Type()) == CellNull) {
			found++
		}
	}
	return found == 2
}

func leavesOf(c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	var out []*parquet.Column
	for _, child := range c.Columns() {
		out = append(out, leavesOf(child)...)
	}
	return out
}
