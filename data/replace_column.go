package data

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// Replacement says what ReplaceColumn does to a column of doubles.
type Replacement struct {
	Column   string
	KeptAs   string // the column that the old values go to
	By       func(float64) (float64, error)
	Missing  string    // what to do where there is no such column
	Again    string    // what to do where KeptAs is there already
	Metadata [2]string // key and value that the file is given
}

// ReplaceColumn copies a Parquet file with every value of a column of doubles
// replaced, but for nulls, and the old ones kept beside it.
func ReplaceColumn(out, in string, r Replacement) error {
	rows, err := openParquetRows(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", in, err)
	}
	defer rows.Close()
	fields := rows.fields(nil)
	at := slices.IndexFunc(fields, func(f parquet.Field) bool { return f.Name() == r.Column })
	if at < 0 || !fields[at].Leaf() || fields[at].Type().Kind() != parquet.Double {
		return fmt.Errorf("read %s: no column %s of doubles: %s", in, r.Column, r.Missing)
	}
	if slices.ContainsFunc(fields, func(f parquet.Field) bool { return f.Name() == r.KeptAs }) {
		return fmt.Errorf("read %s: it has %s already: %s", in, r.KeptAs, r.Again)
	}
	column, leaves := leafCount(fields[:at]), leafCount(fields)
	kept := fields[at]
	fields[at] = namedNode{kept, r.KeptAs}
	fields = append(fields, namedNode{kept, r.Column})
	schema := parquet.NewSchema("pairs", orderedGroup{fields: fields})
	return WriteAside(out, func(to io.Writer) (err error) {
		defer parquetpages.Recover(&err)
		w := parquet.NewWriter(to, schema, parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(false),
			SkipBounds(schema), parquet.KeyValueMetadata(r.Metadata[0], r.Metadata[1]))
		return errors.Join(copyReplaced(w, rows, column, leaves, r.By), w.Close())
	})
}

// copyReplaced appends the new value to each row as its last leaf.
//
//lint:ignore SA1019 the generic writer is for Go types; these columns are known when the file is read
func copyReplaced(w *parquet.Writer, rows *parquetRows, column, leaves int, by func(float64) (float64, error)) error {
	var row parquet.Row
	for n := 0; ; n++ {
		var err error
		if row, err = rows.next(row[:0]); err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		old := row[slices.IndexFunc(row, func(v parquet.Value) bool { return v.Column() == column })]
		if !old.IsNull() {
			value, err := by(old.Double())
			if err != nil {
				return fmt.Errorf("row %d: %w", n, err)
			}
			row = append(row, parquet.DoubleValue(value).Level(0, old.DefinitionLevel(), leaves))
		} else {
			row = append(row, old.Level(0, old.DefinitionLevel(), leaves))
		}
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
		if (n+1)%rowGroupRows == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}
