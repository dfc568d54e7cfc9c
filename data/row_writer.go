package data

import (
	"encoding/json"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Row groups of what we write: small enough to seek to a row and to hold one
// in memory.
const (
	rowGroupRows  = 10_000
	rowGroupBytes = 64 << 20
)

// RowWriter writes rows of one layout.
type RowWriter[T any] struct {
	Write func(T) error
	Close func() error
}

// JSONRows writes values as JSON lines of the layout.
func JSONRows[T, Row any](w io.Writer, layout func(T) Row) RowWriter[T] {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return RowWriter[T]{func(value T) error { return enc.Encode(layout(value)) }, func() error { return nil }}
}

// ParquetRows writes values as rows of the layout; bytes is about what a
// value takes, so that row groups stay small.
func ParquetRows[T, Row any](w io.Writer, layout func(T) Row, bytes func(T) int, options ...parquet.WriterOption) RowWriter[T] {
	pw := parquet.NewGenericWriter[Row](w, append(parquetOptions(), options...)...)
	groupRows, groupBytes := 0, 0
	row := make([]Row, 1)
	write := func(value T) error {
		row[0] = layout(value)
		if _, err := pw.Write(row); err != nil {
			return err
		}
		groupRows, groupBytes = groupRows+1, groupBytes+bytes(value)
		if groupRows < rowGroupRows && groupBytes < rowGroupBytes {
			return nil
		}
		groupRows, groupBytes = 0, 0
		return pw.Flush()
	}
	return RowWriter[T]{write, pw.Close}
}

// parquetOptions: bounds of texts are left out, for they would put whole texts
// into the footer, and statistics, which would put them into each page's header.
func parquetOptions() []parquet.WriterOption {
	options := []parquet.WriterOption{parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(false), parquet.CreatedBy("laurel", "1", "")}
	for _, column := range []string{"prompt", "chosen", "rejected", "response_a", "response_b", "rationale"} {
		options = append(options, parquet.SkipPageBounds(column), parquet.SkipPageBounds(column, "list", "element", "content"))
	}
	return options
}
