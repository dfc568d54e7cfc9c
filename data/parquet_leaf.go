package data

import (
	"encoding/binary"
	"io"
	"math"
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
	pages    parquet.Pages
	page     parquet.Page
	values   parquet.ValueReader
	drained  bool              // values has no more
	buffer   [64]parquet.Value // of page, whose memory text values share
	at, n    int
}

func newLeafReader(leaf *parquet.Column) *leafReader {
	r := &leafReader{column: leaf, kind: leaf.Type().Kind(), defined: leaf.MaxDefinitionLevel()}
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

// read reads the next value, which must begin at the repetition level.
func (r *leafReader) read(c *Cell, level int) error {
	v, err := r.peek()
	if err != nil {
		return err
	}
	if v.RepetitionLevel() != level {
		return errBrokenList
	}
	r.at++
	*c = Cell{Kind: CellNull}
	if v.IsNull() || v.DefinitionLevel() < r.defined {
		return nil
	}
	switch c.Kind = leafKind(r.column.Type()); c.Kind {
	case CellText:
		c.Text = string(v.ByteArray())
	case CellBool:
		c.True = v.Boolean()
	case CellNumber:
		c.Num = r.number(v)
		if r.exact {
			c.Text = r.digits(v)
		}
	}
	return nil
}

func (r *leafReader) number(v *parquet.Value) float64 {
	switch {
	case r.kind == parquet.Float:
		return float64(v.Float())
	case r.kind == parquet.Double:
		return v.Double()
	case r.kind == parquet.FixedLenByteArray:
		return float16(v.ByteArray())
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

// float16 is an IEEE 754 half: 1 bit of sign, 5 of exponent, 10 of fraction,
// little endian.
func float16(b []byte) float64 {
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
