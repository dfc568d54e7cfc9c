package labels

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"

	"laurel/data"
	"laurel/data/parquetpages"
)

// The files of a label directory: comparisons with a verdict, which training
// reads as pairs, and those without.
const (
	PairsFile     = "pairs.parquet"
	AbstainedFile = "abstained.parquet"
)

// LabelWriter writes labels into both files of a directory, as text or as
// messages, aside and renamed when all are written.
type LabelWriter struct {
	pairs, abstained *data.RowFile[Label]
}

// NewLabelWriter begins both files. chat says that the comparisons are
// messages.
func NewLabelWriter(dir string, chat bool) (w *LabelWriter, err error) {
	w = &LabelWriter{}
	w.pairs, err = data.BeginRows(filepath.Join(dir, PairsFile), func(out io.Writer) data.RowWriter[Label] {
		if chat {
			return data.ParquetRows(out, asChosen[[]data.Message], Label.bytes, chosenRow[[]data.Message]{}.schema())
		}
		return data.ParquetRows(out, asChosen[string], Label.bytes)
	})
	if err != nil {
		return nil, err
	}
	w.abstained, err = data.BeginRows(filepath.Join(dir, AbstainedFile), func(out io.Writer) data.RowWriter[Label] {
		if chat {
			return data.ParquetRows(out, asAbstained[[]data.Message], Label.bytes, abstainedRow[[]data.Message]{}.schema())
		}
		return data.ParquetRows(out, asAbstained[string], Label.bytes)
	})
	if err != nil {
		return nil, errors.Join(err, data.AbortAll(w.pairs))
	}
	return w, nil
}

// Write writes the next label.
func (w *LabelWriter) Write(l Label) error {
	if l.Side == Neither {
		return w.abstained.Write(l)
	}
	return w.pairs.Write(l)
}

// Close finishes both files and gives them their names.
func (w *LabelWriter) Close() error { return data.CloseAll(w.pairs, w.abstained) }

// Abort removes what was written.
func (w *LabelWriter) Abort() error { return data.AbortAll(w.pairs, w.abstained) }

func (l Label) bytes() int {
	return l.Prompt.Bytes() + l.A.Bytes() + l.B.Bytes() + len(l.Rationale) + len(l.ID) + 64*len(l.Votes)
}

// ReadLabels yields the labels of a label directory, first those with a
// verdict, then the abstentions, or those of one of its files.
func ReadLabels(path string) iter.Seq2[Label, error] {
	return func(yield func(Label, error) bool) {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			files = []string{filepath.Join(path, PairsFile), filepath.Join(path, AbstainedFile)}
		}
		for _, file := range files {
			more := true
			err := readLabelFile(file, func(l Label, err error) bool {
				more = yield(l, err)
				return more
			})
			if err != nil {
				yield(Label{}, fmt.Errorf("read labels %s: %w", file, err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// readLabelFile finds by its columns which of the four layouts a file has.
func readLabelFile(file string, yield func(Label, error) bool) (err error) {
	defer parquetpages.Recover(&err)
	in, err := parquetpages.Open(file) // which checks the footer
	if errors.Is(err, os.ErrNotExist) {
		return data.RootCause(err)
	}
	if err != nil {
		return fmt.Errorf("%w (%s)", data.RootCause(err), labelFiles)
	}
	defer in.Close()
	prompt, ok := in.Schema().Lookup("prompt")
	text := ok && prompt.Node.Leaf()
	_, pairs := in.Schema().Lookup("chosen_is")
	switch {
	case pairs && text:
		return readLabelRows[chosenRow[string]](file, in, yield)
	case pairs:
		return readLabelRows[chosenRow[[]data.Message]](file, in, yield)
	case text:
		return readLabelRows[abstainedRow[string]](file, in, yield)
	}
	return readLabelRows[abstainedRow[[]data.Message]](file, in, yield)
}

// labelRow is a row of one of the four layouts.
type labelRow interface {
	schema() *parquet.Schema
	label() (Label, error)
}

func readLabelRows[Row labelRow](path string, file *parquetpages.File, yield func(Label, error) bool) error {
	schema := (*new(Row)).schema()
	if err := sameColumns(schema, file.Schema()); err != nil {
		return err
	}
	ours, err := parquet.Convert(schema, file.Schema())
	if err != nil {
		return fmt.Errorf("%w (%s)", err, labelFiles)
	}
	rows := file.NewWholeRows()
	defer rows.Close()
	values := make([]parquet.Row, 1)
	for at := 0; ; at++ {
		if values[0], err = rows.Next(values[0][:0]); err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", at, err)
		}
		if _, err = ours.Convert(values); err != nil {
			return fmt.Errorf("row %d: %w: %s", at, err, parquetpages.Damaged)
		}
		var row Row
		if err = schema.Reconstruct(&row, values[0]); err != nil {
			return fmt.Errorf("row %d: %w: %s", at, err, parquetpages.Damaged)
		}
		l, wrong := row.label()
		if wrong != nil {
			return fmt.Errorf("row %d: %w", at, wrong)
		}
		l.File, l.Row = path, at
		if !yield(l, nil) {
			return nil
		}
	}
}

const labelFiles = "labels are the files " + PairsFile + " and " + AbstainedFile + " that laurel label writes"

// sameColumns refuses a file without all the columns of labels, which
// parquet-go would read as zeros.
func sameColumns(want, have *parquet.Schema) error {
	var missing []string
	for _, path := range want.Columns() {
		if _, ok := have.Lookup(path...); !ok {
			missing = append(missing, strings.Join(path, "."))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no column %s: %s", data.List(missing), labelFiles)
	}
	return nil
}

// HoldsLabels reports whether a file has the columns of pairs that laurel label
// wrote.
func HoldsLabels(path string) bool {
	in, err := parquetpages.Open(path)
	if err != nil {
		return false
	}
	defer in.Close()
	_, pairs := in.Schema().Lookup("chosen_is")
	return pairs
}
