package data

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestChat: texts become messages, transcripts their turns, what a row cannot
// give is refused, and messages stay as they are.
func TestChat(t *testing.T) {
	for _, c := range []struct{ row, want string }{
		{`{"prompt":" q ","chosen":" a\n","rejected":"b"}`, `"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]`},
		{`{"chosen":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: b"}`,
			`"prompt":[{"role":"user","content":"q"},{"role":"assistant","content":"x"},{"role":"user","content":"r"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]`},
		{`{"prompt":"q","response_a":"a","response_b":"b","label":"b"}`, `"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"b"}]`},
		{`{"prompt":"\n\nHuman: q\n\nAssistant:","answers":[{"answer":" a","rank":2},{"answer":" b","rank":1}]}`, `"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"b"}]`},
		{`{"prompt":[{"role":"user","content":" q "}],"chosen":[{"role":"assistant","content":" a"}],"rejected":[{"role":"assistant","content":"b"}]}`, `"prompt":[{"role":"user","content":" q "}],"chosen":[{"role":"assistant","content":" a"}]`},
	} {
		if got := pairLines(t, write(t, "x.jsonl", c.row+"\n"), ReadConfig{Chat: true}); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", c.row, got, c.want)
		}
	}
	_, _, err := readAll(t, write(t, "x.jsonl", `{"chosen":"a","rejected":"b"}`+"\n"), ReadConfig{Chat: true, Columns: map[string]string{"prompt": ""}})
	var wrong *RowError
	if !errors.As(err, &wrong) || wrong.Reason != ReasonNoPrompt {
		t.Error(err)
	}
}

// TestCallsOfTools: what is no call is refused.
func TestCallsOfTools(t *testing.T) {
	for _, value := range []string{"weather()", `{\"name\":\"weather\"}`, `[1]`, `{\"arguments\":{}}`, `5`} {
		row := `{"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"function_call","value":"` + value + `"},"rejected":{"from":"gpt","value":"b"}}` + "\n"
		_, _, err := readAll(t, write(t, "x.jsonl", row), ReadConfig{})
		if err == nil || !strings.Contains(err.Error(), "function call") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestMedia: a row with an image is refused, unless the column is left out;
// empty ones are none.
func TestMedia(t *testing.T) {
	for _, row := range []string{
		`{"prompt":"p","chosen":"a","rejected":"b","images":%s}`,
		`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected_response":"b","images":%s}`,
		`{"prompt":"p","completion":"a","label":true,"images":%s}` + "\n" + `{"prompt":"p","completion":"b","label":false}`,
	} {
		for value, refused := range map[string]bool{"null": false, "[]": false, `["a.png"]`: true, `"a.png"`: true, `[{"bytes":"x"}]`: true} {
			file := write(t, "x.jsonl", fmt.Sprintf(row, value)+"\n")
			_, _, err := readAll(t, file, ReadConfig{})
			var wrong *RowError
			if errors.As(err, &wrong) != refused || refused && (wrong.Reason != ReasonPart || wrong.Column != "images") {
				t.Errorf("%s: %s: %v", row, value, err)
			}
			if pairs, _, err := readAll(t, file, ReadConfig{Columns: map[string]string{"images": ""}}); err != nil && strings.Contains(row, `"chosen"`) || len(pairs) > 1 {
				t.Errorf("%s: %s, left out: %v", row, value, err)
			}
		}
	}
}

// TestSharedParagraph: texts that begin with the same paragraph and have no
// prompt are kept with an empty one, which is said once.
func TestSharedParagraph(t *testing.T) {
	row := `{"chosen":"Once.\n\nUpon","rejected":"Once.\n\nOn"}` + "\n"
	var notes []string
	pairs := mustRead(t, write(t, "x.jsonl", row+row), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
	if len(pairs) != 2 || pairs[0].Prompt.Plain != "" || len(notes) != 1 || !strings.Contains(notes[0], "line 1 and maybe more") {
		t.Errorf("%+v %q", pairs, notes)
	}
}

// TestLateColumns: keys that only rows below the head of a file have are named
// once it is read.
func TestLateColumns(t *testing.T) {
	row := `{"question":"q","chosen":"a","rejected":"b"}` + "\n"
	late := `{"question":"q","chosen":"a","rejected":"b","system":"s","id":"1"}` + "\n"
	var notes []string
	pairs := mustRead(t, write(t, "x.jsonl", strings.Repeat(row, sampleRows)+late+late), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
	if last := notes[len(notes)-1]; len(notes) != 2 || !strings.Contains(last, "line 1001 the first): system;") || pairs[sampleRows].ID != "1" {
		t.Errorf("%q %+v", notes, pairs[sampleRows])
	}
}

// TestMessagesAsText: conversations that a file holds as texts are refused, not
// read as texts; a text that only quotes some is read.
func TestMessagesAsText(t *testing.T) {
	for row, refused := range map[string]bool{
		"\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"q\"\"}]\",a,b":           true,
		"\"[{'content': 'q', 'role': 'user'}]\",a,b":                                true,
		"q,\"[{'from': 'gpt', 'value': 'a'}]\",\"[{'from': 'gpt', 'value': 'b'}]\"": true,
		"q,\"[{'role': 'user', 'content': 'a'}]\",b":                                false,
		"\"What is [{'role': 'user'}]?\",a,b":                                       false,
		"[x],a,b":                                                                   false,
	} {
		_, _, err := readAll(t, write(t, "x.csv", "prompt,chosen,rejected\n"+row+"\n"), ReadConfig{})
		if got := err != nil && strings.Contains(err.Error(), "list of messages written out"); got != refused || !refused && err != nil {
			t.Errorf("%s: %v", row, err)
		}
	}
}

// TestToolsOfTexts: tools beside texts are said to be unused, and used where
// the texts become messages.
func TestToolsOfTexts(t *testing.T) {
	file := write(t, "x.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","tools":[{"name":"f"}]}`+"\n")
	var notes []string
	cfg := ReadConfig{Say: func(_, note string) { notes = append(notes, note) }}
	if mustRead(t, write(t, "none.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","tools":null}`+"\n"), cfg); len(notes) != 0 {
		t.Errorf("%q of a column without values", notes)
	}
	if mustRead(t, file, cfg); len(notes) != 1 || !strings.HasPrefix(notes[0], "column tools is not used") {
		t.Errorf("%q", notes)
	}
	cfg.Chat = true
	if p := mustRead(t, file, cfg)[0]; p.Prompt.Context.Tools != `[{"name":"f"}]` || len(notes) != 1 {
		t.Errorf("%+v %q", p, notes)
	}
}

// TestZstd: lines compressed by zstd are read, whole or cut short with the
// place said.
func TestZstd(t *testing.T) {
	lines := strings.Repeat(`{"prompt":"p","chosen":"a","rejected":"b"}`+"\n", 3000)
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.EncodeAll([]byte(lines), nil)
	if pairs := mustRead(t, write(t, "x.jsonl.zst", string(packed)), ReadConfig{}); len(pairs) != 3000 {
		t.Errorf("%d pairs", len(pairs))
	}
	if _, _, err := readAll(t, write(t, "x.jsonl.zst", string(packed[:len(packed)-8])), ReadConfig{}); err == nil || !strings.Contains(err.Error(), "zstd stream ends or breaks here") {
		t.Error(err)
	}
	if pairs := mustRead(t, write(t, "x.csv.zst", string(w.EncodeAll([]byte("prompt,chosen,rejected\np,a,b\n"), nil))), ReadConfig{}); len(pairs) != 1 {
		t.Errorf("%d pairs of CSV", len(pairs))
	}
}

// TestUnusableResponses: of gathered rows the one at fault is refused, not all
// of its prompt; a list without two responses is no tie.
func TestUnusableResponses(t *testing.T) {
	row := `{"prompt":"p","response":%q,"helpfulness":%s,"correctness":1,"coherence":1}` + "\n"
	rows := fmt.Sprintf(row, "a", "1") + fmt.Sprintf(row, " ", "2") + fmt.Sprintf(row, "b", "null") + fmt.Sprintf(row, "c", "3")
	pairs, counts, err := readAll(t, write(t, "x.jsonl", rows), ReadConfig{OnBadRow: "skip"})
	if err != nil || len(pairs) != 1 || pairs[0].Chosen.Plain != "c" || pairs[0].Margin != 2 || counts.Skipped[ReasonEmptyResponse] != 1 || counts.Skipped[ReasonLabel] != 1 || counts.Kept != 2 {
		t.Errorf("%v %+v %v", err, pairs, counts)
	}
	for _, answers := range []string{"null", "[]", `[{"answer":"a","rank":1}]`} {
		file := write(t, "x.jsonl", `{"prompt":"p","answers":[{"answer":"a","rank":1},{"answer":"b","rank":2}]}`+"\n"+`{"prompt":"p","answers":`+answers+"}\n")
		if _, counts, err := readAll(t, file, ReadConfig{OnBadRow: "skip"}); err != nil || counts.Skipped[ReasonUnpaired] != 1 {
			t.Errorf("%s: %v %v", answers, err, counts)
		}
	}
}
