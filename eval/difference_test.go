package eval

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
)

// storedPairs gives rows texts of their own, and writes and reads them.
func storedPairs(t *testing.T, rows []Row, texts []data.Pair) []Evaluated {
	t.Helper()
	path := filepath.Join(t.TempDir(), PairsFile)
	if err := WritePairs(path, rows, each(texts)); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPairs(path)
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d pairs, %v", len(got), err)
	}
	return got
}

// fourOf are pairs of two prompts; margins are those given.
func fourOf(margins ...float64) (rows []Row, texts []data.Pair) {
	for i, m := range margins {
		p := data.Pair{Prompt: data.Text{Plain: fmt.Sprint("prompt ", i/2)}, Chosen: data.Text{Plain: fmt.Sprint("good ", i)}, Rejected: data.Text{Plain: fmt.Sprint("bad ", i)}}
		texts = append(texts, p)
		rows = append(rows, Row{Place: i, Prompt: data.PromptKey(p.Prompt), Chosen: m, Confidence: 1, LenChosen: p.Chosen.Chars(), LenRejected: p.Rejected.Chars()})
	}
	return rows, texts
}

// TestCompare: the same pairs in another order are compared one by one; others
// as independent samples.
func TestCompare(t *testing.T) {
	rows, texts := fourOf(1, 1, 1, -1)
	worse, _ := fourOf(1, -1, -1, -1)
	a, b := evaluate(t, rows), evaluate(t, worse)
	first, second := storedPairs(t, rows, texts), storedPairs(t, worse, texts)
	second[0], second[3] = second[3], second[0]
	d, err := Compare(a, b, first, second, 1)
	if err != nil || d.Pairs != 4 || d.First != 0.75 || d.Second != 0.25 || d.Difference != 0.5 || d.P != 0.5 {
		t.Errorf("%+v, %v", d, err)
	}
	if want := 2 * (softplus(-1) - softplus(1)) / 4; math.Abs(float64(d.Loss.Difference)-want) > 1e-12 {
		t.Errorf("loss %v, want %v", d.Loss.Difference, want)
	}
	if float64(d.Interval[0]) != 0.5 || float64(d.Interval[1]) != 0.5 { // either prompt has one pair on which they differ
		t.Errorf("interval %v", d.Interval)
	}
	for i := range second {
		second[i].Key = "other"
	}
	if d, err = Compare(a, b, first, second, 1); err != nil || d.Pairs != 0 || d.P.Defined() || d.Difference != 0.5 || !d.Interval.Contains(0) || !strings.Contains(d.Method, "Newcombe") {
		t.Errorf("of other pairs %+v, %v", d, err)
	}
}

func softplus(x float64) float64 { return math.Log1p(math.Exp(x)) }

// TestPairsOfOtherFiles: a pair that the file no longer holds keeps its rewards
// and has no text.
func TestPairsOfOtherFiles(t *testing.T) {
	rows, texts := fourOf(1, 2, 3, 4)
	texts[1].Chosen.Plain = "another answer"
	got := storedPairs(t, rows, texts[:3])
	for i, e := range got {
		if known := e.Key != ""; known != (i == 0 || i == 2) || e.Ranked.Chosen != float64(i+1) || known != (e.PromptText != "") {
			t.Errorf("%d: %+v", i, e)
		}
	}
}
