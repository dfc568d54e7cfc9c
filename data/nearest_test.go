package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name   string
		among  []string
		wanted string
	}{
		{"chosen", []string{"prompt", "choosen", "reject"}, "choosen"},
		{"rejected", []string{"prompt", "choosen", "reject"}, "reject"},
		{"Chosen", []string{"chosen"}, "chosen"},
		{"chosen", []string{"prompt", "win", "lose"}, ""}, // lose is the other side
		{"prompt", nil, ""},
	} {
		if got := Nearest(c.name, c.among); got != c.wanted {
			t.Errorf("nearest to %s among %q is %q, want %q", c.name, c.among, got, c.wanted)
		}
	}
}

// TestLikelyColumns: columns of other names are guessed in what an error says,
// by spelling, by another word where all fields have one, or inside of a column.
func TestLikelyColumns(t *testing.T) {
	for _, c := range []struct{ row, says string }{
		{`{"question":"q","response_chosen":"a","response_rejected":"b"}`, "--columns chosen=response_chosen --columns rejected=response_rejected"},
		{`{"question":"q","chosen_text":"a","chosen_model":"m"}`, "--columns chosen=YOUR_COLUMN --columns rejected=YOUR_COLUMN"},
		{`{"prompt":"q","win":"a","lose":"b"}`, `did you mean "win", "lose"? Map them with --columns chosen=win --columns rejected=lose`},
		{`{"question":"q","answer_good":"a","answer_bad":"b"}`, "--columns chosen=answer_good --columns rejected=answer_bad"},
		{`{"prompt":"q","Better Answer":"a","Worse Answer":"b"}`, "--columns chosen='Better Answer' --columns rejected='Worse Answer'"},
		{`{"prompt":"q","response_0":"a","response_1":"b","preferred":0}`, "--columns chosen=YOUR_COLUMN"},
		{`{"prompt":"q","response_x":"a","response_y":"b","winner":"model_a"}`, "--columns chosen=YOUR_COLUMN"},
		{`{"prompt":"q","goods":"a","bads":"b"}`, "--columns chosen=YOUR_COLUMN --columns rejected=YOUR_COLUMN"},
		{`{"row":{"prompt":"q","chosen":"a","rejected":"b"}}`, "--columns chosen=row.chosen --columns rejected=row.rejected"},
		{`{"data":[{"prompt":"q","chosen":"a","rejected":"b"}]}`, "jq -c '.data[]'"},
	} {
		if _, _, err := readAll(t, write(t, "x.jsonl", c.row), ReadConfig{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.row, err, c.says)
		}
	}
}

// TestLikelyColumnsToScore: prompt and response of other names are guessed too.
func TestLikelyColumnsToScore(t *testing.T) {
	for row, says := range map[string]string{
		`{"instruction":"q","output":"a"}`: "--columns prompt=instruction --columns response=output",
		`{"prompt":"q","completion":"a"}`:  `did you mean "completion"? Map it with --columns response=completion`,
	} {
		if _, err := OpenTable(write(t, "x.jsonl", row), nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", row, err, says)
		}
	}
}

// TestPathsThatAreNotFiles: where a path was sought, and what to name of a folder.
func TestPathsThatAreNotFiles(t *testing.T) {
	folder := filepath.Dir(write(t, "part-0.jsonl", "{}"))
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"nowhere.jsonl":        "no such file or directory (from " + here + ", where laurel was started)",
		folder:                 "name its files, for example with /*.jsonl behind it",
		"/nowhere/pairs.jsonl": "no such file or directory",
	} {
		if _, err := OpenPairs(path, ReadConfig{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}

// TestPromptInCapitals: a prompt's column is found whatever the letter case.
func TestPromptInCapitals(t *testing.T) {
	for _, name := range []string{"Question", "Prompt", "INSTRUCTION"} {
		pairs := mustRead(t, write(t, "x.csv", name+",chosen,rejected\nwhy,a,b\n"), ReadConfig{})
		if pairs[0].Prompt.Plain != "why" {
			t.Errorf("%s: %+v", name, pairs)
		}
	}
}
