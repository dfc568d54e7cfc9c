package data

import (
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// orderedGroup is a group whose fields keep their order; parquet.Group sorts
// them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
	typ    parquet.Type // LIST and MAP; nil for a plain struct
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

func (g orderedGroup) Type() parquet.Type {
	if g.typ != nil {
		return g.typ
	}
	return g.Group.Type()
}

// namedNode is a node with its name in its group.
type namedNode struct {
	parquet.Node
	name string
}

func (n namedNode) Name() string { return n.name }

// Value is for rows given as Go structs, which these schemas never see.
func (n namedNode) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// unpackedNode is a column of a file as a node to write: same type, same
// repetition, our encoding and compression.
func unpackedNode(c *parquet.Column) parquet.Node {
	var node parquet.Node
	if c.Leaf() {
		node = parquet.Leaf(c.Type())
	} else {
		group := orderedGroup{typ: c.Type()}
		for _, child := range c.Columns() {
			group.fields = append(group.fields, namedNode{unpackedNode(child), child.Name()})
		}
		node = group
	}
	switch {
	case c.Repeated():
		return parquet.Repeated(node)
	case c.Optional():
		return parquet.Optional(node)
	}
	return node
}

func leafCount(fields []parquet.Field) int {
	n := 0
	for _, f := range fields {
		if f.Leaf() {
			n++
		} else {
			n += leafCount(f.Fields())
		}
	}
	return n
}

// parquetRows passes the rows of a Parquet file through.
type parquetRows struct {
	file   *parquetpages.File
	leaves []*parquetpages.Leaf
	kept   []parquet.Field
	rows   *parquetpages.Rows // of leaves, once they are known
	row    parquet.Row        // of nextJSON
}

func openParquetRows(path string) (*parquetRows, error) {
	file, err := parquetpages.Open(path)
	if err != nil {
		return nil, RootCause(err)
	}
	return &parquetRows{file: file}, nil
}

func (p *parquetRows) columns() []string {
	var names []string
	for _, c := range p.file.Root().Columns() {
		names = append(names, c.Name())
	}
	return names
}

func (p *parquetRows) fields(without []string) []parquet.Field {
	for _, c := range p.file.Root().Columns() {
		if slices.Contains(without, c.Name()) {
			continue
		}
		p.kept = append(p.kept, namedNode{unpackedNode(c), c.Name()})
		for _, leaf := range parquetpages.LeavesOf(c) {
			p.leaves = append(p.leaves, p.file.NewLeaf(leaf))
		}
	}
	return slices.Clip(p.kept)
}

func (p *parquetRows) next(row parquet.Row) (parquet.Row, error) {
	if p.rows == nil {
		p.rows = p.file.NewRows(p.leaves)
	}
	return p.rows.Next(row)
}

func (p *parquetRows) nextJSON(cells []jsonCell) (_ []jsonCell, err error) {
	defer parquetpages.Recover(&err)
	if p.leaves == nil {
		p.fields(nil)
	}
	if p.row, err = p.next(p.row[:0]); err != nil {
		return cells, err
	}
	values := byLeaf(p.row, len(p.leaves))
	for _, field := range p.kept {
		n := leafCount([]parquet.Field{field})
		cells = append(cells, jsonCell{field.Name(), appendNode(nil, field, values[:n], 0, 0)})
		values = values[n:]
	}
	return cells, nil
}

func (p *parquetRows) Close() error {
	if p.rows != nil {
		p.rows.Close()
	}
	return p.file.Close()
}
