package data

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// UncalibratedColumn keeps the confidence that a label had before its
// calibration.
const UncalibratedColumn = "confidence_uncalibrated"

// WriteCalibrated copies a Parquet file of pairs with every confidence
// replaced, the old one kept as confidence_uncalibrated. The file's metadata
// say by which method, under laurel.calibration.
func WriteCalibrated(out, in string, calibrate func(float64) float64, method string) error {
	rows, err := openParquetRows(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", in, err)
	}
	defer rows.Close()
	fields, _ := rows.fields(nil)
	at := slices.IndexFunc(fields, func(f parquet.Field) bool { return f.Name() == fieldConfidence.String() })
	if at < 0 || !fields[at].Leaf() || fields[at].Type().Kind() != parquet.Double {
		return fmt.Errorf("read %s: no column confidence of doubles: give the pairs that laurel label writes", in)
	}
	if slices.ContainsFunc(fields, func(f parquet.Field) bool { return f.Name() == UncalibratedColumn }) {
		return fmt.Errorf("read %s: it has %s already: calibrate the labels themselves, not calibrated ones", in, UncalibratedColumn)
	}
	column, leaves := leafCount(fields[:at]), leafCount(fields)
	kept := fields[at]
	fields[at] = namedNode{kept, UncalibratedColumn}
	fields = append(fields, namedNode{kept, fieldConfidence.String()})
	schema := parquet.NewSchema("pairs", orderedGroup{fields: fields})
	return WriteAside(out, func(to io.Writer) (err error) {
		defer parquetpages.Recover(&err)
		w := parquet.NewWriter(to, schema, parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(false),
			skipBounds(schema), parquet.KeyValueMetadata("laurel.calibration", method))
		return errors.Join(copyCalibrated(w, rows, column, leaves, calibrate), w.Close())
	})
}

// copyCalibrated appends the calibrated confidence to each row as its last
// leaf.
func copyCalibrated(w *parquet.Writer, rows *parquetRows, column, leaves int, calibrate func(float64) float64) error {
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
			p := calibrate(old.Double())
			if !(p >= 0 && p <= 1) {
				return fmt.Errorf("row %d: confidence %v becomes %v", n, old.Double(), p)
			}
			row = append(row, parquet.DoubleValue(p).Level(0, old.DefinitionLevel(), leaves))
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
