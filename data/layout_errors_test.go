package data

import (
	"reflect"
	"strings"
	"testing"
)

// TestWithdrawnReplies: messages of OpenAssistant that are deleted, or refused by
// their reviewers, are in no pair, and counted.
func TestWithdrawnReplies(t *testing.T) {
	tree := `{"message_tree_id":"1","prompt":{"text":"q","role":"prompter","replies":[` +
		`{"text":"a","role":"assistant","rank":0,"deleted":true,"replies":[]},` +
		`{"text":"b","role":"assistant","rank":1,"deleted":false,"review_result":true,"replies":[]},` +
		`{"text":"c","role":"assistant","rank":2,"review_result":false,"replies":[]},` +
		`{"text":"d","role":"assistant","rank":3,"review_result":null,"replies":[]}]}}`
	var notes []string
	pairs := mustRead(t, write(t, "x.jsonl", tree), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
	if len(pairs) != 1 || pairs[0].Chosen.Messages[0].Content != "b" || pairs[0].Rejected.Messages[0].Content != "d" || !strings.Contains(strings.Join(notes, "\n"), "2 messages are left out") {
		t.Errorf("%+v %q", pairs, notes)
	}
	row := func(id, parent, role, rank, more string) string {
		return `{"message_id":"` + id + `","parent_id":` + parent + `,"role":"` + role + `","text":"` + id + `","rank":` + rank + more + "}\n"
	}
	flat := row("q", "null", "prompter", "null", "") + row("a", `"q"`, "assistant", "0", `,"deleted":true`) + row("b", `"q"`, "assistant", "1", `,"deleted":false`) +
		row("c", `"q"`, "assistant", "2", `,"review_result":false`) + row("d", `"q"`, "assistant", "3", "")
	pairs, counts, err := readAll(t, write(t, "x.jsonl", flat), ReadConfig{})
	if want := map[Reason]int{ReasonUnpaired: 1, ReasonWithdrawn: 2}; err != nil || len(pairs) != 1 || pairs[0].Chosen.Messages[0].Content != "b" || pairs[0].Rejected.Messages[0].Content != "d" || !reflect.DeepEqual(counts.Skipped, want) {
		t.Errorf("%+v %v %v", pairs, counts, err)
	}
}

// TestErrorsNameTheWay: what cannot be read says what would read it.
func TestErrorsNameTheWay(t *testing.T) {
	for _, c := range []struct{ row, says string }{
		{`{"prompt":"q","response_0":"a","response_1":"b","better_response_id":true}`, `column better_response_id: "true" where 0 or 1 should be`},
		{`{"prompt":[{"role":"user","content":"q","content":"r"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}`, `the key "prompt.content" is given a second time`},
		{`{"prompt":"q","Chosen Response (best)":"a","rejected":"b"}`, `--columns chosen='Chosen Response (best)' `},
		{`{"prompt":"q","the chosen's":"a","rejected":"b"}`, `--columns chosen='the chosen'\''s' `},
		{`{"prompt":"q","chosen":{"text":"a","score":3},"rejected":{"text":"b","score":1}}`, "--columns chosen=chosen.text reads a value of it"},
		{`{"prompt":"q","completion":"a","label":"good"}`, "true or false (or 1 or 0) should be"},
		{`{"prompt":"q","completions":["a","b"]}`, "no completion has a score, rating, reward: nothing says which is better"},
		{`{"prompt":"q","completions":[{"text":"a","score":1,"reward":2},{"text":"b","score":2,"reward":1}]}`, "completions have a score and a reward"},
		{`{"prompt":"q","completions":[{"text":"a","score":1},{"text":"b"}]}`, "nothing where a number should be"},
		{`{"history":"h","human_ref_A":"a","human_ref_B":"b","labels":"1"}`, "the columns are those of the layout shp, but labels is text, not a number: write it so"},
		{`{"post":"h","human_ref_A":"a","human_ref_B":"b","labels":"1"}`, "it looks like shp, but history is not there; labels is text, not a number"},
		{`{"prompt":"q","chosen":"a","rejected":"b","confidence":"0.8"}`, `column confidence: the text "0.8" where a number should be: write it without quotes`},
		{`{"completion":"a","label":3}`, "it looks like kto, but prompt is not there"},
		{`{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"x"}],"chosen":{"from":"gpt","value":"a"},"rejected":{"from":"gpt","value":"b"}}`, "take that turn off in the file"},
		{`{"winner":"model_a","conversation_a":[{"role":"user","content":[{"type":"text","text":null}]}],"conversation_b":[]}`, "message 0: part 0: content holds a part without text (null or missing)"},
	} {
		if _, _, err := readAll(t, write(t, "x.jsonl", c.row), ReadConfig{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.row, err, c.says)
		}
	}
	text := mustRead(t, write(t, "x.jsonl", `{"prompt":"q","response_0":"a","response_1":"b","better_response_id":"1"}`), ReadConfig{})
	if text[0].Chosen.Plain != "b" {
		t.Errorf("an id as text: %+v", text)
	}
	inside := mustRead(t, write(t, "x.jsonl", `{"prompt":"q","chosen":{"text":"a"},"rejected":{"text":"b"}}`), ReadConfig{Columns: map[string]string{"chosen": "chosen.text", "rejected": "rejected.text"}})
	if inside[0].Chosen.Plain != "a" || inside[0].Rejected.Plain != "b" {
		t.Errorf("texts inside of objects: %+v", inside)
	}
	var notes []string
	mustRead(t, write(t, "x.jsonl", `{"prompt":"q","initial_reason_steps":"s","chosen":"a","rejected":"b","n":"1"}`), ReadConfig{Columns: map[string]string{"id": "n"}, Say: func(_, note string) { notes = append(notes, note) }})
	if !strings.Contains(strings.Join(notes, "\n"), "layout step-dpo, which --columns turns off") {
		t.Errorf("%q", notes)
	}
	if _, err := OpenTable(write(t, "x.jsonl", `{"prompt":"q","chosen":["a"],"rejected":["b","c"]}`), nil); err == nil || !strings.Contains(err.Error(), "laurel convert --from reward-bench-2") {
		t.Errorf("score of lists: %v", err)
	}
	pairs := write(t, "x.jsonl", `{"prompt":"q","chosen":"a","rejected":"b"}`)
	if err := CheckComparisons([]string{pairs}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "--columns response_a=chosen --columns response_b=rejected labels them") {
		t.Errorf("pairs to be labelled: %v", err)
	}
	argilla, err := OpenTable(write(t, "x.jsonl", `{"instruction":"q","chosen_response":"a","rejected_response":"b"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer argilla.Close()
	if r, err := argilla.Next(); err != nil || r.Completions[1].Response.Plain != "b" || r.Completions[1].Prompt.Plain != "q" {
		t.Errorf("chosen_response to be scored: %+v, %v", r, err)
	}
}
