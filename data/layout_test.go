package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the pairs of the layouts anew; read the diff")

// pairLines are pairs as convert writes them.
func pairLines(t *testing.T, file string, cfg ReadConfig) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.jsonl")
	if _, err := Convert(context.Background(), []string{file}, out, cfg); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestLayouts reads a small file of every layout, as JSON lines, as one JSON
// array and as Parquet, and compares with the pairs that were looked at by eye.
func TestLayouts(t *testing.T) {
	files, _ := filepath.Glob("testdata/layouts/*.jsonl")
	if len(files) < 30 {
		t.Fatalf("%d files", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			cfg := ReadConfig{OnBadRow: "skip"}
			if name == "pku-saferlhf-safer" || name == "kto-messages" {
				cfg.From = name
			}
			got := pairLines(t, file, cfg)
			golden := filepath.Join("testdata", "layouts", "want", name+".jsonl")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("%v: got\n%swant\n%s", err, got, want)
			}
			if array := pairLines(t, asArray(t, file), cfg); array != got {
				t.Errorf("as an array:\n%swant\n%s", array, got)
			}
			parquet := strings.TrimSuffix(file, ".jsonl") + ".parquet"
			if _, err := os.Stat(parquet); err != nil {
				return
			}
			if other := pairLines(t, parquet, cfg); other != got {
				t.Errorf("as Parquet:\n%swant\n%s", other, got)
			}
		})
	}
}

// asArray writes the lines of a file as one JSON array over many lines.
func asArray(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []json.RawMessage
	for line := range bytes.Lines(b) {
		rows = append(rows, bytes.TrimSpace(line))
	}
	array, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "array.json", string(array))
}

// TestLayoutsAreDocumented: docs/formats.md has a row for every layout, and
// every layout has a file that tries it.
func TestLayoutsAreDocumented(t *testing.T) {
	docs, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	names, says := Layouts()
	for i, name := range names {
		if !strings.Contains(string(docs), "| "+name+" |") {
			t.Errorf("docs/formats.md has no row for %s (%s)", name, says[i])
		}
	}
	for _, untried := range []string{"trl", "hh-rlhf", "distilabel-rating", "distilabel-input", "responses-scores"} { // other tests try ours; ratedLayout is tried by distilabel
		names = slices.DeleteFunc(names, func(name string) bool { return name == untried })
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("testdata", "layouts", name+".jsonl")); err != nil {
			t.Errorf("nothing tries %s: %v", name, err)
		}
	}
}

// TestPairsPerPrompt: a draw has so many pairs, is the same for the same seed,
// and is of all pairs.
func TestPairsPerPrompt(t *testing.T) {
	const file = "testdata/layouts/nectar.jsonl"
	all := mustRead(t, file, ReadConfig{})
	if len(all) != 3 {
		t.Fatalf("%d pairs", len(all))
	}
	seen := map[string]bool{}
	for seed := range int64(40) {
		cfg := ReadConfig{PairsPerPrompt: 1, Seed: seed}
		drawn, again := mustRead(t, file, cfg), mustRead(t, file, cfg)
		if len(drawn) != 1 || drawn[0].Chosen.Plain != again[0].Chosen.Plain || drawn[0].Rejected.Plain != again[0].Rejected.Plain {
			t.Fatalf("seed %d: %+v and %+v", seed, drawn, again)
		}
		seen[drawn[0].Chosen.Plain+">"+drawn[0].Rejected.Plain] = true
	}
	if len(seen) != 3 {
		t.Errorf("40 seeds draw %v", seen)
	}
}

// TestPromptColumns: what holds the prompt under another name is read as the
// prompt, or refused by name; nothing is lost unsaid.
func TestPromptColumns(t *testing.T) {
	const answers = `"chosen":"a","rejected":"b"}` + "\n"
	for _, name := range []string{"instruction", "question", "query", "input", "post", "context", "history", "user", "problem"} {
		file := write(t, "x.jsonl", `{"`+name+`":"q",`+answers)
		var notes []string
		p := mustRead(t, file, ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})[0]
		if p.Prompt.Plain != "q" || p.Chosen.Plain != "a" || len(notes) != 1 || notes[0] != "the prompt is read from "+name {
			t.Errorf("%s: %+v %q", name, p, notes)
		}
	}
	for _, c := range []struct{ row, says string }{
		{`{"question":"q","context":"c",` + answers, "--columns prompt=question"},
		{`{` + answers, "--columns prompt=COLUMN"},
		{`{"foo":"q",` + answers, "--columns prompt=COLUMN"},
		{`{"task":"Coding",` + answers, "--columns prompt=COLUMN"}, // a kind of prompts
		{`{"chosen":"Sure! one","rejected":"Sure! two"}`, "there is no prompt"},
	} {
		_, _, err := readAll(t, write(t, "x.jsonl", c.row), ReadConfig{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.row, err, c.says)
		}
	}
	p := mustRead(t, write(t, "x.jsonl", `{"question":"q","context":"c",`+answers), ReadConfig{Columns: map[string]string{"prompt": "question", "input": "context"}})[0]
	if p.Prompt.Plain != "q\nc" {
		t.Errorf("named: %+v", p)
	}
	p = mustRead(t, write(t, "x.jsonl", `{"task":"Coding","trajectory":[{"from":"user","value":"q"}],`+answers), ReadConfig{})[0]
	if len(p.Prompt.Messages) != 1 || p.Prompt.Messages[0].Content != "q" || p.Chosen.Messages[0].Content != "a" {
		t.Errorf("turns under another name: %+v", p)
	}
	p = mustRead(t, write(t, "x.jsonl", `{`+answers), ReadConfig{Columns: map[string]string{"prompt": ""}})[0]
	if p.Prompt.Plain != "" || p.Chosen.Plain != "a" {
		t.Errorf("promptless: %+v", p)
	}
}

// TestNestedColumnsAndLabelValues: columns by path, labels by their values.
func TestNestedColumnsAndLabelValues(t *testing.T) {
	rows := `{"q":{"full":"p"},"x":"a","y":"b","better":1}` + "\n" + `{"q":{"full":"p"},"x":"a","y":"b","better":0.0}` + "\n" + `{"q":{"full":"p"},"x":"a","y":"b","better":true}` + "\n"
	cfg := ReadConfig{OnBadRow: "skip", Columns: map[string]string{"prompt": "q.full", "response_a": "x", "response_b": "y", "label": "better"},
		LabelValues: map[string]string{"a": "0", "b": "1"}}
	pairs, counts, err := readAll(t, write(t, "x.jsonl", rows), cfg)
	if err != nil || len(pairs) != 2 || pairs[0].Chosen.Plain != "b" || pairs[1].Chosen.Plain != "a" || pairs[0].Prompt.Plain != "p" || counts.Skipped[ReasonLabel] != 1 {
		t.Errorf("%v %+v %v", err, pairs, counts)
	}
	csv := "q,x,y,better\np,a,b,1\np,a,b,0\n"
	cfg.Columns["prompt"] = "q"
	if pairs, _, err := readAll(t, write(t, "x.csv", csv), cfg); err != nil || len(pairs) != 2 || pairs[0].Chosen.Plain != "b" {
		t.Errorf("CSV: %v %+v", err, pairs)
	}
}

func TestFloat16(t *testing.T) {
	pairs := mustRead(t, "testdata/float16.parquet", ReadConfig{})
	if pairs[0].Margin != 1.5 || pairs[0].Confidence != 0.75 || pairs[1].Margin >= 0 || pairs[1].Margin < -0.0000615 {
		t.Errorf("%+v", pairs)
	}
}

// TestLayoutAskedFor: --from is checked against the columns.
func TestLayoutAskedFor(t *testing.T) {
	file := write(t, "x.jsonl", `{"prompt":"p","chosen":"a","rejected":"b"}`)
	for from, says := range map[string]string{"nectr": `did you mean "nectar"`, "nectar": "answers is not there"} {
		if _, _, err := readAll(t, file, ReadConfig{From: from}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", from, err, says)
		}
	}
}

// TestRefusedRows: what cannot be a pair is refused by its reason, in every
// layout's own way.
func TestRefusedRows(t *testing.T) {
	for _, c := range []struct {
		row    string
		reason Reason
	}{
		{`{"prompt":"p","chosen":"a","rejected":"b","chosen":"c"}`, ReasonDuplicateKey},
		{`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"x"}],"chosen":"a","rejected":"b"}`, ReasonAnswered},
		{`{"prompt":"p","response_1":"a","response_2":"b","preference_strength":4}`, ReasonLabel},
		{`{"prompt":"p","response_1":"a","response_2":"b","preference_strength":0}`, ReasonTie},
		{`{"history":"p","human_ref_A":"a","human_ref_B":"b","labels":2}`, ReasonLabel},
		{`{"prompt":"p","answers":[{"answer":"a","rank":1},{"answer":"","rank":2}]}`, ReasonEmptyResponse},
		{`{"prompt":"p","answers":[{"answer":"a","rank":1},{"answer":"b"}]}`, ReasonLabel},
		{`{"prompt":"p","answers":[{"answer":"a","rank":1},{"answer":null,"rank":2}]}`, ReasonNullText},
		{`{"instruction":"p","generations":["a","b"],"ratings":[1]}`, ReasonWrongType},
		{`{"instruction":"p","output_1":"a","output_2":"b","preference":0}`, ReasonLabel},
		{`{"conversation_a":[{"role":"user","content":"x"},{"role":"assistant","content":"a"}],"conversation_b":[{"role":"user","content":"y"},{"role":"assistant","content":"b"}],"winner":"model_a"}`, ReasonPromptsDiffer},
		{`{"messages":[{"role":"user","content":"x"}],"rejected_response":"b"}`, ReasonLastTurn},
		{`{"info":{"post":null,"article":null},"summaries":[{"text":"a"},{"text":"b"}],"choice":1}`, ReasonNoPrompt},
		{`{"message_tree_id":"1","prompt":{"text":"q","role":"user","replies":[{"text":"a","role":"assistant","rank":0},{"text":"b","role":"assistant","rank":1}]}}`, ReasonRole},
	} {
		_, _, err := readAll(t, write(t, "x.jsonl", c.row+"\n"), ReadConfig{})
		var wrong *RowError
		if !errors.As(err, &wrong) || wrong.Reason != c.reason {
			t.Errorf("%s: %v, want %s", c.row, err, c.reason)
		}
	}
}

// TestJSONArrayDamaged: an array that is cut short or not alone is refused.
func TestJSONArrayDamaged(t *testing.T) {
	const row = `{"prompt":"p]}","chosen":"a\",[","rejected":"b"}`
	if pairs := mustRead(t, write(t, "x.json", " [ "+row+" ,\n"+row+" ] \n"), ReadConfig{}); len(pairs) != 2 || pairs[1].Row != 1 || pairs[0].Chosen.Plain != `a",[` {
		t.Errorf("%+v", pairs)
	}
	for content, says := range map[string]string{
		"[" + row: "not closed", "[" + row + ",]": "ends after a comma", "[" + row + "] x": "something follows", "[" + row + ",5]": "row 1", "[" + row + "}]": "broken JSON",
	} {
		if _, _, err := readAll(t, write(t, "x.json", content), ReadConfig{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", content, err, says)
		}
	}
}

// FuzzJSONArray: an array is read as encoding/json reads it, or refused.
func FuzzJSONArray(f *testing.F) {
	for _, s := range []string{`[{"a":1},{"a":"]"}]`, "[{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}\n]", `[{},[],"x,]",null]`, `[{}`, `[{},]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := openObjects(write(t, "x.json", string(b)))
		if err != nil {
			return
		}
		defer lines.Close()
		array, ok := lines.(*arrayReader)
		var want []json.RawMessage
		if !ok || json.Unmarshal(b, &want) != nil {
			return
		}
		for i, raw := range want {
			got, err := array.next()
			if err != nil || string(bytes.TrimSpace(got)) != string(bytes.TrimSpace(raw)) {
				t.Fatalf("%q: element %d is %q (%v), not %q", b, i, got, err, raw)
			}
		}
		if _, err := array.next(); err != io.EOF {
			t.Fatalf("%q: %v after the last", b, err)
		}
	})
}

// FuzzLayouts: whatever a row of a known layout holds, it gives sound pairs or
// is refused and counted.
func FuzzLayouts(f *testing.F) {
	files, _ := filepath.Glob("testdata/layouts/*.jsonl")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(file, b, 0o666); err != nil {
			t.Fatal(err)
		}
		pairs, counts, _ := readAll(t, file, ReadConfig{OnBadRow: "skip", PairsPerPrompt: 3})
		if counts.Read != counts.Kept+counts.SkippedRows() {
			t.Fatal(counts)
		}
		for _, p := range pairs {
			soundPair(t, p)
		}
	})
}
