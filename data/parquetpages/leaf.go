package parquetpages

import (
	"errors"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

var errBrokenList = errors.New("a list goes on where a row should begin")

// Leaf reads the values of one leaf column in order, holding one page.
type Leaf struct {
	file     *File
	column   *parquet.Column
	kind     parquet.Kind
	unsigned bool
	defined  int // definition level of a value that is not null
	element  int // definition level at which the list has an element
	pages    parquet.Pages
	page     parquet.Page
	values   parquet.ValueReader
	drained  bool              // values has no more
	buffer   [64]parquet.Value // of page, whose memory text values share
	at, n    int
}

// NewLeaf is a reader of a column of the file that has no columns below it.
// It reads nothing before Open.
func (f *File) NewLeaf(column *parquet.Column) *Leaf {
	l := &Leaf{file: f, column: column, kind: column.Type().Kind(), defined: column.MaxDefinitionLevel(), element: repeatedAt(f.Root(), column)}
	if t, ok := logicalType(column.Type()).(*format.IntType); ok {
		l.unsigned = !t.IsSigned
	}
	return l
}

// Name is the name of the top-level column that the leaf belongs to.
func (l *Leaf) Name() string { return l.column.Path()[0] }

// Text reports whether the values are texts, not numbers.
func (l *Leaf) Text() bool { return l.kind == parquet.ByteArray }

func (l *Leaf) flat() bool { return l.column.MaxRepetitionLevel() == 0 }

// Open starts on the row group.
func (l *Leaf) Open(group int) error {
	l.Close()
	index := l.column.Index()
	pages, err := openPages(l.file.Disk, &l.file.groups[group].Columns[index], l.file.groups[group].NumRows, l.flat())
	if err != nil {
		return err
	}
	chunk := l.file.RowGroups()[group].ColumnChunks()[index].(*parquet.FileColumnChunk)
	l.pages = chunk.PagesFrom(pages)
	return nil
}

// Close gives back the page in memory.
func (l *Leaf) Close() {
	if l.page != nil {
		parquet.Release(l.page)
		l.page = nil
	}
	if l.pages != nil {
		l.pages.Close()
		l.pages = nil
	}
	l.at, l.n, l.values = 0, 0, nil
}

// peek is the next value, io.EOF after the last of the row group. It is valid
// until the next peek.
func (l *Leaf) peek() (*parquet.Value, error) {
	for l.at == l.n {
		if l.values == nil || l.drained {
			if err := l.nextPage(); err != nil {
				return nil, err
			}
		}
		n, err := l.values.ReadValues(l.buffer[:])
		l.at, l.n, l.drained = 0, n, err == io.EOF
		switch {
		case err != nil && err != io.EOF:
			return nil, err
		case n == 0 && err == nil:
			return nil, io.ErrNoProgress
		}
	}
	return &l.buffer[l.at], nil
}

func (l *Leaf) nextPage() error {
	if l.page != nil {
		parquet.Release(l.page)
		l.page = nil
	}
	page, err := l.pages.ReadPage()
	if err != nil {
		return err
	}
	l.page, l.values, l.drained = page, page.Values(), false
	return nil
}

// Next is the next value of a flat column, nil for a null, io.EOF after the
// last of the row group. It is valid until the next call.
func (l *Leaf) Next() (*parquet.Value, error) {
	v, err := l.peek()
	if err != nil {
		return nil, err
	}
	l.at++
	if v.IsNull() || v.DefinitionLevel() < l.defined {
		return nil, nil
	}
	return v, nil
}

// Number is a value of the leaf as a float64.
func (l *Leaf) Number(v *parquet.Value) float64 {
	switch {
	case l.kind == parquet.Float:
		return float64(v.Float())
	case l.kind == parquet.Double:
		return v.Double()
	case l.kind == parquet.Int32 && l.unsigned:
		return float64(v.Uint32())
	case l.kind == parquet.Int32:
		return float64(v.Int32())
	case l.unsigned:
		return float64(v.Uint64())
	}
	return float64(v.Int64())
}

// Digits writes an integer in full, which may not fit a float64, and nothing
// else.
func (l *Leaf) Digits(v *parquet.Value) string {
	switch {
	case l.kind == parquet.Int32 && l.unsigned:
		return strconv.FormatUint(uint64(v.Uint32()), 10)
	case l.kind == parquet.Int32:
		return strconv.FormatInt(int64(v.Int32()), 10)
	case l.kind == parquet.Int64 && l.unsigned:
		return strconv.FormatUint(v.Uint64(), 10)
	case l.kind == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	}
	return ""
}

// Item is one element of a list of texts.
type Item struct {
	Text string
	Null bool
}

// List appends the elements of the next row's list to items; null reports a
// list that is null, which no empty list is.
func (l *Leaf) List(items []Item) (_ []Item, null bool, err error) {
	v, err := l.peek()
	if err != nil {
		return nil, false, err
	}
	if v.RepetitionLevel() != 0 {
		return nil, false, errBrokenList
	}
	if level := v.DefinitionLevel(); level < l.element {
		l.at++
		return items, level < l.element-1, nil
	}
	for first := true; first || v.RepetitionLevel() > 0; first = false {
		item := Item{Null: v.IsNull() || v.DefinitionLevel() < l.defined}
		if !item.Null {
			item.Text = string(v.ByteArray())
		}
		items = append(items, item)
		l.at++
		v, err = l.peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false, err
		}
	}
	return items, false, nil
}

// AppendRow appends the values of the next row as those of the given column.
// The values of a flat column are valid until the next call.
func (l *Leaf) AppendRow(row parquet.Row, column int) (parquet.Row, error) {
	v, err := l.peek()
	if err != nil {
		return row, err
	}
	if l.flat() {
		l.at++
		return append(row, v.Level(0, v.DefinitionLevel(), column)), nil
	}
	if v.RepetitionLevel() != 0 {
		return row, errBrokenList
	}
	for first := true; first || v.RepetitionLevel() > 0; first = false {
		row = append(row, v.Clone().Level(v.RepetitionLevel(), v.DefinitionLevel(), column))
		l.at++
		v, err = l.peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return row, err
		}
	}
	return row, nil
}
