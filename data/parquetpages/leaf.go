package parquetpages

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// ErrBrokenList is of lists that do not end where their row does.
var ErrBrokenList = errors.New("a list goes on where a row should begin")

// Leaf reads the values of one leaf column in order, holding one page.
type Leaf struct {
	file     *File
	column   *parquet.Column
	kind     parquet.Kind
	holds    Kind
	unsigned bool
	defined  int // definition level of a value that is not null
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
	l := &Leaf{file: f, column: column, kind: column.Type().Kind(), holds: KindOf(column.Type()), defined: column.MaxDefinitionLevel()}
	if t, ok := logicalType(column.Type()).(*format.IntType); ok {
		l.unsigned = !t.IsSigned
	}
	return l
}

// Name is the name of the top-level column that the leaf belongs to.
func (l *Leaf) Name() string { return l.column.Path()[0] }

// Kind is how the values can be read.
func (l *Leaf) Kind() Kind { return l.holds }

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

// Peek is the next value, io.EOF after the last of the row group. It is valid
// until the next Peek.
func (l *Leaf) Peek() (*parquet.Value, error) {
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

// Skip goes past the value that Peek shows.
func (l *Leaf) Skip() { l.at++ }

// Null reports whether a value is null, or not there at all: in an empty list
// or below a null.
func (l *Leaf) Null(v *parquet.Value) bool {
	return v.IsNull() || v.DefinitionLevel() < l.defined
}

// Number is a value of the leaf as a float64.
func (l *Leaf) Number(v *parquet.Value) float64 {
	switch {
	case l.kind == parquet.Float:
		return float64(v.Float())
	case l.kind == parquet.Double:
		return v.Double()
	case l.kind == parquet.FixedLenByteArray:
		return Half(v.ByteArray())
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

// Half is an IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction,
// little endian.
func Half(b []byte) float64 {
	bits := binary.LittleEndian.Uint16(b)
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	var x float64
	switch exponent {
	case 0:
		x = math.Ldexp(fraction, -24)
	case 0x1f:
		if x = math.Inf(1); fraction != 0 {
			x = math.NaN()
		}
	default:
		x = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 == 1 {
		return -x
	}
	return x
}

// AppendRow appends the values of the next row as those of the given column.
// The values of a flat column are valid until the next call.
func (l *Leaf) AppendRow(row parquet.Row, column int) (parquet.Row, error) {
	v, err := l.Peek()
	if err != nil {
		return row, err
	}
	if l.flat() {
		l.at++
		return append(row, v.Level(0, v.DefinitionLevel(), column)), nil
	}
	if v.RepetitionLevel() != 0 {
		return row, ErrBrokenList
	}
	for first := true; first || v.RepetitionLevel() > 0; first = false {
		row = append(row, v.Clone().Level(v.RepetitionLevel(), v.DefinitionLevel(), column))
		l.at++
		v, err = l.Peek()
		if err == io.EOF {
			break
		}
		if err != nil {
			return row, err
		}
	}
	return row, nil
}
