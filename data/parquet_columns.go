package data

import (
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
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
		return Column{Name: c.Name(), Kind: leafKind(parquetpages.KindOf(c.Type())), What: strings.ToLower(c.Type().String())}
	}
	out := Column{Name: c.Name(), Kind: CellObject, What: "a struct or list"}
	_, list := listElement(c)
	switch list = list || c.Repeated(); {
	case holdsMessages(c):
		out.Kind, out.What = CellMessages, "messages"
	case list:
		out.Kind = CellList
	case hasTexts(c, 0):
		out.Kind, out.What = CellMessages, "a message"
	}
	if !list {
		for _, member := range c.Columns() {
			out.Members = append(out.Members, classify(member))
		}
	}
	return out
}

// leafKind is what a leaf's values become.
func leafKind(k parquetpages.Kind) CellKind {
	switch k {
	case parquetpages.Text:
		return CellText
	case parquetpages.Number:
		return CellNumber
	case parquetpages.Bool:
		return CellBool
	case parquetpages.Null:
		return CellNull
	}
	return CellOther
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

// hasTexts reports whether role and content (from and value) are there, texts
// at the level of repetition.
func hasTexts(group *parquet.Column, level int) bool {
	found := 0
	if group.Leaf() {
		return false
	}
	for _, c := range group.Columns() {
		if !slices.Contains([]string{"role", "content", "from", "value"}, c.Name()) {
			continue
		}
		if c.Name() == "content" && holdsParts(c) {
			found++
			continue
		}
		if element, list := listElement(c); list {
			c = element
		}
		if !c.Leaf() || c.MaxRepetitionLevel() != level {
			continue
		}
		if kind := parquetpages.KindOf(c.Type()); kind == parquetpages.Text || kind == parquetpages.Null {
			found++
		}
	}
	return found == 2
}

// holdsParts reports whether the content of messages is lists of parts:
// {type, text} and what else other types of parts have.
func holdsParts(content *parquet.Column) bool {
	element, list := listElement(content)
	if !list || element.Leaf() {
		return false
	}
	for _, c := range element.Columns() {
		if c.Name() == "text" || c.Name() == "type" {
			return true
		}
	}
	return false
}
