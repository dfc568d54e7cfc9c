package data

import (
	"strings"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
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
	col.kind = cellKindOf(c.Type())
	col.what = strings.ToLower(c.Type().String())
	return col
}

// cellKindOf is what a leaf's values become.
func cellKindOf(t parquet.Type) cellKind {
	switch parquetpages.KindOf(t) {
	case parquetpages.Text:
		return cellText
	case parquetpages.Number:
		return cellNumber
	case parquetpages.Null:
		return cellNull
	}
	return cellOther
}

// messageLeaves finds the role and content leaves of a list of messages, in
// any dialect: list.element, list.item, array, bag.array_element, a repeated
// group without annotation, or a struct of two lists.
func messageLeaves(c *parquet.Column) (role, content *parquet.Column) {
	for _, leaf := range parquetpages.LeavesOf(c) {
		kind := cellKindOf(leaf.Type())
		if leaf.MaxRepetitionLevel() != 1 || kind != cellText && kind != cellNull {
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
