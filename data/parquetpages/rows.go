package parquetpages

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Rows reads the rows of a file, or those of some of its leaf columns.
type Rows struct {
	file   *File
	leaves []*Leaf
	group  int
	left   int64
}

// NewRows reads rows of the given leaves, which become columns 0, 1, …
func (f *File) NewRows(leaves []*Leaf) *Rows { return &Rows{file: f, leaves: leaves} }

// NewWholeRows reads rows of all leaves, in the order of the schema.
func (f *File) NewWholeRows() *Rows {
	var leaves []*Leaf
	for _, c := range LeavesOf(f.Root()) {
		leaves = append(leaves, f.NewLeaf(c))
	}
	return f.NewRows(leaves)
}

// Next appends the values of the next row, levels and columns set; io.EOF
// after the last. Values of flat columns are valid until the next call.
func (r *Rows) Next(row parquet.Row) (_ parquet.Row, err error) {
	defer Recover(&err)
	for r.left == 0 {
		if r.group == r.file.NumGroups() {
			return row, io.EOF
		}
		for _, leaf := range r.leaves {
			if err := leaf.Open(r.group); err != nil {
				return row, r.at(leaf, err)
			}
		}
		r.left = r.file.GroupRows(r.group)
		r.group++
	}
	for i, leaf := range r.leaves {
		if row, err = leaf.AppendRow(row, i); err != nil {
			return row, r.at(leaf, err)
		}
	}
	r.left--
	return row, nil
}

func (r *Rows) at(leaf *Leaf, err error) error {
	return fmt.Errorf("row group %d, column %s: %w: %s", r.group, leaf.Name(), NoEOF(err), Damaged)
}

// Close gives back the pages in memory; the file stays open.
func (r *Rows) Close() {
	for _, leaf := range r.leaves {
		leaf.Close()
	}
}
