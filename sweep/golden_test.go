package sweep

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"os"
	"testing"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/labels"
)

// goldenChange is a Change as numpy has it.
type goldenChange struct {
	Labelled, Flips, Lost, Gained int
	Confidence, Agreement, Score  float64
	More                          [3]float64 // the difference and its interval
}

// golden is testdata/golden.json (make_golden.py); sides are 1 for a, -1 for b.
type golden struct {
	Weights       []float64
	MinConfidence float64 `json:"min_confidence"`
	MinVoteShare  float64 `json:"min_vote_share"`
	Prompt        []int32
	AFirst        [][]float64 `json:"a_first"`
	BFirst        [][]float64 `json:"b_first"`
	Gold, Label   []int
	Confidence    []*float64
	LeftOut       []goldenChange `json:"left_out"`
	Tripled       []goldenChange
	Pairs         []struct {
		N                                   int
		Opposite, Expected, Kappa, Spearman float64
	}
	Fitted, Explained []float64
}

var sides = map[int]labels.Side{1: labels.SideA, -1: labels.SideB, 0: labels.Neither}

// set is the golden's comparisons, labelled by judges that answer as it says.
func (g *golden) set(t *testing.T) *Set {
	number := map[string]int{}
	for i := range g.Prompt {
		number[fmt.Sprintf("c%d", i)] = i
	}
	answer := func(principle, id string, swapped bool) feedback.Answer {
		p := int(principle[0] - 'p')
		if swapped {
			return feedback.Answer{Outcome: feedback.Preferred, First: 1 - g.BFirst[number[id]][p]}
		}
		return feedback.Answer{Outcome: feedback.Preferred, First: g.AFirst[number[id]][p]}
	}
	run, _ := labelling(t, constitution(g.Weights...), feedback.Policy{Position: feedback.PositionAgree, MinConfidence: g.MinConfidence, MinVoteShare: g.MinVoteShare}, 0, answer)
	run.Comparisons = func(*data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for i, prompt := range g.Prompt {
				c := data.Comparison{ID: fmt.Sprintf("c%d", i), Prompt: data.Text{Plain: fmt.Sprint("prompt ", prompt)}, A: data.Text{Plain: fmt.Sprint("a", i)}, B: data.Text{Plain: fmt.Sprint("b", i)}}
				if !yield(c, nil) {
					return
				}
			}
		}
	}
	label(t, run)
	var gold []labels.Gold
	for i, side := range g.Gold {
		gold = append(gold, labels.Gold{ID: fmt.Sprintf("c%d", i), Side: sides[side]})
	}
	return read(t, run, gold)
}

// TestGolden holds labels, sweeps, pairs, fitted weights and what is explained to
// numpy and scipy.
func TestGolden(t *testing.T) {
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	s := g.set(t)
	for i, o := range s.outcomes(s.shipped()) {
		if o.side != sides[g.Label[i]] || g.Confidence[i] != nil && math.Abs(o.confidence-*g.Confidence[i]) > 1e-12 {
			t.Errorf("c%d: %+v, want %d", i, o, g.Label[i])
		}
	}
	for p := range g.Weights {
		for factor, want := range map[float64]goldenChange{0: g.LeftOut[p], 3: g.Tripled[p]} {
			step, _ := s.step(p, factor)
			want.same(t, fmt.Sprintf("principle %d times %v", p, factor), step.Change)
		}
	}
	for k, pair := range s.pairs(Config{Bootstrap: 10, Seed: 1}) {
		want := g.Pairs[k]
		what := pair.A + pair.B
		near(t, what+" n", float64(pair.Same.N), float64(want.N), 0)
		near(t, what+" opposite", float64(pair.Opposite.Share), want.Opposite, 1e-7)
		near(t, what+" expected", float64(pair.Expected), want.Expected, 1e-12)
		near(t, what+" κ", float64(pair.Kappa.Kappa), want.Kappa, 1e-9)
		near(t, what+" ρ", float64(pair.Correlation.Spearman), want.Spearman, 1e-3) // 1 - (1 - p) parts a few ties
	}
	fitted, err := s.fitted(func(int) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	table, prompts := s.probabilities()
	for p := range fitted {
		near(t, fmt.Sprint("fitted ", p), fitted[p], g.Fitted[p], 1e-5)
		var r stats.RatioDifference
		for k := range folds {
			explainFold(&r, table, prompts, p, func(i int) bool { return int(prompts[i])%folds == k })
		}
		near(t, fmt.Sprint("explained ", p), float64(r.Difference().Mean), g.Explained[p], 1e-7)
	}
}

func (want goldenChange) same(t *testing.T, what string, got Change) {
	t.Helper()
	if counts := [4]int{got.Labelled, int(got.Flips), int(got.Lost), int(got.Gained)}; counts != [4]int{want.Labelled, want.Flips, want.Lost, want.Gained} {
		t.Errorf("%s: labelled, flips, lost, gained are %v, want %+v", what, counts, want)
	}
	near(t, what+": confidence", float64(got.Confidence), want.Confidence, 1e-12)
	near(t, what+": agreement", float64(got.Gold.Agreement.Share), want.Agreement, 1e-12)
	near(t, what+": score", float64(got.Gold.Score), want.Score, 1e-12)
	near(t, what+": more", float64(got.Gold.More.Mean), want.More[0], 1e-12)
	near(t, what+": low", float64(got.Gold.More.Interval[0]), want.More[1], 1e-9)
	near(t, what+": high", float64(got.Gold.More.Interval[1]), want.More[2], 1e-9)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
