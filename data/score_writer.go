package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// Score is the outcome for one completion.
type Score struct {
	Reward    float32 // the raw logit
	Valid     bool    // false: there is no reward, and Reason says why
	Tokens    int     // after cutting
	Truncated bool
	Reason    string
	Spread    Spread // of an ensemble
}

// Spread is what the members of an ensemble make of one completion.
type Spread struct {
	Std   float32 // standard deviation between the members
	Lower float32 // mean − k·Std
}

// ScoreWriter writes a table's columns and its scores as Parquet. It reads the
// input a second time, in step with the rows written, so that records stay
// small and columns that scoring does not read pass through unchanged.
type ScoreWriter struct {
	table    *Table
	input    passThrough
	file     *asideFile
	buffer   *bufio.Writer
	w        *parquet.Writer
	row      parquet.Row
	columns  int // leaves before the scores
	replaced []string
	rows     int
	spread   bool
	group    int // rows in the open row group
	bytes    int // bytes in it
}

// passThrough gives the rows of the input as Parquet values.
type passThrough interface {
	// fields are the input's columns without those named, of which replaced
	// are there.
	fields(without []string) (kept []parquet.Field, replaced []string)
	// next appends the values of the next row, levels and column indexes set.
	next(parquet.Row) (parquet.Row, error)
	Close() error
}

// scoreColumns are the columns written for one completion; for pairs each
// name ends in _chosen and _rejected.
func scoreColumns(pairs, spread bool) []parquet.Field {
	suffixes := []string{""}
	if pairs {
		suffixes = []string{"_chosen", "_rejected"}
	}
	var out []parquet.Field
	for _, s := range suffixes {
		out = append(out,
			namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s},
			namedNode{parquet.Leaf(parquet.Int32Type), "tokens" + s},
			namedNode{parquet.Leaf(parquet.BooleanType), "truncated" + s},
			namedNode{parquet.Optional(parquet.String()), "reason" + s})
		if spread {
			out = append(out,
				namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s + "_std"},
				namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s + "_lower"})
		}
	}
	return out
}

// NewScoreWriter begins the output file: the table's columns and then reward
// (float32, null where there is none), tokens, truncated and reason, for
// pairs reward_chosen, reward_rejected and so on. Parquet columns keep their
// types; those of JSON lines become bool, int64, double or text, or where
// they are nested or mixed their JSON text; those of CSV stay text. With
// spread, reward_std and reward_lower follow.
func NewScoreWriter(out string, t *Table, spread bool) (*ScoreWriter, error) {
	input, err := openPassThrough(t)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.file, err)
	}
	file, err := createAside(out)
	if err != nil {
		input.Close()
		return nil, err
	}
	w := &ScoreWriter{table: t, spread: spread, input: input, file: file, buffer: bufio.NewWriterSize(file, 1<<20)}
	if err := w.begin(); err != nil {
		w.Abort()
		return nil, fmt.Errorf("write %s: %w", out, err)
	}
	return w, nil
}

func (w *ScoreWriter) begin() (err error) {
	defer parquetpages.Recover(&err)
	scores := scoreColumns(w.table.Pairs(), w.spread)
	var names []string
	for _, c := range scores {
		names = append(names, c.Name())
	}
	kept, replaced := w.input.fields(names)
	w.replaced, w.columns = replaced, leafCount(kept)
	schema := parquet.NewSchema("scores", orderedGroup{fields: append(kept, scores...)})
	w.w = parquet.NewWriter(w.buffer, schema, parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(false), skipBounds(schema))
	return nil
}

func openPassThrough(t *Table) (passThrough, error) {
	switch t.src.(type) {
	case *parquetSource:
		return openParquetRows(t.file)
	case *jsonSource:
		return openJSONRows(t.file)
	}
	return openCSVRows(t.file)
}

// skipBounds keeps whole texts out of the footer.
func skipBounds(schema *parquet.Schema) parquet.WriterOption {
	var options []parquet.WriterOption
	for _, path := range schema.Columns() {
		options = append(options, parquet.SkipPageBounds(path...))
	}
	return writerOptions(options)
}

type writerOptions []parquet.WriterOption

func (o writerOptions) ConfigureWriter(c *parquet.WriterConfig) {
	for _, option := range o {
		option.ConfigureWriter(c)
	}
}

// Replaced lists the input columns that gave way to new scores of their name.
func (w *ScoreWriter) Replaced() []string { return w.replaced }

// Write writes the scores of the next record, one for each completion; a
// record with a Problem needs none. Records come in the table's order.
func (w *ScoreWriter) Write(rec Record, scores []Score) error {
	if rec.index != w.rows {
		return fmt.Errorf("write %s: scores of record %d where record %d is next", w.file.path, rec.index, w.rows)
	}
	want := 1
	if w.table.Pairs() {
		want = 2
	}
	if rec.Problem != "" {
		scores = slices.Repeat([]Score{{Reason: rec.Problem}}, want)
	}
	if len(scores) != want {
		return fmt.Errorf("write %s: %d scores for a record that needs %d", w.file.path, len(scores), want)
	}
	var err error
	if w.row, err = w.input.next(w.row[:0]); err != nil {
		return fmt.Errorf("read %s again: %w: did it change meanwhile?", w.table.file, parquetpages.NoEOF(err))
	}
	for i, s := range scores {
		width := 4
		if w.spread {
			width = 6
		}
		w.row = appendScore(w.row, s, w.columns+width*i)
		if w.spread {
			w.row = append(w.row, floatValue(s.Spread.Std, s.Valid, w.columns+width*i+4), floatValue(s.Spread.Lower, s.Valid, w.columns+width*i+5))
		}
	}
	return w.writeRow()
}

func appendScore(row parquet.Row, s Score, column int) parquet.Row {
	reward := floatValue(s.Reward, s.Valid, column)
	reason := parquet.NullValue().Level(0, 0, column+3)
	if s.Reason != "" {
		reason = parquet.ByteArrayValue([]byte(s.Reason)).Level(0, 1, column+3)
	}
	return append(row, reward,
		parquet.Int32Value(int32(s.Tokens)).Level(0, 0, column+1),
		parquet.BooleanValue(s.Truncated).Level(0, 0, column+2),
		reason)
}

// floatValue is null where it is not valid.
func floatValue(x float32, valid bool, column int) parquet.Value {
	if !valid {
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.FloatValue(x).Level(0, 1, column)
}

func (w *ScoreWriter) writeRow() (err error) {
	defer parquetpages.Recover(&err)
	if _, err := w.w.WriteRows([]parquet.Row{w.row}); err != nil {
		return fmt.Errorf("write %s: row %d: %w", w.file.path, w.rows, err)
	}
	w.rows++
	w.group++
	for i := range w.row {
		if k := w.row[i].Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			w.bytes += len(w.row[i].ByteArray())
		}
	}
	if w.group < rowGroupRows && w.bytes < rowGroupBytes {
		return nil
	}
	w.group, w.bytes = 0, 0
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", w.file.path, err)
	}
	return nil
}

// Close finishes the file and gives it its name. Every row of the table must
// have been written.
func (w *ScoreWriter) Close() error {
	if _, err := w.input.next(nil); err != io.EOF {
		w.Abort()
		return fmt.Errorf("write %s: only %d rows have scores, the input has more", w.file.path, w.rows)
	}
	w.input.Close()
	if err := errors.Join(w.w.Close(), w.buffer.Flush()); err != nil {
		w.file.abort()
		return fmt.Errorf("write %s: %w", w.file.path, err)
	}
	return w.file.commit()
}

// Abort removes what was written.
func (w *ScoreWriter) Abort() error {
	w.input.Close()
	return w.file.abort()
}
