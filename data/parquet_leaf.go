package data

import (
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// leafReader reads the values of one leaf column in order, holding one page.
type leafReader struct {
	column   *parquet.Column
	kind     parquet.Kind
	unsigned bool
	exact    bool // keep the digits too: an id may not fit a float64
	defined  int  // definition level of a value that is not null
	element  int  // definition level at which the list has an element
	pages    parquet.Pages
	page     parquet.Page
	values   parquet.ValueReader
	drained  bool              // values has no more
	buffer   [64]parquet.Value // of page, whose memory text values share
	at, n    int
}

func newLeafReader(root, leaf *parquet.Column) *leafReader {
	r := &leafReader{column: leaf, kind: leaf.Type().Kind(), defined: leaf.MaxDefinitionLevel(), element: repeatedAt(root, leaf)}
	if t, ok := logicalType(leaf.Type()).(*format.IntType); ok {
		r.unsigned = !t.IsSigned
	}
	return r
}

func (r *leafReader) flat() bool { return r.column.MaxRepetitionLevel() == 0 }

// open starts on the row group.
func (r *leafReader) open(file *parquetFile, group int) error {
	r.close()
	index := r.column.Index()
	pages, err := openPages(file.os, &file.groups[group].Columns[index], file.groups[group].NumRows, r.flat())
	if err != nil {
		return err
	}
	chunk := file.RowGroups()[group].ColumnChunks()[index].(*parquet.FileColumnChunk)
	r.pages = chunk.PagesFrom(pages)
	return nil
}

func (r *leafReader) close() {
	if r.page != nil {
		parquet.Release(r.page)
		r.page = nil
	}
	if r.pages != nil {
		r.pages.Close()
		r.pages = nil
	}
	r.at, r.n, r.values = 0, 0, nil
}

// peek is the next value, io.EOF after the last of the row group. It is valid
// until the next peek.
func (r *leafReader) peek() (*parquet.Value, error) {
	for r.at == r.n {
		if r.values == nil || r.drained {
			if err := r.nextPage(); err != nil {
				return nil, err
			}
		}
		n, err := r.values.ReadValues(r.buffer[:])
		r.at, r.n, r.drained = 0, n, err == io.EOF
		switch {
		case err != nil && err != io.EOF:
			return nil, err
		case n == 0 && err == nil:
			return nil, io.ErrNoProgress
		}
	}
	return &r.buffer[r.at], nil
}

func (r *leafReader) nextPage() error {
	if r.page != nil {
		parquet.Release(r.page)
		r.page = nil
	}
	page, err := r.pages.ReadPage()
	if err != nil {
		return err
	}
	r.page, r.values, r.drained = page, page.Values(), false
	return nil
}

// read reads the value of a flat column.
func (r *leafReader) read(c *cell) error {
	v, err := r.peek()
	if err != nil {
		return err
	}
	r.at++
	*c = cell{}
	if v.IsNull() || v.DefinitionLevel() < r.defined {
		c.kind = cellNull
		return nil
	}
	if r.kind == parquet.ByteArray {
		c.kind, c.text = cellText, string(v.ByteArray())
		return nil
	}
	c.kind, c.num = cellNumber, r.number(v)
	if r.exact {
		c.text = r.digits(v)
	}
	return nil
}

func (r *leafReader) number(v *parquet.Value) float64 {
	switch {
	case r.kind == parquet.Float:
		return float64(v.Float())
	case r.kind == parquet.Double:
		return v.Double()
	case r.kind == parquet.Int32 && r.unsigned:
		return float64(v.Uint32())
	case r.kind == parquet.Int32:
		return float64(v.Int32())
	case r.unsigned:
		return float64(v.Uint64())
	}
	return float64(v.Int64())
}

// digits writes an integer in full, and nothing else.
func (r *leafReader) digits(v *parquet.Value) string {
	switch {
	case r.kind == parquet.Int32 && r.unsigned:
		return strconv.FormatUint(uint64(v.Uint32()), 10)
	case r.kind == parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10)
	case r.kind == parquet.Int64 && r.unsigned:
		return strconv.FormatUint(v.Uint64(), 10)
	case r.kind == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	}
	return ""
}

// listItem is one element of a list.
type listItem struct {
	text string
	null bool
}

// readList appends the elements of the next row's list to items. kind is
// cellNull for a null list.
func (r *leafReader) readList(items []listItem) ([]listItem, cellKind, error) {
	v, err := r.peek()
	if err != nil {
		return nil, 0, err
	}
	if v.RepetitionLevel() != 0 {
		return nil, 0, errBrokenList
	}
	if level := v.DefinitionLevel(); level < r.element {
		r.at++
		if level < r.element-1 {
			return items, cellNull, nil
		}
		return items, cellTurns, nil
	}
	for first := true; first || v.RepetitionLevel() > 0; first = false {
		item := listItem{null: v.IsNull() || v.DefinitionLevel() < r.defined}
		if !item.null {
			item.text = string(v.ByteArray())
		}
		items = append(items, item)
		r.at++
		v, err = r.peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return items, cellTurns, nil
}
