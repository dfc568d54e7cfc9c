package data

import (
	"strings"
	"testing"
)

// TestWholeDialogues: responses that hold the whole dialogue, beside a prompt: it
// is what they begin with, or the row is refused.
func TestWholeDialogues(t *testing.T) {
	const system, user = `{"role":"system","content":"S"}`, `{"role":"user","content":"q"}`
	answers := func(before string) string {
		return `"chosen":[` + before + `{"role":"assistant","content":"a"}],"rejected":[` + before + `{"role":"assistant","content":"b"}]}` + "\n"
	}
	for _, c := range []struct {
		row   string
		turns int    // of the prompt; 0: refused
		says  string // of the refusal
	}{
		{`{"prompt":[` + user + `],` + answers(user+","), 1, ""},
		{`{"prompt":[` + user + `],` + answers(""), 1, ""},
		{`{"prompt":[` + user + `],` + answers(system+","+user+","), 2, ""},
		{`{"prompt":[],` + answers(user+","), 1, ""},
		{`{"prompt":[{"role":"user","content":"q "}],` + answers(user+","), 0, "not what the responses begin with"},
		{`{"prompt":[` + user + `],"chosen":[` + user + `,{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}`, 0, "does not share a prompt"},
		{`{"prompt":"q",` + answers(system+","+user+","), 2, ""},
		{`{"prompt":"Answer in French. q",` + answers(user+","), 0, "not what the responses begin with"},
		{`{"task":"Coding",` + answers(user+","), 1, ""},
		{`{"prompt":[` + user + `],"chosen":[{"role":"assistant","content":"a"},` + user + `,{"role":"assistant","content":""}],"rejected":[{"role":"assistant","content":"b"}]}`, 0, "empty"},
	} {
		pairs, _, err := readAll(t, write(t, "x.jsonl", c.row), ReadConfig{})
		switch {
		case c.turns == 0 && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", c.row, err, c.says)
		case c.turns > 0 && (err != nil || len(pairs[0].Prompt.Messages) != c.turns || len(pairs[0].Chosen.Messages) != 1):
			t.Errorf("%s: %+v, %v", c.row, pairs, err)
		}
	}
	hh := `{"prompt":"\n\nHuman: q\n\nAssistant:","chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: b"}`
	if p := mustRead(t, write(t, "x.jsonl", hh), ReadConfig{})[0]; p.Chosen.Plain != " a" || p.Rejected.Plain != " b" {
		t.Errorf("%+v", p)
	}
}

// TestLayoutsHeedOrRefuse: what a layout would not heed is refused by name.
func TestLayoutsHeedOrRefuse(t *testing.T) {
	shp := `{"history":"q","human_ref_A":"a","human_ref_B":"b","labels":1.0}` + "\n"
	kto := `{"prompt":"q","completion":"a","label":true,"system":"S"}` + "\n" + `{"prompt":"q","completion":"b","label":0.0,"system":"T"}` + "\n"
	alpaca := `{"instruction":"Translate.","input":"text","output_1":"a","output_2":"b","preference":1}` + "\n"
	for _, c := range []struct {
		rows string
		cfg  ReadConfig
		says string
	}{
		{shp, ReadConfig{From: "shp", LabelValues: map[string]string{"a": "0", "b": "1"}}, "heeds no --label-values"},
		{shp, ReadConfig{From: "shp", Columns: map[string]string{"prompt": "nowhere"}}, "reads none by --columns prompt=nowhere"},
		{kto, ReadConfig{}, "does not read column system"},
		{`{"prompt":"p","response_a":"a","response_b":"b","label":1}` + "\n", ReadConfig{LabelValues: map[string]string{"a": "1", "b": "1.0"}}, "a and b are both"},
		{`{"prompt":"p","chosen":["p","a"],"rejected":["p","b"]}` + "\n", ReadConfig{}, "is in rejected too"},
		{`{"instruction":"q","generations":["a","b"],"ratings":[2,1],"system_prompt":"S"}` + "\n", ReadConfig{}, "does not read column system_prompt"},
	} {
		if _, _, err := readAll(t, write(t, "x.jsonl", c.rows), c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.rows, err, c.says)
		}
	}
	if p := mustRead(t, write(t, "x.jsonl", shp), ReadConfig{})[0]; p.Chosen.Plain != "a" {
		t.Errorf("%+v", p)
	}
	if p := mustRead(t, write(t, "x.jsonl", kto), ReadConfig{From: "kto", Columns: map[string]string{"system": ""}})[0]; p.Chosen.Plain != "a" {
		t.Errorf("%+v", p)
	}
	equal := `{"prompt":"p","response":"a","helpfulness":3,"correctness":1,"coherence":1}` + "\n" + `{"prompt":"p","response":"b","helpfulness":3,"correctness":1,"coherence":1}` + "\n"
	better := `{"prompt":"q","response":"a","helpfulness":3,"correctness":1,"coherence":1}` + "\n" + `{"prompt":"q","response":"b","helpfulness":2,"correctness":1,"coherence":1}` + "\n"
	if pairs, counts, err := readAll(t, write(t, "x.jsonl", equal+better), ReadConfig{}); err != nil || len(pairs) != 1 || counts.Skipped[ReasonTie] != 2 {
		t.Errorf("%+v, %v, %v", pairs, counts, err)
	}
	var notes []string
	mustRead(t, write(t, "x.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","status":"tie"}`), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
	if len(notes) != 1 || !strings.Contains(notes[0], "status may say that a row is a tie") {
		t.Errorf("%q", notes)
	}
	said := func(a string) string {
		return `[{"role":"user","content":"q"},{"role":"assistant","content":"` + a + `1"},{"role":"user","content":"r"},{"role":"assistant","content":"` + a + `2"}]`
	}
	for turn, n := range map[string]int{"1": 1, "2": 3, "null": 3} {
		row := `{"winner":"model_b","turn":` + turn + `,"conversation_a":` + said("a") + `,"conversation_b":` + said("b") + `}`
		if p := mustRead(t, write(t, "x.jsonl", row), ReadConfig{})[0]; len(p.Chosen.Messages) != n || p.Chosen.Messages[0].Content != "b1" {
			t.Errorf("turn %s: %+v", turn, p)
		}
	}
	if p := mustRead(t, write(t, "x.jsonl", alpaca), ReadConfig{})[0]; p.Prompt.Plain != "Translate.\ntext" {
		t.Errorf("%+v", p)
	}
}

// TestGuessedBesideWholeDialogues: a column that may be the prompt, beside responses
// that hold whole conversations, is in them, or the row is refused.
func TestGuessedBesideWholeDialogues(t *testing.T) {
	const whole = `"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}` + "\n"
	const transcripts = `"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: b"}` + "\n"
	const lost = "--columns prompt= --columns system="
	for _, row := range []string{whole, transcripts} {
		for _, c := range []struct{ column, says string }{
			{`"question":" q "`, ""},
			{`"question":null`, ""},
			{`"question":""`, ""},
			{`"context":"A document."`, lost + "context"},
			{`"instruction":"q","input":"a table"`, "--columns prompt="},
			{`"history":[{"role":"user","content":"before"},{"role":"assistant","content":"x"}]`, "leave the column out with --columns prompt="},
			{`"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]`, ""},
			{`"messages":[{"role":"user","content":"other"}]`, "leave the column out with --columns prompt="},
			{`"conversations":[{"from":"human","value":"q"}]`, ""},
			{`"query":"\n\nHuman: q\n\nAssistant:"`, ""},
			{`"query":"\n\nHuman: p\n\nAssistant:"`, lost + "query"},
		} {
			file := write(t, "x.jsonl", `{`+c.column+`,`+row)
			pairs, _, err := readAll(t, file, ReadConfig{})
			switch {
			case c.says == "" && (err != nil || pairs[0].Chosen.Chars() > 2):
				t.Errorf("%s: %+v, %v", c.column, pairs, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%s %s: %v, want %q", c.column, row, err, c.says)
			}
			if c.says == "" {
				continue
			}
			if pairs, _, err := readAll(t, file, ReadConfig{Columns: map[string]string{"prompt": ""}}); err != nil || pairs[0].Chosen.Chars() > 2 {
				t.Errorf("%s left out: %+v, %v", c.column, pairs, err)
			}
		}
		kept := mustRead(t, write(t, "x.jsonl", `{"context":"A document.",`+row), ReadConfig{Columns: map[string]string{"prompt": "", "system": "context"}})[0]
		if m := kept.Prompt.Messages; len(m) != 2 || m[0] != (Message{Role: "system", Content: "A document."}) || m[1].Content != "q" {
			t.Errorf("kept as the system message: %+v", kept)
		}
	}
	file := write(t, "x.jsonl", `{"prompt":"q",`+transcripts)
	if p := mustRead(t, file, ReadConfig{})[0]; p.Prompt.Plain != "\n\nHuman: q\n\nAssistant:" || p.Chosen.Plain != " a" {
		t.Errorf("a prompt beside transcripts that hold it: %+v", p)
	}
}

// TestInvertedScores: scores that contradict which response is chosen are counted
// and said.
func TestInvertedScores(t *testing.T) {
	row := func(numbers string) string { return `{"prompt":"p","chosen":"a","rejected":"b",` + numbers + "}\n" }
	for _, c := range []struct{ rows, says string }{
		{row(`"chosen-rating":2,"rejected-rating":4`) + row(`"chosen-rating":3,"rejected-rating":3`) + row(`"chosen-rating":4,"rejected-rating":1`),
			"chosen-rating is below rejected-rating in 1 rows (a margin below 0), equal or null in 1"},
		{row(`"margin":-1`) + row(`"margin":0`), "1 rows have a margin below 0"},
		{row(`"margin":0`) + row(`"margin":2`), ""},
	} {
		var notes []string
		mustRead(t, write(t, "x.jsonl", c.rows), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
		said := strings.Join(notes, "\n")
		if !strings.Contains(said, c.says) || c.says == "" && strings.Contains(said, "below 0") {
			t.Errorf("%s: %q, want %q", c.rows, notes, c.says)
		}
	}
}
