package data

import (
	"errors"
	"fmt"
	"io"
)

// parquetSource reads the chosen columns of a Parquet file side by side, a
// page of each at a time.
type parquetSource struct {
	file    *parquetFile
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
	value         *leafReader
	role, content *leafReader
}

func openParquet(path string) (_ source, err error) {
	defer recoverParquet(&err)
	file, err := openParquetFile(path)
	if err != nil {
		return nil, err
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
			leaf.close()
		}
	}
	return s.file.os.Close()
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
		r.role, r.content = newLeafReader(s.file.Root(), c.role), newLeafReader(s.file.Root(), c.content)
	case cellText, cellNumber:
		r.value = newLeafReader(s.file.Root(), c.value)
		r.value.exact = f.name()
	}
	return r
}

func (r *fieldReader) leaves() []*leafReader {
	switch {
	case r.value != nil:
		return []*leafReader{r.value}
	case r.role != nil:
		return []*leafReader{r.role, r.content}
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
	defer recoverParquet(&err)
	for s.left == 0 {
		if s.group == len(s.file.RowGroups()) {
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
			return 0, nil, fmt.Errorf("%w: %s", noEOF(err), damaged)
		}
	}
	s.left--
	s.row++
	return s.row - 1, nil, nil
}

// noEOF: a column that ends before its rows do is damaged, not at its end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *parquetSource) openGroup(g int) (column string, err error) {
	rows := s.file.groups[g].NumRows
	for i := range s.readers {
		for _, leaf := range s.readers[i].leaves() {
			if err := leaf.open(s.file, g); err != nil {
				return s.readers[i].name, fmt.Errorf("%w: %s", noEOF(err), damaged)
			}
		}
	}
	s.left = rows
	return "", nil
}

// read assembles the field of the next row.
func (r *fieldReader) read(c *cell) error {
	switch {
	case r.value != nil:
		return r.value.read(c)
	case r.role != nil:
		return r.readTurns(c)
	}
	c.kind = cellNull
	return nil
}

// readTurns reads the two leaves of a list of messages side by side.
func (r *fieldReader) readTurns(c *cell) error {
	var roles, contents [16]listItem
	role, kind, err := r.role.readList(roles[:0])
	if err != nil {
		return err
	}
	content, _, err := r.content.readList(contents[:0])
	if err != nil {
		return err
	}
	if len(role) != len(content) {
		return fmt.Errorf("%d roles but %d contents in one row", len(role), len(content))
	}
	*c = cell{kind: kind}
	if kind != cellTurns {
		return nil
	}
	c.turns = make([]turn, len(role))
	for i := range role {
		c.turns[i] = turn{role: role[i].text, roleNull: role[i].null, content: content[i].text, contentNull: content[i].null}
	}
	return nil
}
