package data

import (
	"fmt"
	"io"

	"laurel/data/parquetpages"
)

// parquetSource reads the chosen columns of a Parquet file side by side, a
// page of each at a time.
type parquetSource struct {
	file    *parquetpages.File
	cols    []parquetColumn
	readers []fieldReader
	group   int   // row groups opened so far
	left    int64 // rows left in the open group
	row     int   // rows read
}

// fieldReader fills the cell of one field.
type fieldReader struct {
	chosenField
	from *cellReader // nil for a column of nothing but nulls
}

func openParquet(path string) (_ Source, err error) {
	defer parquetpages.Recover(&err)
	file, err := parquetpages.Open(path)
	if err != nil {
		return nil, RootCause(err)
	}
	return &parquetSource{file: file, cols: parquetColumns(file.Root())}, nil
}

func (s *parquetSource) Columns() []Column {
	cols := make([]Column, len(s.cols))
	for i, c := range s.cols {
		cols[i] = c.Column
	}
	return cols
}

func (s *parquetSource) OpenEnded() bool { return false }
func (s *parquetSource) Unit() string    { return "row" }
func (s *parquetSource) NumRows() int64  { return s.file.NumRows() }

func (s *parquetSource) Close() error {
	for _, r := range s.readers {
		for _, leaf := range r.leaves() {
			leaf.Close()
		}
	}
	return s.file.Close()
}

func (s *parquetSource) Choose(fields []*Field) error {
	s.readers = s.readers[:0]
	for _, f := range chosenFields(fields, s.Columns()) {
		for _, c := range s.cols {
			if c.Name != f.column {
				continue
			}
			f.Sparse = true
			r := fieldReader{chosenField: f}
			if c.Kind != CellNull {
				r.from = newCellReader(s.file, c.node, f.Holds != HoldsNumber)
			}
			s.readers = append(s.readers, r)
		}
	}
	return nil
}

func (r *fieldReader) leaves() []*parquetpages.Leaf {
	if r.from == nil {
		return nil
	}
	return r.from.leaves
}

func (s *parquetSource) Next() (place int, bad *Problem, err error) {
	at := ""
	defer func() {
		if err != nil && err != io.EOF {
			err = fmt.Errorf("row group %d, column %s, row %d: %w", s.group-1, at, s.row, err)
		}
	}()
	defer parquetpages.Recover(&err)
	for s.left == 0 {
		if s.group == s.file.NumGroups() {
			return 0, nil, io.EOF
		}
		s.group++
		if at, err = s.openGroup(s.group - 1); err != nil {
			return 0, nil, err
		}
	}
	for i := range s.readers {
		r := &s.readers[i]
		at = r.Column
		if err := r.read(); err != nil {
			return 0, nil, fmt.Errorf("%w: %s", parquetpages.NoEOF(err), parquetpages.Damaged)
		}
	}
	s.left--
	s.row++
	return s.row - 1, nil, nil
}

func (s *parquetSource) openGroup(g int) (column string, err error) {
	for i := range s.readers {
		for _, leaf := range s.readers[i].leaves() {
			if err := leaf.Open(g); err != nil {
				return s.readers[i].Column, fmt.Errorf("%w: %s", parquetpages.NoEOF(err), parquetpages.Damaged)
			}
		}
	}
	s.left = s.file.GroupRows(g)
	return "", nil
}

// read assembles the field of the next row.
func (r *fieldReader) read() error {
	if r.from == nil {
		r.Cell = Cell{Kind: CellNull}
		return nil
	}
	if err := r.from.read(&r.Cell, 0); err != nil {
		return err
	}
	r.goInside()
	if r.Kind == CellMessages && r.Cell.Kind == CellObject && !r.Cell.isMessage() {
		return zipLists(&r.Cell)
	}
	return nil
}

// zipLists makes a list of objects of an object of lists, as which some
// writers store messages.
func zipLists(c *Cell) error {
	lists := c.Members
	*c = Cell{Kind: CellNull}
	for i, list := range lists {
		if list.Value.Kind == CellNull {
			continue
		}
		if c.Kind == CellNull {
			c.Kind, c.Items = CellMessages, make([]Cell, len(list.Value.Items))
		}
		if len(list.Value.Items) != len(c.Items) {
			return fmt.Errorf("%d of %s but %d of %s in one row", len(c.Items), lists[0].Key, len(list.Value.Items), lists[i].Key)
		}
		for j, item := range list.Value.Items {
			c.Items[j].Kind = CellObject
			c.Items[j].Members = append(c.Items[j].Members, Member{list.Key, item})
		}
	}
	return nil
}
