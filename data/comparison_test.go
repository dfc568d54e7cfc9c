package data

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func readComparisons(t testing.TB, files []string, cfg ReadConfig) ([]Comparison, Counts, error) {
	t.Helper()
	var out []Comparison
	var counts Counts
	for c, err := range ReadComparisons(files, cfg, &counts) {
		if err != nil {
			return out, counts, err
		}
		out = append(out, c)
	}
	if counts.Read != counts.Kept+counts.SkippedRows() || counts.Kept != len(out) {
		t.Errorf("%v: counts %v do not add up over %d comparisons", files, counts, len(out))
	}
	return out, counts, nil
}

func TestReadComparisons(t *testing.T) {
	lines := write(t, "x.jsonl", `{"id":7,"prompt":"p","response_a":"a","response_b":"b","source":"s","model_a":"m","model_b":"n"}
{"prompt":"q","response_a":"same","response_b":"same","source":"s","model_a":null}
`)
	table := write(t, "x.csv", "prompt,response_a,response_b,id\np,a,b,7\nq,same,same,\n")
	for _, file := range []string{lines, table} {
		got, _, err := readComparisons(t, []string{file}, ReadConfig{})
		if err != nil {
			t.Fatal(err)
		}
		want := []Comparison{
			{ID: "7", Prompt: Text{Plain: "p"}, A: Text{Plain: "a"}, B: Text{Plain: "b"}, File: file},
			{ID: "row:1", Prompt: Text{Plain: "q"}, A: Text{Plain: "same"}, B: Text{Plain: "same"}, File: file, Row: 1},
		}
		if file == lines {
			want[0].Subset, want[0].ModelA, want[0].ModelB, want[0].Row = "s", "m", "n", 1
			want[1].Subset, want[1].ID, want[1].Row = "s", "row:2", 2
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", filepath.Base(file), got, want)
		}
		if got[0].Identical() || !got[1].Identical() || got[0].Chat() {
			t.Error("Identical or Chat is wrong")
		}
	}
}

func TestReadComparisonsOfPairsAndChat(t *testing.T) {
	pairs := write(t, "pairs.jsonl", `{"chosen":"\n\nHuman: hi\n\nAssistant: a","rejected":"\n\nHuman: hi\n\nAssistant: b"}`+"\n")
	if _, _, err := readComparisons(t, []string{pairs}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "--columns response_a=chosen --columns response_b=rejected") {
		t.Errorf("pairs read unmapped: %v", err)
	}
	mapped := map[string]string{"response_a": "chosen", "response_b": "rejected"}
	if _, _, err := readComparisons(t, []string{pairs}, ReadConfig{Columns: mapped}); err == nil || !strings.Contains(err.Error(), "no column prompt") {
		t.Errorf("no prompt, and none said: %v", err)
	}
	mapped["prompt"] = ""
	got, _, err := readComparisons(t, []string{pairs}, ReadConfig{Columns: mapped})
	if err != nil || len(got) != 1 || got[0].Prompt.Plain != "\n\nHuman: hi\n\nAssistant:" || got[0].A.Plain != " a" || got[0].B.Plain != " b" {
		t.Errorf("%+v, %v", got, err)
	}
	chat := write(t, "chat.jsonl", `{"prompt":[{"role":"user","content":"q"}],"response_a":"a","response_b":"b"}`+"\n")
	got, _, err = readComparisons(t, []string{chat}, ReadConfig{})
	if err != nil || !got[0].Chat() || got[0].B.Messages[0] != (Message{Role: "assistant", Content: "b"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, _, err := readComparisons(t, []string{chat, pairs}, ReadConfig{Columns: map[string]string{}}); err == nil {
		t.Error("chat and pairs go together")
	}
	plain := write(t, "plain.jsonl", `{"prompt":"q","response_a":"a","response_b":"b"}`+"\n")
	if _, _, err := readComparisons(t, []string{chat, plain}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "label them apart") {
		t.Errorf("text after messages: %v", err)
	}
}

func TestComparisonReasons(t *testing.T) {
	good := `{"prompt":"p","response_a":"a","response_b":"b","id":"one"}`
	for _, c := range []struct {
		reason Reason
		line   string
		says   []string
	}{
		{ReasonNullText, `{"prompt":"p","response_a":null,"response_b":"b"}`, []string{"column response_a"}},
		{ReasonEmptyResponse, `{"prompt":"p","response_a":"a","response_b":" "}`, []string{"column response_b"}},
		{ReasonNUL, `{"prompt":"p\u0000","response_a":"a","response_b":"b"}`, []string{"column prompt"}},
		{ReasonUTF8, "{\"prompt\":\"p\",\"response_a\":\"\xff\",\"response_b\":\"b\"}", []string{"column response_a"}},
		{ReasonUTF8, "{\"prompt\":\"p\",\"response_a\":\"a\",\"response_b\":\"b\",\"model_b\":\"\xff\"}", []string{"column model_b"}},
		{ReasonMissingField, `{"prompt":"p","response_a":"a"}`, []string{"column response_b"}},
		{ReasonWrongType, `{"prompt":"p","response_a":"a","response_b":[{"role":"assistant","content":"b"}]}`, nil},
		{ReasonBrokenLine, `{"prompt":"p"`, nil},
		{ReasonDuplicateID, `{"prompt":"p","response_a":"a","response_b":"c","id":"one"}`, []string{"column id", `"one"`, "line 1"}},
	} {
		file := write(t, "x.jsonl", good+"\n\n"+c.line+"\n"+`{"prompt":"p","response_a":"a","response_b":"b"}`+"\n")
		_, _, err := readComparisons(t, []string{file}, ReadConfig{})
		var bad *RowError
		if !errors.As(err, &bad) || bad.Reason != c.reason || bad.Row != 3 {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		for _, s := range append(c.says, file, "line 3", "--on-bad-row skip") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v\nlacks %q", err, s)
			}
		}
		kept, counts, err := readComparisons(t, []string{file}, ReadConfig{OnBadRow: "skip"})
		if err != nil || len(kept) != 2 || counts.Skipped[c.reason] != 1 {
			t.Errorf("%s, skip: %d kept, %v, %v", c.reason, len(kept), counts, err)
		}
	}
}

func TestComparisonIDsOfSeveralFiles(t *testing.T) {
	a := write(t, "a.csv", "prompt,response_a,response_b\np,a,b\n")
	b := write(t, "b.csv", "prompt,response_a,response_b\np,a,b\n")
	got, _, err := readComparisons(t, []string{a, b}, ReadConfig{})
	if err != nil || got[0].ID != a+":row:0" || got[1].ID != b+":row:0" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, _, err := readComparisons(t, []string{a, a}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), a+", row 0") {
		t.Errorf("a file given twice: %v", err)
	}
}

func TestReadSharedComparisons(t *testing.T) {
	for name, empty := range map[string]int{"unlabelled.parquet": 0, "human/pandalm.parquet": 0, "human/llmbar.parquet": 1} {
		got, counts, err := readComparisons(t, []string{shared(t, name)}, ReadConfig{OnBadRow: "skip"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if counts.Read < 100 || counts.SkippedRows() != empty || counts.Skipped[ReasonEmptyResponse] != empty || got[0].ID == "" || strings.HasPrefix(got[0].ID, "row:") || got[0].Subset == "" {
			t.Errorf("%s: %v, the first %+v", name, &counts, got[0])
		}
		t.Logf("%s: %s", name, counts)
	}
}
