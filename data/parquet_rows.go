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

// fieldReader reads one field: value, or role and content.
type fieldReader struct {
	field         field
	name          string
	value         *parquetpages.Leaf
	exact         bool // keep the digits of value too: an id may not fit a float64
	role, content *parquetpages.Leaf
}

func openParquet(path string) (_ source, err error) {
	defer parquetpages.Recover(&err)
	file, err := parquetpages.Open(path)
	if err != nil {
		return nil, rootCause(err)
	}
	return &parquetSource{file: file, cols: parquetColumns(file.Root())}, nil
}

func (s *parquetSource) columns() []column {
	cols := make([]column, len(s.cols))
	for i, c := range s.cols {
		cols[i] = c.column
	}
	return cols
}

func (s *parquetSource) openEnded() bool { return false }
func (s *parquetSource) unit() string    { return "row" }
func (s *parquetSource) numRows() int64  { return s.file.NumRows() }

func (s *parquetSource) Close() error {
	for _, r := range s.readers {
		for _, leaf := range r.leaves() {
			leaf.Close()
		}
	}
	return s.file.Close()
}

func (s *parquetSource) choose(n names) error {
	s.readers = s.readers[:0]
	for f, name := range n {
		for _, c := range s.cols {
			if name == "" || c.name != name {
				continue
			}
			s.readers = append(s.readers, s.reader(field(f), c))
		}
	}
	return nil
}

func (s *parquetSource) reader(f field, c parquetColumn) fieldReader {
	r := fieldReader{field: f, name: c.name}
	switch c.kind {
	case cellTurns:
		r.role, r.content = s.file.NewLeaf(c.role), s.file.NewLeaf(c.content)
	case cellText, cellNumber:
		r.value, r.exact = s.file.NewLeaf(c.value), f.name()
	}
	return r
}

func (r *fieldReader) leaves() []*parquetpages.Leaf {
	switch {
	case r.value != nil:
		return []*parquetpages.Leaf{r.value}
	case r.role != nil:
		return []*parquetpages.Leaf{r.role, r.content}
	}
	return nil
}

func (s *parquetSource) next(out *row) (place int, bad *problem, err error) {
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
		at = r.name
		if err := r.read(&out[r.field]); err != nil {
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
				return s.readers[i].name, fmt.Errorf("%w: %s", parquetpages.NoEOF(err), parquetpages.Damaged)
			}
		}
	}
	s.left = s.file.GroupRows(g)
	return "", nil
}

// read assembles the field of the next row.
func (r *fieldReader) read(c *cell) error {
	switch {
	case r.value != nil:
		return r.readValue(c)
	case r.role != nil:
		return r.readTurns(c)
	}
	c.kind = cellNull
	return nil
}

func (r *fieldReader) readValue(c *cell) error {
	v, err := r.value.Next()
	switch {
	case err != nil:
		return err
	case v == nil:
		*c = cell{kind: cellNull}
	case r.value.Text():
		*c = cell{kind: cellText, text: string(v.ByteArray())}
	default:
		*c = cell{kind: cellNumber, num: r.value.Number(v)}
		if r.exact {
			c.text = r.value.Digits(v)
		}
	}
	return nil
}

// readTurns reads the two leaves of a list of messages side by side.
func (r *fieldReader) readTurns(c *cell) error {
	var roles, contents [16]parquetpages.Item
	role, null, err := r.role.List(roles[:0])
	if err != nil {
		return err
	}
	content, _, err := r.content.List(contents[:0])
	if err != nil {
		return err
	}
	if len(role) != len(content) {
		return fmt.Errorf("%d roles but %d contents in one row", len(role), len(content))
	}
	if null {
		*c = cell{kind: cellNull}
		return nil
	}
	*c = cell{kind: cellTurns, turns: make([]turn, len(role))}
	for i := range role {
		c.turns[i] = turn{role: role[i].Text, roleNull: role[i].Null, content: content[i].Text, contentNull: content[i].Null}
	}
	return nil
}
