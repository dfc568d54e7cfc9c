package data

import (
	"encoding/json"
	"errors"
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
	if counts.Read != counts.Kept+counts.SkippedRows() || counts.Kept != len(pairs) {
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

// badFiles is shared/data/bad/README.md as expectations: what the error says
// under fail, and how many rows are kept under skip (-1: still an error).
var badFiles = []struct {
	file string
	says []string
	kept int
}{
	{"missing-rejected.parquet", []string{"no column rejected", "prompt, chosen, confidence", "data.columns"}, -1},
	{"null-strings.parquet", []string{"row 3", "column chosen", "null", "on_bad_row: skip"}, 18},
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
	user := func(s string) Message { return Message{"user", s} }
	says := func(s string) Message { return Message{"assistant", s} }
	for name, c := range map[string]struct {
		line                     string
		prompt, chosen, rejected Text
	}{
		"text": {`{"prompt":"","chosen":"a","rejected":"b"}`, Text{}, Text{Plain: "a"}, Text{Plain: "b"}},
		"transcripts": {`{"chosen":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: yes","rejected":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: yet"}`,
			Text{Plain: "\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant:"}, Text{Plain: " yes"}, Text{Plain: " yet"}},
		"diverging at the first turn": {`{"chosen":"\n\nHuman: q\n\nAssistant: a\n\nHuman: r\n\nAssistant: s","rejected":"\n\nHuman: q\n\nAssistant: b"}`,
			Text{Plain: "\n\nHuman: q\n\nAssistant:"}, Text{Plain: " a\n\nHuman: r\n\nAssistant: s"}, Text{Plain: " b"}},
		"no marker": {`{"chosen":"same a","rejected":"same b"}`, Text{}, Text{Plain: "same a"}, Text{Plain: "same b"}},
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
			Text{Messages: []Message{{"system", "s"}, user("q")}}, Text{Messages: []Message{says("a")}}, Text{Messages: []Message{says("b")}}},
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

// Every reason, by the one line of JSON that has it; it stands between good
// lines, which skip must keep.
func TestReasons(t *testing.T) {
	text := `{"prompt":"p","chosen":"a","rejected":"b"}`
	chat := `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`
	for _, c := range []struct {
		reason     Reason
		good, line string
		says       []string
	}{
		{ReasonNullText, text, `{"prompt":null,"chosen":"a","rejected":"b"}`, []string{"column prompt", "null"}},
		{ReasonEmptyResponse, text, `{"prompt":"p","chosen":"a","rejected":" \n\t\u00a0"}`, []string{"column rejected", "white space"}},
		{ReasonEmptyResponse, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":" "}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"column chosen", "empty"}},
		{ReasonIdentical, text, `{"prompt":"p","chosen":"a","rejected":"a"}`, []string{"column rejected", "equals chosen"}},
		{ReasonIdentical, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, []string{"equals chosen"}},
		{ReasonConfidenceNaN, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":1e999}`, []string{"column confidence", "Inf"}},
		{ReasonConfidenceBelow, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":-1e-9}`, []string{"negative"}},
		{ReasonConfidenceOver, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":85}`, []string{"85", "divide the column by 100"}},
		{ReasonConfidenceOver, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":1.01}`, []string{"1.01", "over 1"}},
		{ReasonMargin, text, `{"prompt":"p","chosen":"a","rejected":"b","margin":-1e999}`, []string{"column margin", "finite"}},
		{ReasonVoteShare, text, `{"prompt":"p","chosen":"a","rejected":"b","vote_share":1.5}`, []string{"column vote_share", "1.5"}},
		{ReasonUTF8, text, "{\"prompt\":\"p\",\"chosen\":\"a\xff\",\"rejected\":\"b\"}", []string{"column chosen", "byte 1"}},
		{ReasonUTF8, text, `{"prompt":"half \ud800 a pair","chosen":"a","rejected":"b"}`, []string{"column prompt", "UTF-8", "byte 5"}},
		{ReasonUTF8, text, "{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\",\"id\":\"\xff\"}", []string{"column id"}},
		{ReasonNUL, text, `{"prompt":"p\u0000","chosen":"a","rejected":"b"}`, []string{"column prompt", "NUL", "byte 1"}},
		{ReasonRole, chat, `{"chosen":[{"role":"usr","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", `"usr"`, `"user"`}},
		{ReasonNullMessage, chat, `{"chosen":[{"role":null,"content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", "role is null"}},
		{ReasonNullMessage, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 1", "content is null or missing"}},
		{ReasonNoMessages, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[]}`, []string{"column rejected", "empty list"}},
		{ReasonLastTurn, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"z"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"column chosen", "ends with a user turn"}},
		{ReasonPromptsDiffer, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"Q"},{"role":"assistant","content":"b"}]}`, []string{"does not share a prompt"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":"0.9"}`, []string{"column confidence", `"0.9"`, "number"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":3,"rejected":"b"}`, []string{"column chosen", "a number where text"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":["a"],"rejected":"b"}`, []string{"column chosen", "a list"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":"a","rejected":"b","subset":{"x":1}}`, []string{"column subset", "an object"}},
		{ReasonWrongType, text, chat, nil},
		{ReasonWrongType, chat, `{"chosen":[{"role":"user","content":["q"]},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", "content is a list"}},
		{ReasonBrokenLine, text, `{"prompt":"p","chosen":"a`, []string{"broken JSON", "cut short"}},
		{ReasonBrokenLine, text, `{"prompt":"p","chosen":"a","rejected":"b"} x`, []string{"broken JSON", "follows"}},
		{ReasonNotObject, text, `"prompt"`, []string{"not a JSON object"}},
		{ReasonNaNLiteral, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":-Infinity}`, []string{"column confidence", "-Infinity"}},
		{ReasonMissingField, text, `{"prompt":"p","chosen":"a"}`, []string{"column rejected", "missing"}},
		{ReasonMissingField, text, `{"chosen":"a","rejected":"b"}`, []string{"column prompt", "missing"}},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			if c.reason == ReasonWrongType && c.says == nil {
				c.says = []string{"line 3"}
				if strings.Contains(c.line, `"prompt"`) {
					t.Fatal("the case lost its meaning")
				}
				c.line = strings.Replace(c.line, "{", `{"prompt":"p",`, 1)
			}
			file := write(t, "x.jsonl", c.good+"\n\n"+c.line+"\n"+c.good+"\n")
			_, counts, err := readAll(t, file, ReadConfig{OnBadRow: "fail"})
			var bad *RowError
			if !errors.As(err, &bad) {
				t.Fatalf("no RowError but %v", err)
			}
			if bad.Reason != c.reason || bad.Row != 3 || bad.Unit != "line" || counts.Read != 2 || counts.Kept != 1 {
				t.Errorf("%+v, %v", bad, counts)
			}
			for _, s := range append(c.says, file, "line 3", "on_bad_row: skip") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\nlacks %q", err, s)
				}
			}
			pairs, counts, err := readAll(t, file, ReadConfig{OnBadRow: "skip"})
			if err != nil || len(pairs) != 2 || counts.Skipped[c.reason] != 1 || counts.Read != 3 {
				t.Errorf("skip: %d pairs, %v, %v", len(pairs), counts, err)
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
		{"a.json", "[\n" + good + "]\n", []string{"JSON array", "jq -c"}},
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
