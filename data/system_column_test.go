package data

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestSystemColumn: a column of system messages is kept as a turn, of texts and of
// messages, is said, and can be turned off.
func TestSystemColumn(t *testing.T) {
	const texts = `"prompt":"q","chosen":"a","rejected":"b"}` + "\n"
	const whole = `"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}` + "\n"
	const explicit = `"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}` + "\n"
	const transcripts = `"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: b"}` + "\n"
	want := []Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "q"}}
	for _, name := range systemColumns {
		for _, row := range []string{texts, whole, explicit, transcripts} {
			file := write(t, "x.jsonl", `{"`+name+`":"Be brief.",`+row+`{"`+name+`":"",`+row)
			var notes []string
			pairs := mustRead(t, file, ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
			if !reflect.DeepEqual(pairs[0].Prompt.Messages, want) || !reflect.DeepEqual(pairs[1].Prompt.Messages, want[1:]) ||
				pairs[0].Chosen.Messages[0].Content != "a" || pairs[0].Rejected.Messages[0].Content != "b" {
				t.Errorf("%s %s: %+v", name, row, pairs)
			}
			if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "is read from "+name) }) {
				t.Errorf("%s: %q", name, notes)
			}
		}
	}
	file := write(t, "x.jsonl", `{"system":"Be brief.",`+texts)
	if p := mustRead(t, file, ReadConfig{Columns: map[string]string{"system": ""}})[0]; p.Prompt.Plain != "q" || p.Chosen.Plain != "a" {
		t.Errorf("turned off: %+v", p)
	}
	own := `{"system":"Be long.",` + strings.ReplaceAll(whole, `[{"role":"user"`, `[{"role":"system","content":"Be brief."},{"role":"user"`)
	if _, _, err := readAll(t, write(t, "x.jsonl", own), ReadConfig{}); err == nil || !strings.Contains(err.Error(), "--columns system=") {
		t.Errorf("another system message: %v", err)
	}
	label := `{"system_prompt":"Be brief.","prompt":"q","response_a":"a","response_b":"b"}` + "\n"
	for c, err := range ReadComparisons([]string{write(t, "x.jsonl", label)}, ReadConfig{}, nil) {
		if err != nil || !reflect.DeepEqual(c.Prompt.Messages, want) || c.A.Messages[0].Content != "a" {
			t.Errorf("comparison: %+v, %v", c, err)
		}
	}
	for _, row := range []string{`"prompt":"q","response":"a"}`, `"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, texts} {
		table, err := OpenTable(write(t, "x.jsonl", `{"system":"Be brief.",`+row), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer table.Close()
		if r, err := table.Next(); err != nil || !reflect.DeepEqual(r.Completions[0].Prompt.Messages, want) || r.Completions[0].Response.Messages[0].Content != "a" {
			t.Errorf("to score: %s: %+v, %v", row, r, err)
		}
	}
}
