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
		{"1", true, SideA, "ann", "'tis so", file, 0, 0, false}, {"2", true, Neither, "Bo", "", file, 1, 0, false}, {"3", false, Neither, "ann", "", file, 2, 0, false},
		{"1", true, SideB, "bob", "", plain, 1, 0, false}, {"3", true, Neither, "bob", "", plain, 2, 0, false}, {"2", false, Neither, "bob", "", plain, 3, 0, false},
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

// TestReviewOfVersions: in one file what a person says later stands, an answer
// taken back included; two files are not told apart by versions.
func TestReviewOfVersions(t *testing.T) {
	rows, all := reviewsOf([]string{"p", "x", "y", "z"}, false)
	key := rows[0].TextsKey()
	file := write(t, "log.jsonl", `{"id":"x","answer":"a","annotator":"ann","version":1,"texts":"`+key+`"}
{"id":"x","answer":"b","annotator":"bo","version":1}
{"id":"y","answer":null,"annotator":"ann","version":1}
{"id":"x","answer":null,"annotator":"ann","version":2}
{"id":"y","answer":"tie","annotator":"ann","version":2}
{"id":"x","answer":"b","annotator":"ann","version":3}
{"id":"x","answer":null,"annotator":"bo","version":2}
`)
	got, err := ReadReviewed([]string{file}, each(all), data.ReadConfig{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stand := ""
	for _, r := range got {
		if !r.Superseded {
			stand += r.ID + r.Annotator + string(r.Side) + " "
		}
	}
	if stand != "yann xannb xbo " {
		t.Errorf("what stands: %q", stand)
	}
	for content, want := range map[string]string{
		`{"id":"x","answer":"a","annotator":"ann","version":1}` + "\n" + `{"id":"x","answer":"a","annotator":"ann","version":1}`: "has answered",
		`{"id":"x","answer":"a","version":1.5}`:         "1.5 is no version",
		`{"id":"y","answer":"a","texts":"` + key + `"}`: "the answer is about other texts",
	} {
		if _, err := ReadReviewed([]string{write(t, "x.jsonl", content)}, each(all), data.ReadConfig{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", content, err)
		}
	}
	again := write(t, "again.jsonl", `{"id":"x","answer":"a","annotator":"ann","version":9}`)
	if _, err := ReadReviewed([]string{file, again}, each(all), data.ReadConfig{}, nil); err == nil || !strings.Contains(err.Error(), "has answered") {
		t.Errorf("of two files: %v", err)
	}
}

// TestReadReview: a sheet reads back as the texts that went into it, from both of
// its forms, and its keys are those of the labels.
func TestReadReview(t *testing.T) {
	for _, chat := range []bool{false, true} {
		rows, _ := reviewsOf(awkwardTexts(), chat)
		rows[0].Prompt.Context.Tools = `[{"name":"f"}]`
		path := filepath.Join(t.TempDir(), "review")
		if err := WriteReview(path, rows); err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".csv", ".parquet"} {
			got, answered, counts, err := ReadReview(path+ext, data.ReadConfig{})
			if err != nil || answered != 0 || counts.Kept != len(rows) {
				t.Fatalf("%s: %v, %d answered, %s", ext, err, answered, &counts)
			}
			for i, row := range got {
				if row.ID != rows[i].ID || row.TextsKey() != rows[i].TextsKey() || row.Prompt.Context != rows[i].Prompt.Context {
					t.Errorf("%s, chat %v: %q, want %q", ext, chat, row.ID, rows[i].ID)
				}
			}
		}
	}
	for content, want := range map[string]string{
		"id,response_a\n1,a\n":                     "no column response_b",
		"id,response_a,response_b\n1,a,b\n1,a,b\n": `the id "1" was given before, to row 0`,
		"id,response_a,response_b\n,a,b\n":         "no id: answers are kept by it",
	} {
		if _, _, _, err := ReadReview(write(t, "x.csv", content), data.ReadConfig{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, answered, _, err := ReadReview(write(t, "x.csv", "id,response_a,response_b,answer\n1,a,b,A\n2,a,b,\n"), data.ReadConfig{}); answered != 1 || err != nil {
		t.Errorf("%d answered, %v", answered, err)
	}
}
