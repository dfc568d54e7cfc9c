package labels

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"laurel/data"
)

// Review is a comparison that is put to people.
type Review struct {
	data.Comparison
	Why string // of all comparisons this one
}

// reviewRow is a row of a review file. What people are to fill in comes last,
// and what the judges think is not there: it would lead them.
type reviewRow struct {
	ID        string `parquet:"id"`
	Prompt    string `parquet:"prompt"`
	Tools     string `parquet:"tools,optional"` // that the prompt's conversation has
	A         string `parquet:"response_a"`
	B         string `parquet:"response_b"`
	Reason    string `parquet:"reason,dict"`
	Answer    string `parquet:"answer,optional"`
	Annotator string `parquet:"annotator,optional"`
	Note      string `parquet:"note,optional"`
}

func (r Review) row() reviewRow {
	return reviewRow{ID: r.ID, Prompt: reviewText(r.Prompt), Tools: r.Prompt.Context.Offered(), A: reviewText(r.A), B: reviewText(r.B), Reason: r.Why}
}

func (r Review) bytes() int {
	return r.Prompt.Bytes() + len(r.Prompt.Context.Offered()) + r.A.Bytes() + r.B.Bytes()
}

// reviewText is a text as its cell holds it: messages as JSON.
func reviewText(t data.Text) string {
	if t.Messages == nil {
		return t.Plain
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(data.MessageList(t)) // of strings, into memory: it cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// LongestCell is what a cell of the usual spreadsheets holds, in UTF-16 code
// units; they cut longer ones.
const LongestCell = 32767

// Longest is the length of the longest text in the units of LongestCell.
func (r Review) Longest() int {
	longest := 0
	for _, cell := range []string{reviewText(r.Prompt), r.Prompt.Context.Offered(), reviewText(r.A), reviewText(r.B)} {
		n := 0
		for _, c := range cell {
			n += max(1, utf16.RuneLen(c))
		}
		longest = max(longest, n)
	}
	return longest
}

// ReviewFiles are the files that WriteReview writes: path where it ends in
// .csv or .parquet, both where it has no ending.
func ReviewFiles(path string) ([]string, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv", ".parquet":
		return []string{path}, nil
	case "":
		return []string{path + ".csv", path + ".parquet"}, nil
	default:
		return nil, fmt.Errorf("review file %s: the ending is %s, want .csv, .parquet, or none for both", path, ext)
	}
}

// WriteReview writes the comparisons for people to answer.
func WriteReview(path string, rows []Review) error {
	paths, err := ReviewFiles(path)
	if err != nil {
		return err
	}
	var files []*data.RowFile[Review]
	for _, path := range paths {
		layout := reviewCSV(slices.ContainsFunc(rows, func(r Review) bool { return r.Prompt.Context.Offered() != "" }))
		if strings.ToLower(filepath.Ext(path)) == ".parquet" {
			layout = func(w io.Writer) data.RowWriter[Review] { return data.ParquetRows(w, Review.row, Review.bytes) }
		}
		f, err := data.BeginRows(path, layout)
		if err != nil {
			return errors.Join(err, data.AbortAll(files...))
		}
		files = append(files, f)
		for _, row := range rows {
			if err := f.Write(row); err != nil {
				return errors.Join(err, data.AbortAll(files...))
			}
		}
	}
	return data.CloseAll(files...)
}

// reviewCSV has a column for tools where some comparison has any.
func reviewCSV(tools bool) func(io.Writer) data.RowWriter[Review] {
	return func(w io.Writer) data.RowWriter[Review] { return reviewLines(w, tools) }
}

// reviewLines begins with the mark by which spreadsheets know UTF-8.
func reviewLines(w io.Writer, tools bool) data.RowWriter[Review] {
	withTools := func(cells []string, cell string) []string {
		if !tools {
			return cells
		}
		return slices.Insert(cells, 2, cell)
	}
	out := csv.NewWriter(w)
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
		return out.Write(withTools([]string{"id", "prompt", "response_a", "response_b", "reason", "answer", "annotator", "note"}, "tools"))
	}
	write := func(r Review) error {
		row := r.row()
		return errors.Join(begin(), out.Write(withTools([]string{guarded(row.ID), guarded(row.Prompt), guarded(row.A), guarded(row.B), row.Reason, "", "", ""}, guarded(row.Tools))))
	}
	return data.RowWriter[Review]{Write: write, Close: func() error {
		err := begin()
		out.Flush()
		return errors.Join(err, out.Error())
	}}
}

// guarded puts an apostrophe before what a spreadsheet would run as a formula,
// and before an apostrophe, so that unguarded gives back the very text.
func guarded(cell string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, unicode.IsSpace))
	if strings.HasPrefix(cell, "'") || cell != "" && strings.ContainsRune("=+-@＝＋－＠\t\r\n", first) || strings.ContainsAny(cell[:min(1, len(cell))], "\t\r\n") {
		return "'" + cell
	}
	return cell
}

func unguarded(cell string) string { return strings.TrimPrefix(cell, "'") }
