package data

import (
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go"
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
	file   *parquetFile
	leaves []*leafReader
	group  int
	left   int64
}

func openParquetRows(path string) (*parquetRows, error) {
	file, err := openParquetFile(path)
	if err != nil {
		return nil, err
	}
	return &parquetRows{file: file}, nil
}

func (p *parquetRows) fields(without []string) (kept []parquet.Field, replaced []string) {
	for _, c := range p.file.Root().Columns() {
		if slices.Contains(without, c.Name()) {
			replaced = append(replaced, c.Name())
			continue
		}
		kept = append(kept, namedNode{unpackedNode(c), c.Name()})
		for _, leaf := range leavesOf(c) {
			p.leaves = append(p.leaves, newLeafReader(leaf))
		}
	}
	return kept, replaced
}

func (p *parquetRows) next(row parquet.Row) (_ parquet.Row, err error) {
	defer recoverParquet(&err)
	for p.left == 0 {
		if p.group == len(p.file.groups) {
			return row, io.EOF
		}
		for _, leaf := range p.leaves {
			if err := leaf.open(p.file, p.group); err != nil {
				return row, p.at(leaf, err)
			}
		}
		p.left = p.file.groups[p.group].NumRows
		p.group++
	}
	for i, leaf := range p.leaves {
		if row, err = leaf.appendRow(row, i); err != nil {
			return row, p.at(leaf, err)
		}
	}
	p.left--
	return row, nil
}

func (p *parquetRows) at(leaf *leafReader, err error) error {
	return fmt.Errorf("row group %d, column %s: %w: %s", p.group, leaf.column.Path()[0], noEOF(err), damaged)
}

func (p *parquetRows) Close() error {
	for _, leaf := range p.leaves {
		leaf.close()
	}
	return p.file.os.Close()
}

// appendRow appends the values of the next row as those of the given column.
// The values of a flat column are valid until the next call.
func (r *leafReader) appendRow(row parquet.Row, column int) (parquet.Row, error) {
	v, err := r.peek()
	if err != nil {
		return row, err
	}
	if r.flat() {
		r.at++
		return append(row, v.Level(0, v.DefinitionLevel(), column)), nil
	}
	if v.RepetitionLevel() != 0 {
		return row, errBrokenList
	}
	for first := true; first || v.RepetitionLevel() > 0; first = false {
		row = append(row, v.Clone().Level(v.RepetitionLevel(), v.DefinitionLevel(), column))
		r.at++
		v, err = r.peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return row, err
		}
	}
	return row, nil
}
