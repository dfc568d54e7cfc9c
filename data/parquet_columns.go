package data

import (
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetColumn is a top-level column and the leaves it is read from.
type parquetColumn struct {
	column
	value         *parquet.Column // text and numbers
	role, content *parquet.Column // messages
}

func parquetColumns(root *parquet.Column) []parquetColumn {
	cols := make([]parquetColumn, len(root.Columns()))
	for i, c := range root.Columns() {
		cols[i] = classify(c)
	}
	return cols
}

func classify(c *parquet.Column) parquetColumn {
	col := parquetColumn{column: column{name: c.Name(), kind: cellOther}, value: c}
	if !c.Leaf() || c.Repeated() {
		col.what = "a struct or list"
		if col.role, col.content = messageLeaves(c); col.role != nil && col.content != nil {
			col.kind, col.what = cellTurns, "messages"
		}
		return col
	}
	col.kind = leafKind(c.Type())
	col.what = strings.ToLower(c.Type().String())
	return col
}

// leafKind says how the values of a flat column can be read.
func leafKind(t parquet.Type) cellKind {
	logical := logicalType(t)
	switch t.Kind() {
	case parquet.ByteArray:
		switch logical.(type) {
		case nil, *format.StringType, *format.EnumType, *format.JsonType:
			return cellText
		}
	case parquet.Int32, parquet.Int64:
		switch logical.(type) {
		case nil, *format.IntType:
			return cellNumber
		}
	case parquet.Float, parquet.Double:
		return cellNumber
	case -1: // the type of a column of nothing but nulls
		return cellNull
	}
	return cellOther
}

func logicalType(t parquet.Type) any {
	if l := t.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

// messageLeaves finds the role and content leaves of a list of messages, in
// any dialect: list.element, list.item, array, bag.array_element, a repeated
// group without annotation, or a struct of two lists.
func messageLeaves(c *parquet.Column) (role, content *parquet.Column) {
	for _, leaf := range leavesOf(c) {
		if leaf.MaxRepetitionLevel() != 1 || leafKind(leaf.Type()) != cellText && leafKind(leaf.Type()) != cellNull {
			continue
		}
		path := leaf.Path()[1:]
		switch {
		case len(path) == 0:
		case path[len(path)-1] == "role", path[0] == "role":
			role = shallower(role, leaf)
		case path[len(path)-1] == "content", path[0] == "content":
			content = shallower(content, leaf)
		}
	}
	return role, content
}

func shallower(a, b *parquet.Column) *parquet.Column {
	if a != nil && a.Depth() <= b.Depth() {
		return a
	}
	return b
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

// repeatedAt is the definition level at which the list above the leaf has an
// element: one less is an empty list, and less still is null.
func repeatedAt(root, leaf *parquet.Column) int {
	node := root
	for _, name := range leaf.Path() {
		node = node.Column(name)
		if node.Repeated() {
			return node.MaxDefinitionLevel()
		}
	}
	return leaf.MaxDefinitionLevel()
}
