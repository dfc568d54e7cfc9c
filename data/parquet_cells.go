package data

import (
	"cmp"
	"io"

	"github.com/parquet-go/parquet-go"
)

// cellReader assembles the cells of a column from its leaves, whatever its
// nesting. The repetition level of a value says which list it goes on with,
// the definition level how deep it is there (Melnik et al., Dremel, 2010).
type cellReader struct {
	name     string
	leaves   []*leafReader // all below; one for a leaf
	element  *cellReader   // of a list
	members  []*cellReader // of an object
	defined  int           // definition level from which the object is no null, or the list has an element
	repeated int           // repetition level of a list's second element
}

// newCellReader reads a column; exact keeps the digits of its numbers.
func newCellReader(c *parquet.Column, exact bool) *cellReader {
	if c.Repeated() {
		return listReader(c.Name(), c, elementReader(c, exact))
	}
	element, list := listElement(c)
	switch {
	case list && element.Repeated():
		return listReader(c.Name(), element, elementReader(element, exact))
	case list:
		return listReader(c.Name(), c.Columns()[0], newCellReader(element, exact))
	}
	return elementReader(c, exact)
}

func listReader(name string, repeated *parquet.Column, element *cellReader) *cellReader {
	return &cellReader{name: name, leaves: element.leaves, element: element,
		defined: repeated.MaxDefinitionLevel(), repeated: repeated.MaxRepetitionLevel()}
}

// elementReader reads a column as what it is but for being repeated.
func elementReader(c *parquet.Column, exact bool) *cellReader {
	r := &cellReader{name: c.Name(), defined: c.MaxDefinitionLevel()}
	if c.Leaf() {
		leaf := newLeafReader(c)
		leaf.exact = exact
		r.leaves = []*leafReader{leaf}
		return r
	}
	for _, child := range c.Columns() {
		member := newCellReader(child, exact)
		r.members = append(r.members, member)
		r.leaves = append(r.leaves, member.leaves...)
	}
	return r
}

// read reads the next cell, which begins at the repetition level.
func (r *cellReader) read(c *Cell, level int) error {
	if r.element == nil && r.members == nil {
		return r.leaves[0].read(c, level)
	}
	first, err := r.leaves[0].peek()
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

// pass goes past a null or an empty list, which is one entry in every leaf.
func (r *cellReader) pass(level int) error {
	for _, leaf := range r.leaves {
		v, err := leaf.peek()
		if err != nil {
			return err
		}
		if v.RepetitionLevel() != level {
			return errBrokenList
		}
		leaf.at++
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
		if more, err = r.leaves[0].continues(r.repeated); err != nil {
			return err
		}
	}
	for _, leaf := range r.leaves[1:] {
		if more, err := leaf.continues(r.repeated); more || err != nil {
			return cmp.Or(err, errBrokenList)
		}
	}
	return nil
}

// continues reports whether the next value goes on with the list whose
// elements repeat at the level.
func (r *leafReader) continues(level int) (bool, error) {
	v, err := r.peek()
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return v.RepetitionLevel() >= level, nil
}
