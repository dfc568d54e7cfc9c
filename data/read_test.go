package data

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// shared is the folder of files that lie beside the checkout, not in it.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT TESTED: %s is not there, so nothing of it was read", path)
	}
	return path
}

func readAll(t testing.TB, file string, cfg ReadConfig) ([]Pair, Counts, error) {
	t.Helper()
	var pairs []Pair
	var counts Counts
	for p, err := range ReadPairs([]string{file}, cfg, &counts) {
		if err != nil {
			return pairs, counts, err
		}
		pairs = append(pairs, p)
	}
	if counts.Read != counts.Kept+counts.SkippedRows() || counts.Kept != len(pairs) && counts.Pairs != len(pairs) {
		t.Errorf("%s: counts %v do not add up over %d pairs", file, counts, len(pairs))
	}
	return pairs, counts, nil
}

func mustRead(t testing.TB, file string, cfg ReadConfig) []Pair {
	t.Helper()
	pairs, _, err := readAll(t, file, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVariantsHoldTheSameRows(t *testing.T) {
	want := mustRead(t, shared(t, "variants/none.parquet"), ReadConfig{})
	if len(want) != 200 {
		t.Fatalf("none.parquet has %d rows, not 200", len(want))
	}
	files, err := filepath.Glob(shared(t, "variants") + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".md") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := mustRead(t, file, ReadConfig{})
			if len(got) != len(want) {
				t.Fatalf("%d rows, not %d", len(got), len(want))
			}
			for i := range got {
				sameRow(t, filepath.Base(file), i, got[i], want[i])
			}
		})
	}
}

// sameRow compares texts, and numbers as far as the file keeps them.
func sameRow(t *testing.T, file string, i int, got, want Pair) {
	t.Helper()
	if got.Prompt.Plain != want.Prompt.Plain || got.Chosen.Plain != want.Chosen.Plain || got.Rejected.Plain != want.Rejected.Plain {
		t.Fatalf("row %d: texts differ", i)
	}
	confidence, margin := want.Confidence, want.Margin
	switch file {
	case "int-confidence.parquet":
		confidence = 1
	case "nullable-confidence.parquet":
		if i%5 == 0 {
			confidence = 1
		}
	case "large-string-float32.parquet":
		confidence, margin = float64(float32(confidence)), float64(float32(margin))
	}
	if got.Confidence != confidence || got.Margin != margin {
		t.Fatalf("row %d: confidence %v margin %v, not %v and %v", i, got.Confidence, got.Margin, confidence, margin)
	}
}

// The same 200 dialogues lie in shared as chat with explicit and with implicit
// prompt, and as text that holds its prompt.
func TestLayoutsOfOneDialogueAgree(t *testing.T) {
	whole := rawLines(t, shared(t, "implicit-prompt.jsonl"))
	for _, ext := range []string{".jsonl", ".parquet"} {
		implicit := mustRead(t, shared(t, "implicit-prompt"+ext), ReadConfig{})
		chat := mustRead(t, shared(t, "chat-format"+ext), ReadConfig{})
		explicit := mustRead(t, shared(t, "chat-format-explicit-prompt"+ext), ReadConfig{})
		if len(implicit) != 200 || len(chat) != 200 || len(explicit) != 200 {
			t.Fatalf("%s: %d, %d, %d rows", ext, len(implicit), len(chat), len(explicit))
		}
		for i := range chat {
			if !reflect.DeepEqual(texts(chat[i]), texts(explicit[i])) {
				t.Fatalf("%s: row %d: implicit and explicit chat differ:\n%v\n%v", ext, i, chat[i], explicit[i])
			}
		}
		for i, p := range implicit {
			if p.Prompt.Plain+p.Chosen.Plain != whole[i]["chosen"] || p.Prompt.Plain+p.Rejected.Plain != whole[i]["rejected"] {
				t.Fatalf("%s: row %d is not the file's text cut in two", ext, i)
			}
			if p.Prompt.Plain != "" && !strings.HasSuffix(p.Prompt.Plain, "\n\nAssistant:") {
				t.Fatalf("%s: row %d: prompt %q", ext, i, p.Prompt.Plain)
			}
		}
	}
}

func texts(p Pair) []Text { return []Text{p.Prompt, p.Chosen, p.Rejected} }

func rawLines(t *testing.T, file string) (out []map[string]any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		out = append(out, object)
	}
	return out
}

func TestLabelledComparisons(t *testing.T) {
	file := write(t, "a.jsonl", `{"prompt":"p","response_a":"x","response_b":"y","label":"a","vote_share_a":0.75,"id":7}
{"prompt":"p","response_a":"x","response_b":"y","label":"B","vote_share_a":0.25,"id":12345678901234567}
{"prompt":"p","response_a":"x","response_b":"y","label":"tie","vote_share_a":0.5}
{"prompt":"p","response_a":"x","response_b":"y","label":"b","vote_share_a":null,"confidence":0.9}
{"prompt":"p","response_a":"x","response_b":"y","label":"b"}
{"prompt":"p","response_a":"x","response_b":"y","label":"left"}
`)
	got, counts, err := readAll(t, file, ReadConfig{OnBadRow: "skip"})
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		chosen, rejected, id string
		confidence, share    float64
		row                  int
	}
	want := []short{{"x", "y", "7", 0.75, 0.75, 1}, {"y", "x", "12345678901234567", 0.75, 0.75, 2}, {"y", "x", "", 0.9, -1, 4}, {"y", "x", "", 1, -1, 5}}
	for i, p := range got {
		share := p.VoteShare
		if math.IsNaN(share) {
			share = -1
		}
		if s := (short{p.Chosen.Plain, p.Rejected.Plain, p.ID, p.Confidence, share, p.Row}); s != want[i] {
			t.Errorf("row %d: %v, not %v", i, s, want[i])
		}
	}
	if !reflect.DeepEqual(counts.Skipped, map[Reason]int{ReasonTie: 1, ReasonLabel: 1}) || len(got) != 4 {
		t.Errorf("%d pairs, %v", len(got), counts)
	}
}

func TestDialogueShapes(t *testing.T) {
	user := func(s string) Message { return Message{Role: "user", Content: s} }
	says := func(s string) Message { return Message{Role: "assistant", Content: s} }
	for name, c := range map[string]struct {
		line                     string
		prompt, chosen, rejected Text
	}{
		"text": {`{"prompt":"","chosen":"a","rejected":"b"}`, Text{}, Text{Plain: "a"}, Text{Plain: "b"}},
		"transcripts": {`{"chosen":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: yes","rejected":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: yet"}`,
			Text{Plain: "\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant:"}, Text{Plain: " yes"}, Text{Plain: " yet"}},
		"diverging at the first turn": {`{"chosen":"\n\nHuman: q\n\nAssistant: a\n\nHuman: r\n\nAssistant: s","rejected":"\n\nHuman: q\n\nAssistant: b"}`,
			Text{Plain: "\n\nHuman: q\n\nAssistant:"}, Text{Plain: " a\n\nHuman: r\n\nAssistant: s"}, Text{Plain: " b"}},
		"a shared paragraph": {`{"chosen":"q\n\na","rejected":"q\n\nb"}`, Text{}, Text{Plain: "q\n\na"}, Text{Plain: "q\n\nb"}},
		"explicit": {`{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
		"explicit, prompt repeated": {`{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
		"implicit, multi-turn": {`{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"r"},{"role":"assistant","content":"s"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a"), user("r"), says("s")}}, Text{Messages: []Message{says("b")}}},
		"one dialogue goes on": {`{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"r"},{"role":"assistant","content":"s"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a"), user("r"), says("s")}}, Text{Messages: []Message{says("a")}}},
		"UltraFeedback": {`{"prompt":"q","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
		"text prompt, chat answers": {`{"prompt":"q","chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}`,
			Text{Messages: []Message{user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
		"chat prompt, text answers": {`{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"chosen":"a","rejected":"b"}`,
			Text{Messages: []Message{{Role: "system", Content: "s"}, user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
		"escapes": {`{"prompt":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t","chosen":"a","rejected":"b"}`,
			Text{Plain: "é😀\"\\/\b\f\n\r\t"}, Text{Plain: "a"}, Text{Plain: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustRead(t, write(t, "x.jsonl", c.line+"\n"), ReadConfig{})[0]
			if !reflect.DeepEqual([]Text{p.Prompt, p.Chosen, p.Rejected}, []Text{c.prompt, c.chosen, c.rejected}) {
				t.Errorf("got %q", []Text{p.Prompt, p.Chosen, p.Rejected})
			}
			if p.Confidence != 1 || p.Margin != 0 || !math.IsNaN(p.VoteShare) {
				t.Errorf("defaults: %v %v %v", p.Confidence, p.Margin, p.VoteShare)
			}
		})
	}
}

func TestColumnsMapping(t *testing.T) {
	file := write(t, "x.jsonl", `{"question":"q","answer_w":"a","answer_l":"b","sure":0.8,"score_chosen":8,"score_rejected":5.5,"confidence":"high"}`+"\n")
	p := mustRead(t, file, ReadConfig{Columns: map[string]string{"prompt": "question", "chosen": "answer_w", "rejected": "answer_l",
		"confidence": "sure", "score_chosen": "score_chosen", "score_rejected": "score_rejected"}})[0]
	if p.Prompt.Plain != "q" || p.Chosen.Plain != "a" || p.Rejected.Plain != "b" || p.Confidence != 0.8 || p.Margin != 2.5 {
		t.Errorf("%+v", p)
	}
	p = mustRead(t, file, ReadConfig{Columns: map[string]string{"prompt": "question", "chosen": "answer_w", "rejected": "answer_l", "confidence": ""}})[0]
	if p.Confidence != 1 || p.Margin != 0 {
		t.Errorf("turned off: %+v", p)
	}
	for _, c := range []struct {
		columns map[string]string
		says    []string
	}{
		{map[string]string{"chosn": "answer_w"}, []string{`unknown field "chosn"`, `"chosen"`}},
		{map[string]string{"chosen": "answerw"}, []string{`"answerw"`, `did you mean "answer_w"`, "question, answer_w, answer_l"}},
		{nil, []string{"no column chosen, rejected", "question, answer_w"}},
		{map[string]string{"chosen": "answer_w"}, []string{"no column rejected"}},
	} {
		_, err := OpenPairs(file, ReadConfig{Columns: c.columns})
		if err == nil {
			t.Fatalf("%v: no error", c.columns)
		}
		for _, s := range append(c.says, file) {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v lacks %q", err, s)
			}
		}
	}
	if _, err := OpenPairs(file, ReadConfig{OnBadRow: "skp"}); err == nil || !strings.Contains(err.Error(), `did you mean "skip"`) {
		t.Errorf("policy: %v", err)
	}
}

func TestWholeFileProblems(t *testing.T) {
	good := `{"prompt":"p","chosen":"a","rejected":"b"}` + "\n"
	for _, c := range []struct {
		name, content string
		says          []string
	}{
		{"a.jsonl", "\n \r\n", []string{"no rows"}},
		{"a.csv", "", []string{"empty"}},
		{"a.csv", "\n\n", []string{"no rows"}},
		{"a.csv", "prompt,chosen,rejected\n", []string{"no rows"}},
		{"a.jsonl", "{\n\"prompt\": 1\n}\n", []string{"line 1", "broken JSON"}},
		{"a.jsonl", `{"prompt":"p","chosen":"a","rejectd":"b"}`, []string{"no column rejected", `"rejectd"`, "{rejected: rejectd}"}},
		{"a.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","confidence":0}`, []string{"every confidence is 0"}},
		{"a.parquet", good, []string{"not a Parquet file", "JSON lines"}},
		{"a.parquet", "version https://git-lfs.github.com/spec/v1\n", []string{"git lfs pull"}},
		{"a.jsonl", "PK\x03\x04....", []string{"zip"}},
		{"a.jsonl.gz", "\x1f\x8bbroken", []string{"gzip"}},
		{"a.csv", "prompt,chosen,rejected\np,a,\"b\np,a,b\n", []string{"row 0", "line 2", "never closed"}},
		{"a.csv", "prompt,chosen,chosen,rejected\np,a,a,b\n", []string{"column chosen", "2 times"}},
		{"a.jsonl", "PAR1" + strings.Repeat("x", 100) + "\xff\xff\xff\x7fPAR1", []string{"2147483647"}},
	} {
		for _, policy := range []string{"fail", "skip"} {
			_, _, err := readAll(t, write(t, c.name, c.content), ReadConfig{OnBadRow: policy})
			if err == nil {
				t.Errorf("%q: no error", c.content)
				continue
			}
			for _, s := range append(c.says, c.name) {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v lacks %q", err, s)
				}
			}
		}
	}
	for _, path := range []string{t.TempDir(), "not-there.jsonl"} {
		if _, err := OpenPairs(path, ReadConfig{}); err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestStopEarlyAndCounts(t *testing.T) {
	line := `{"prompt":"p","chosen":"a","rejected":"b"}` + "\n"
	a, b := write(t, "a.jsonl", strings.Repeat(line, 3)), write(t, "b.jsonl", line+"[]\n"+line)
	var counts Counts
	n := 0
	for _, err := range ReadPairs([]string{a, b}, ReadConfig{}, &counts) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	if counts.Read != 2 || counts.Kept != 2 {
		t.Errorf("after a break: %v", counts)
	}
	counts = Counts{}
	for _, err := range ReadPairs([]string{a, b}, ReadConfig{OnBadRow: "skip"}, &counts) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if s := counts.String(); s != "6 rows read, 5 kept, 1 skipped (line_not_object 1)" {
		t.Error(s)
	}
	r, err := OpenPairs(a, ReadConfig{})
	if err != nil || r.NumRows() != -1 || r.Chat() || r.Format() != "prompt/chosen/rejected text" {
		t.Error(r, err)
	}
	for range 3 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func ExampleCounts() {
	c := Counts{Read: 5, Kept: 2, Skipped: map[Reason]int{ReasonTie: 1, ReasonNullText: 2}}
	fmt.Println(c)
	// Output: 5 rows read, 2 kept, 3 skipped (null_text 2, tie 1)
}
