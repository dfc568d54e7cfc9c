package data

import (
	"strings"
	"testing"
)

// badFiles is shared/data/bad/README.md as expectations: what the error says
// under fail, and how many rows are kept under skip (-1: still an error).
var badFiles = []struct {
	file string
	says []string
	kept int
}{
	{"missing-rejected.parquet", []string{"no column rejected", "prompt, chosen, confidence", "data.columns"}, -1},
	{"null-strings.parquet", []string{"row 3", "column chosen", "null", "--on-bad-row skip"}, 18},
	{"confidence-nan.parquet", []string{"row 7", "column confidence", "NaN"}, 19},
	{"confidence-inf.parquet", []string{"row 2", "column confidence", "Inf"}, 19},
	{"confidence-negative.parquet", []string{"row 4", "column confidence", "-0.25"}, 19},
	{"confidence-over-one.parquet", []string{"row 5", "column confidence", "1.5"}, 19},
	{"confidence-percent.parquet", []string{"row 0", "column confidence", "90", "percentage", "divide the column by 100"}, -1},
	{"confidence-all-zero.parquet", []string{"column confidence", "every confidence is 0", "sum of the weights"}, -1},
	{"confidence-as-string.parquet", []string{"column confidence", "string", "not a number"}, -1},
	{"empty-text.parquet", []string{"row 6", "column chosen", "empty"}, 18},
	{"identical.parquet", []string{"row 8", "column rejected", "equals chosen"}, 19},
	{"zero-rows.parquet", []string{"no rows"}, -1},
	{"wrong-types.parquet", []string{"column prompt is int64", "column chosen is double", "column confidence is string"}, -1},
	{"label-tie.parquet", []string{"row 0", "column label", "tie"}, 15},
	{"invalid-utf8.parquet", []string{"row 2", "column chosen", "UTF-8", "byte 4"}, 3},
	{"nul-byte.parquet", []string{"row 0", "column chosen", "NUL"}, 3},
	{"truncated.parquet", []string{"no footer", "truncated"}, -1},
	{"corrupt-page.parquet", []string{"row group 0", "column prompt", "damaged"}, -1},
	{"footer-length.parquet", []string{"2147483647", "damaged"}, -1},
	{"not-parquet.parquet", []string{"not a Parquet file", "prompt,chosen", "CSV"}, -1},
	{"zero-bytes.parquet", []string{"empty", "0 bytes"}, -1},
	{"magic-only.parquet", []string{"8 bytes", "truncated"}, -1},
	{"broken-line.jsonl", []string{"line 5", "broken JSON", "cut short"}, 19},
	{"line-not-object.jsonl", []string{"line 3", "not a JSON object"}, 19},
	{"invalid-utf8.jsonl", []string{"line 2", "column chosen", "UTF-8"}, 1},
	{"nan-literal.jsonl", []string{"line 1", "column confidence", "NaN"}, -1},
	{"chat-empty-list.parquet", []string{"row 1", "column chosen", "empty list"}, 1},
	{"chat-bad-role.parquet", []string{"row 0", "column chosen", `"usr"`, `"user"`}, -1},
	{"chat-ends-with-user.parquet", []string{"row 0", "column chosen", "ends with a user turn"}, -1},
	{"chat-different-prompts.parquet", []string{"row 0", "column chosen", "does not share a prompt with rejected"}, -1},
}

func TestBadFiles(t *testing.T) {
	for _, bad := range badFiles {
		t.Run(bad.file, func(t *testing.T) {
			path := shared(t, "bad/"+bad.file)
			_, _, err := readAll(t, path, ReadConfig{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, s := range append(bad.says, "read pairs "+path) {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\nlacks %q", err, s)
				}
			}
			pairs, counts, err := readAll(t, path, ReadConfig{OnBadRow: "skip"})
			if bad.kept < 0 && err == nil || bad.kept >= 0 && (err != nil || len(pairs) != bad.kept) {
				t.Errorf("skip: %d pairs, %v, %v; want %d", len(pairs), counts, err, bad.kept)
			}
			if counts.Read != counts.Kept+counts.SkippedRows() {
				t.Errorf("%v does not add up", counts)
			}
		})
	}
}

func TestOddButWellFormedFiles(t *testing.T) {
	for file, rows := range map[string]int{"megabyte-text.parquet": 20, "duplicate-rows.parquet": 25, "contradiction.parquet": 20} {
		if got := mustRead(t, shared(t, "bad/"+file), ReadConfig{}); len(got) != rows {
			t.Errorf("%s: %d rows, not %d", file, len(got), rows)
		}
	}
	if p := mustRead(t, shared(t, "bad/megabyte-text.parquet"), ReadConfig{})[1]; len(p.Chosen.Plain) != 1050000 {
		t.Errorf("the long text has %d bytes", len(p.Chosen.Plain))
	}
}
