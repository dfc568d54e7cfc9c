package labels

import (
	"encoding/csv"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// awkwardTexts try what CSV, spreadsheets and JSON make of them.
func awkwardTexts() []string {
	return []string{"=1+1", "'=1+1", "''", "+a", "-a", "@a", "\tx", "\r\nx", "\n=x", " =x", "＝1", "a,b;\"c\"\n\"\"d", "line\r\nline\rline\n", "日本\u202e語 👍",
		"  spaces  ", `\.`, "a\u00a0", `[{"role":"user","content":"x"}]`, "<b>&amp;</b>", "x'", "\ufeffbom"}
}

func reviewsOf(texts []string, chat bool) (rows []Review, labels []Label) {
	for i, text := range texts {
		c := data.Comparison{ID: texts[(i+1)%len(texts)], Prompt: data.Text{Plain: text}, A: data.Text{Plain: texts[(i+2)%len(texts)]}, B: data.Text{Plain: texts[(i+3)%len(texts)]}}
		if chat {
			c.Prompt = data.Text{Messages: []data.Message{{Role: "system", Content: "s"}, {Role: "user", Content: text}}}
			c.A, c.B = assistant(c.A), assistant(c.B)
		}
		rows = append(rows, Review{Comparison: c, Why: "tie"})
		labels = append(labels, Label{Comparison: c})
	}
	return rows, labels
}

func each(labels []Label) iter.Seq2[Label, error] {
	return func(yield func(Label, error) bool) {
		for _, l := range labels {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// TestReviewRoundTrip: what is written reads back as the same comparisons, by
// our reader and by encoding/csv, and nothing a spreadsheet would run is left.
func TestReviewRoundTrip(t *testing.T) {
	for _, chat := range []bool{false, true} {
		rows, labels := reviewsOf(awkwardTexts(), chat)
		path := filepath.Join(t.TempDir(), "review")
		if err := WriteReview(path, rows); err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".csv", ".parquet"} {
			var counts data.Counts
			got, err := ReadReviewed([]string{path + ext}, each(labels), data.ReadConfig{}, &counts)
			if err != nil {
				t.Fatalf("chat %v: %v", chat, err)
			}
			for i, r := range got {
				if r.ID != rows[i].ID || r.Answered || r.Annotator != "review" || r.Row != i {
					t.Errorf("%s: %+v, want %q", ext, r, rows[i].ID)
				}
			}
			if n, err := AnswersIn(path + ext); n != 0 || err != nil || counts.Kept != len(rows) {
				t.Errorf("%d answers, %v, %s", n, err, counts)
			}
		}
		raw, err := os.ReadFile(path + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
		if err != nil || len(records) != len(rows)+1 || !slices.Equal(records[0], []string{"id", "prompt", "response_a", "response_b", "reason", "answer", "annotator", "note"}) {
			t.Fatalf("%v, %q", err, records[0])
		}
		for _, record := range records[1:] {
			for _, cell := range record {
				if first := strings.TrimLeft(cell, " \t\r\n\u00a0"); first != "" && strings.ContainsAny(first[:1], "=+-@") {
					t.Errorf("a formula: %q", cell)
				}
			}
			if !chat && record[3] == "" {
				t.Errorf("%q", record)
			}
		}
	}
}

func FuzzGuarded(f *testing.F) {
	for _, text := range awkwardTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		g := guarded(cell)
		if unguarded(g) != cell {
			t.Errorf("%q becomes %q and then %q", cell, g, unguarded(g))
		}
		if g != "" && strings.ContainsAny(g[:1], "=+-@\t\r\n") {
			t.Errorf("%q stays %q", cell, g)
		}
	})
}

func TestReviewFiles(t *testing.T) {
	for path, want := range map[string]string{"a.csv": "a.csv", "a.PARQUET": "a.PARQUET", "x/a": "x/a.csv x/a.parquet", "a.xlsx": ""} {
		if got, err := ReviewFiles(path); strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if n := (Review{Comparison: data.Comparison{Prompt: data.Text{Plain: "👍é"}, A: data.Text{Plain: "ab"}}}).Longest(); n != 3 {
		t.Errorf("%d UTF-16 units, want 3", n)
	}
}

func TestReadReviewed(t *testing.T) {
	labels := []Label{
		{Comparison: data.Comparison{ID: "1", Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "x\ny"}, B: data.Text{Plain: "z"}}},
		{Comparison: data.Comparison{ID: "2", Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "x"}, B: data.Text{Plain: "z"}}},
		{Comparison: data.Comparison{ID: "3", Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "x"}, B: data.Text{Plain: "x"}}},
	}
	// line ends as a spreadsheet leaves them; a second file of another annotator
	file := write(t, "ann.csv", "id;prompt;response_a;response_b;answer;annotator;note\r\n1;p;\"x\r\ny\";z; A ;;'tis so\r\n2;p;x;z;Tie;Bo ;\r\n3;p;x;x;;;\r\n")
	plain := write(t, "bob.jsonl", `{"id":1,"answer":"b"}`+"\n"+`{"id":"3","answer":"tie","note":null}`+"\n"+`{"id":"2"}`+"\n")
	var counts data.Counts
	got, err := ReadReviewed([]string{file, plain}, each(labels), data.ReadConfig{}, &counts)
	if err != nil || counts.Kept != 6 {
		t.Fatal(err, counts)
	}
	want := []Reviewed{
		{"1", true, SideA, "ann", "'tis so", file, 0}, {"2", true, Neither, "Bo", "", file, 1}, {"3", false, Neither, "ann", "", file, 2},
		{"1", true, SideB, "bob", "", plain, 1}, {"3", true, Neither, "bob", "", plain, 2}, {"2", false, Neither, "bob", "", plain, 3},
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%+v\nwant\n%+v", got, want)
	}
	for _, c := range []struct {
		content, want string
		reason        data.Reason
	}{
		{"id,answer\n9,a\n1,a\n", `row 0: column id: the labels have no comparison "9"`, data.ReasonUnknownID},
		{"id,answer\n1,both\n1,a\n", `row 0: column answer: "both" where a, b or tie should be`, data.ReasonLabel},
		{"id,answer\n1,a\n1,a\n", `row 1: column id: annotator "x" has answered "1" before, in `, data.ReasonDuplicateID},
		{"id,answer\n3,a\n1,a\n", "row 0: column answer: the responses are the same", data.ReasonIdentical},
		{"id,answer,response_b\n1,a,zz\n1,a,z\n", "row 0: column response_b: the text is not that of the comparison of this id", data.ReasonTextsDiffer},
		{"id,answer,prompt\n1,,q\n1,a,p\n", "row 0: column prompt: the text is not that", data.ReasonTextsDiffer},
	} {
		bad := write(t, "x.csv", c.content)
		if _, err := ReadReviewed([]string{bad}, each(labels), data.ReadConfig{}, nil); err == nil || !strings.Contains(err.Error(), "read reviewed "+bad+": "+c.want) {
			t.Errorf("%q: %v", c.content, err)
		}
		var counts data.Counts
		rows, err := ReadReviewed([]string{bad}, each(labels), data.ReadConfig{OnBadRow: "skip"}, &counts)
		if err != nil || len(rows) != 1 || !rows[0].Answered || counts.Skipped[c.reason] != 1 || counts.Read != 2 {
			t.Errorf("%q: %+v, %v, %s", c.content, rows, err, counts)
		}
	}
	if _, err := ReadReviewed([]string{write(t, "x.csv", "id,label\n1,a\n")}, each(labels), data.ReadConfig{}, nil); err == nil || !strings.Contains(err.Error(), "no column answer") {
		t.Error(err)
	}
}
