package data

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data/parquetpages"
)

// Score is the outcome for one completion.
type Score struct {
	Reward    float32 // the raw logit
	Valid     bool    // false: there is no reward, and Reason says why
	Tokens    int     // after cutting
	Truncated bool
	Reason    string

	// Of an ensemble's members:
	Std   float32 // the standard deviation of their rewards
	Lower float32 // Reward − k·Std
}

// ScoreColumns say which columns scores have beside the rewards.
type ScoreColumns struct {
	Ensemble bool // reward_std and reward_lower
	// Temperature T, where above 0, adds to pairs probability_chosen,
	// σ((reward_chosen − reward_rejected)/T); null where a reward is.
	Temperature float64
}

// probability is that column, where both sides have a reward.
func (c ScoreColumns) probability(scores []Score) (p float32, valid bool) {
	if len(scores) != 2 || !scores[0].Valid || !scores[1].Valid {
		return 0, false
	}
	margin := float64(scores[0].Reward) - float64(scores[1].Reward)
	return float32(1 / (1 + math.Exp(-margin/c.Temperature))), true
}

// ScoreWriter writes a table's columns and its scores. It reads the input a
// second time, in step with the rows written, so that records stay small and
// columns that scoring does not read pass through unchanged.
type ScoreWriter struct {
	table    *Table
	input    passThrough
	file     *asideFile
	out      scoreFormat
	replaced []string
	rows     int
}

// passThrough gives the rows of the input again.
type passThrough interface {
	parquetRowSource
	jsonRowSource
	// columns are the names of the input's columns.
	columns() []string
	Close() error
}

// scoreFormat is how the output is written.
type scoreFormat interface {
	// write writes the next row of the input with its scores.
	write(scores []Score) error
	// close finishes the content.
	close() error
}

// rereadError is that of a row that was read before.
func rereadError(err error) error {
	return fmt.Errorf("read the input again: %w: did it change meanwhile?", parquetpages.NoEOF(err))
}

// NewScoreWriter begins the output file: the table's columns and then reward
// (float32, null where there is none), tokens, truncated and reason, for
// pairs reward_chosen, reward_rejected and so on, and for an ensemble
// reward_std and reward_lower; columns say which of them. What out's name ends in says how: .jsonl or
// .ndjson as JSON lines, .csv as CSV, .parquet as Parquet (CheckScoreName). In Parquet, columns of
// Parquet keep their types; those of JSON lines become bool, int64, double or
// text, or where they are nested or mixed their JSON text; those of CSV stay
// text.
func NewScoreWriter(out string, t *Table, columns ScoreColumns) (*ScoreWriter, error) {
	if err := CheckScoreName(out); err != nil {
		return nil, err
	}
	input, err := openPassThrough(t)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.file, err)
	}
	file, err := createAside(out)
	if err != nil {
		input.Close()
		return nil, err
	}
	w := &ScoreWriter{table: t, input: input, file: file}
	for _, name := range scoreNames(t.Pairs(), columns) {
		if slices.Contains(input.columns(), name) {
			w.replaced = append(w.replaced, name)
		}
	}
	buffer := bufio.NewWriterSize(file, 1<<20)
	switch strings.ToLower(filepath.Ext(out)) {
	case ".jsonl", ".ndjson":
		w.out = newLineScores(input, buffer, t.Pairs(), columns)
	case ".csv":
		w.out, err = newCSVScores(input, buffer, t.Pairs(), columns)
	default:
		w.out, err = newParquetScores(input, buffer, t.Pairs(), columns)
	}
	if err != nil {
		w.Abort()
		return nil, fmt.Errorf("write %s: %w", out, err)
	}
	return w, nil
}

// CheckScoreName refuses the name of a file of scores whose ending says not how it is
// to be written.
func CheckScoreName(out string) error {
	switch strings.ToLower(filepath.Ext(out)) {
	case ".parquet", ".jsonl", ".ndjson", ".csv":
		return nil
	}
	return fmt.Errorf("%s: scores are written to a file named .parquet, .jsonl or .csv", out)
}

// scoreNames are the columns of the scores, in their order.
func scoreNames(pairs bool, columns ScoreColumns) []string {
	var names []string
	suffixes := []string{""}
	if pairs {
		suffixes = []string{"_chosen", "_rejected"}
	}
	for _, s := range suffixes {
		names = append(names, "reward"+s, "tokens"+s, "truncated"+s, "reason"+s)
		if columns.Ensemble {
			names = append(names, "reward"+s+"_std", "reward"+s+"_lower")
		}
	}
	if pairs && columns.Temperature > 0 {
		names = append(names, "probability_chosen")
	}
	return names
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

// Replaced lists the input columns that gave way to new scores of their name.
func (w *ScoreWriter) Replaced() []string { return w.replaced }

// Write writes the next row of the table with its scores: one, for pairs two.
func (w *ScoreWriter) Write(scores []Score) error {
	if want := w.table.PerRow(); len(scores) != want {
		return fmt.Errorf("write %s: row %d: %d scores for a row that needs %d", w.file.path, w.rows, len(scores), want)
	}
	if err := w.out.write(scores); err != nil {
		return fmt.Errorf("write %s: row %d: %w", w.file.path, w.rows, err)
	}
	w.rows++
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
	if err := w.out.close(); err != nil {
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
