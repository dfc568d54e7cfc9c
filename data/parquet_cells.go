package data

import (
	"cmp"
	"io"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// cellReader assembles the cells of a column from its leaves, whatever its
// nesting. The repetition level of a value says which list it goes on with,
// the definition level how deep it is there (Melnik et al., Dremel, 2010).
type cellReader struct {
	name     string
	leaves   []*parquetpages.Leaf // all below; one for a leaf
	element  *cellReader          // of a list
	members  []*cellReader        // of an object
	exact    bool                 // keep the digits of numbers: an id may not fit a float64
	defined  int                  // definition level from which the object is no null, or the list has an element
	repeated int                  // repetition level of a list's second element
}

// newCellReader reads a column; exact keeps the digits of its numbers.
func newCellReader(file *parquetpages.File, c *parquet.Column, exact bool) *cellReader {
	if c.Repeated() {
		return listReader(c.Name(), c, elementReader(file, c, exact))
	}
	element, list := listElement(c)
	switch {
	case list && element.Repeated():
		return listReader(c.Name(), element, elementReader(file, element, exact))
	case list:
		return listReader(c.Name(), c.Columns()[0], newCellReader(file, element, exact))
	}
	return elementReader(file, c, exact)
}

func listReader(name string, repeated *parquet.Column, element *cellReader) *cellReader {
	return &cellReader{name: name, leaves: element.leaves, element: element,
		defined: repeated.MaxDefinitionLevel(), repeated: repeated.MaxRepetitionLevel()}
}

// elementReader reads a column as what it is but for being repeated.
func elementReader(file *parquetpages.File, c *parquet.Column, exact bool) *cellReader {
	r := &cellReader{name: c.Name(), defined: c.MaxDefinitionLevel()}
	if c.Leaf() {
		r.leaves, r.exact = []*parquetpages.Leaf{file.NewLeaf(c)}, exact
		return r
	}
	for _, child := range c.Columns() {
		member := newCellReader(file, child, exact)
		r.members = append(r.members, member)
		r.leaves = append(r.leaves, member.leaves...)
	}
	return r
}

// read reads the next cell, which begins at the repetition level.
func (r *cellReader) read(c *Cell, level int) error {
	if r.element == nil && r.members == nil {
		return r.readLeaf(c, level)
	}
	first, err := r.leaves[0].Peek()
	if err != nil {
		return err
	}
	*c = Cell{Kind: CellNull}
	switch definition := first.DefinitionLevel(); {
	case r.members != nil && definition >= r.defined:
		return r.readObject(c, level)
	case r.element != nil && definition >= r.defined:
		return r.readList(c, level)
	case r.element != nil && definition == r.defined-1:
		c.Kind, c.Items = CellMessages, []Cell{}
	}
	return r.pass(level)
}

func (r *cellReader) readLeaf(c *Cell, level int) error {
	leaf := r.leaves[0]
	v, err := leaf.Peek()
	if err != nil {
		return err
	}
	if v.RepetitionLevel() != level {
		return parquetpages.ErrBrokenList
	}
	leaf.Skip()
	*c = Cell{Kind: CellNull}
	if leaf.Null(v) {
		return nil
	}
	switch c.Kind = leafKind(leaf.Kind()); c.Kind {
	case CellText:
		c.Text = string(v.ByteArray())
	case CellBool:
		c.True = v.Boolean()
	case CellNumber:
		if c.Num = leaf.Number(v); r.exact {
			c.Text = leaf.Digits(v)
		}
	}
	return nil
}

// pass goes past a null or an empty list, which is one entry in every leaf.
func (r *cellReader) pass(level int) error {
	for _, leaf := range r.leaves {
		v, err := leaf.Peek()
		if err != nil {
			return err
		}
		if v.RepetitionLevel() != level {
			return parquetpages.ErrBrokenList
		}
		leaf.Skip()
	}
	return nil
}

func (r *cellReader) readObject(c *Cell, level int) error {
	c.Kind, c.Members = CellObject, make([]Member, len(r.members))
	for i, m := range r.members {
		c.Members[i].Key = m.name
		if err := m.read(&c.Members[i].Value, level); err != nil {
			return err
		}
	}
	return nil
}

// readList reads elements for as long as the first leaf goes on with them; the
// others must end with it.
func (r *cellReader) readList(c *Cell, level int) error {
	c.Kind = CellList
	if r.element.members != nil {
		c.Kind = CellMessages
	}
	for more := true; more; level = r.repeated {
		c.Items = append(c.Items, Cell{})
		if err := r.element.read(&c.Items[len(c.Items)-1], level); err != nil {
			return err
		}
		var err error
		if more, err = continues(r.leaves[0], r.repeated); err != nil {
			return err
		}
	}
	for _, leaf := range r.leaves[1:] {
		if more, err := continues(leaf, r.repeated); more || err != nil {
			return cmp.Or(err, parquetpages.ErrBrokenList)
		}
	}
	return nil
}

// continues reports whether the next value goes on with the list whose
// elements repeat at the level.
func continues(leaf *parquetpages.Leaf, level int) (bool, error) {
	v, err := leaf.Peek()
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return v.RepetitionLevel() >= level, nil
}
