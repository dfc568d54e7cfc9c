package data

import (
	"slices"
	"strings"
	"testing"
)

// TestRepeatedPrompt: where responses begin with their prompt, it stands once.
func TestRepeatedPrompt(t *testing.T) {
	const repeats, not = `{"prompt":"Name a bird.","chosen":"Name a bird. Robin","rejected":"Name a bird. Trout"}` + "\n", `{"prompt":"Hi","chosen":"Robin","rejected":"Trout"}` + "\n"
	const other = `{"prompt":"Hi","chosen":"Hi there","rejected":"Trout"}` + "\n" // one of both
	for _, c := range []struct {
		rows   string
		chosen []string
		says   string
	}{
		{repeats + repeats, []string{" Robin", " Robin"}, "in 2 of the first 2 rows the responses begin with the whole prompt: it is taken off"},
		{repeats + repeats + not, []string{" Robin", " Robin", "Robin"}, "in 2 of the first 3 rows"},
		{repeats + not + not, []string{"Name a bird. Robin", "Robin", "Robin"}, "in 1 of the first 3 rows the responses begin with the whole prompt: as most do not"},
		{other + not, []string{"Hi there", "Robin"}, ""},
		{strings.ReplaceAll(repeats, `"prompt"`, `"question"`), []string{" Robin"}, "in 1 of the first 1 rows"},
	} {
		var notes []string
		pairs := mustRead(t, write(t, "x.jsonl", c.rows), ReadConfig{Say: func(_, note string) { notes = append(notes, note) }})
		for i, want := range c.chosen {
			if pairs[i].Chosen.Plain != want {
				t.Errorf("%s: %q, want %q", c.rows, pairs[i].Chosen.Plain, want)
			}
		}
		if said := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "begin with the whole prompt") }); said != (c.says != "") || !strings.Contains(strings.Join(notes, "\n"), c.says) {
			t.Errorf("%s: %q, want %q", c.rows, notes, c.says)
		}
	}
	csv := "prompt,chosen,rejected\nq?,q? a,q? b\n"
	if p := mustRead(t, write(t, "x.csv", csv), ReadConfig{})[0]; p.Chosen.Plain != " a" {
		t.Errorf("CSV: %+v", p)
	}
	table, err := OpenTable(write(t, "x.jsonl", `{"prompt":"q","response":"q a"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if r, err := table.Next(); err != nil || r.Completions[0].Response.Plain != " a" {
		t.Errorf("table: %+v, %v", r, err)
	}
	for c, err := range ReadComparisons([]string{write(t, "x.jsonl", `{"prompt":"q","response_a":"q a","response_b":"q b"}`)}, ReadConfig{}, nil) {
		if err != nil || c.A.Plain != " a" || c.B.Plain != " b" {
			t.Errorf("comparison: %+v, %v", c, err)
		}
	}
}
