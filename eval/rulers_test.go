package eval

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"laurel/data"
	"laurel/eval/stats"
)

// textPairs are pairs with their rows: of four, in chosen is "good" and in
// rejected "bad"; markdown, hedges and the prompt's words are in the other way
// round, once each.
func textPairs(n int) (pairs []data.Pair, rows []Row) {
	for i := range n {
		p := data.Pair{Prompt: data.Text{Plain: fmt.Sprintf("What is item %d?", i)}, Confidence: 1,
			Chosen: data.Text{Plain: "a good one"}, Rejected: data.Text{Plain: "a bad one"}}
		switch i % 4 {
		case 0:
			p.Rejected.Plain += "\n- so"
		case 1:
			p.Rejected.Plain += " perhaps"
		case 2:
			p.Rejected.Plain += " item"
		}
		pairs = append(pairs, p)
		rows = append(rows, Row{Place: i, Prompt: data.PromptKey(p.Prompt), Chosen: 1, Confidence: 1, LenChosen: p.Chosen.Chars(), LenRejected: p.Rejected.Chars()})
	}
	return pairs, rows
}

func yielding(pairs []data.Pair) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		for _, p := range pairs {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// TestRulersByHand: each rule decides the pairs that it should; the bag of words
// ranks all right, whatever it is trained on, and the model's score equals its.
func TestRulersByHand(t *testing.T) {
	pairs, rows := textPairs(40)
	for trainedOn, training := range map[string]iter.Seq2[data.Pair, error]{
		"cross-validated on these pairs: 5 folds by prompt, each fitted on 32 pairs or more": nil,
		"on 8 of the run's 8 training pairs":                                                 yielding(pairs[:8]),
	} {
		rules, note, err := TextRules(rows, yielding(pairs), training)
		if err != nil || note != "" {
			t.Fatal(err, note)
		}
		r, err := Evaluate(rows, Config{Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][2]float64{ // accuracy, coverage
			"bag-of-words": {1, 1}, "always-longer": {0.25, 1}, "always-shorter": {0.75, 1}, // chosen has 10 characters, rejected 9 and what is added
			"more-markdown": {0.375, 0.25}, "more-hedges": {0.375, 0.25}, "prompt-overlap": {0.375, 0.25},
		}
		if len(r.Rulers) != len(want) || r.Rulers[0].Name != "bag-of-words" || !strings.Contains(r.Rulers[0].Rule, trainedOn) {
			t.Fatalf("%s: %+v", trainedOn, r.Rulers)
		}
		for _, ruler := range r.Rulers {
			near(t, ruler.Name, ruler.Accuracy, want[ruler.Name][0], 1e-12)
			near(t, ruler.Name+" decides", ruler.Coverage, want[ruler.Name][1], 1e-12)
		}
		if !strings.Contains(r.Warnings[0], "does not beat the ruler bag-of-words") {
			t.Errorf("warnings %q", r.Warnings)
		}
		var b strings.Builder
		if err := r.Print(&b); err != nil || !strings.HasPrefix(b.String(), "warning: "+r.Warnings[0]) || strings.Count(b.String(), "does not beat") != 1 {
			t.Errorf("%v:\n%s", err, b.String())
		}
	}
}

// TestTextsNotFound: pairs of other texts, and files that fail.
func TestTextsNotFound(t *testing.T) {
	pairs, rows := textPairs(8)
	rows[3].LenChosen++
	rules, note, err := TextRules(rows, yielding(pairs), nil)
	if err != nil || rules != nil || !strings.Contains(note, "the texts of 1 of the 8 pairs were not found") {
		t.Errorf("%v, %q, %v", rules, note, err)
	}
	broken := func(yield func(data.Pair, error) bool) { yield(data.Pair{}, errors.New("torn")) }
	if _, _, err := TextRules(rows, broken, nil); err == nil || !strings.Contains(err.Error(), "texts of the pairs: torn") {
		t.Error(err)
	}
	rows[3].LenChosen--
	if _, _, err := TextRules(rows, yielding(pairs), broken); err == nil || !strings.Contains(err.Error(), "training pairs: torn") {
		t.Error(err)
	}
	if _, err := Evaluate(rows, Config{Rules: []Rule{{Name: "short", Margin: []float64{1}}}}); err == nil || !strings.Contains(err.Error(), "rule short has 1 margins for 8 rows") {
		t.Error(err)
	}
}

// TestPaired: the drawing of kinds is the drawing of prompts; a ranking less
// itself is 0, and the other way round the difference is its negative.
func TestPaired(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	rows := randomRows(300, 21)
	for i := range rows {
		rows[i].Prompt = uint64(1 + rng.IntN(60))
	}
	p := newPairs(len(rows), func(i int) *Row { return &rows[i] })
	other := make([]float64, len(rows))
	for i := range other {
		other[i] = float64(rng.IntN(3)) / 2
	}
	cfg := Config{Bootstrap: 5000}
	d, accuracy, _ := p.paired(p.right, other, cfg)
	back, _, _ := p.paired(other, p.right, cfg)
	near(t, "accuracy", accuracy, float64(stats.Mean(other)), 1e-12)
	near(t, "negated", back.Difference, -float64(d.Difference), 1e-12)
	if none, _, _ := p.paired(other, other, cfg); none.Difference != 0 || none.Interval != (stats.Interval{}) {
		t.Errorf("less itself: %+v", none)
	}
	sums, n := stats.ByPrompt(p.prompt, p.right), make([]float64, p.prompts)
	seconds := stats.ByPrompt(p.prompt, other)
	for _, at := range p.prompt {
		n[at]++
	}
	draws := make([]float64, 5000)
	for i := range draws {
		difference, pairs := 0.0, 0.0
		for range p.prompts {
			at := rng.IntN(p.prompts)
			difference, pairs = difference+sums[at]-seconds[at], pairs+n[at]
		}
		draws[i] = difference / pairs
	}
	want := stats.Central95(draws)
	near(t, "low", d.Interval[0], float64(want[0]), 0.01)
	near(t, "high", d.Interval[1], float64(want[1]), 0.01)
}
