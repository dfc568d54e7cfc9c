package sweep

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"laurel/feedback"
	"laurel/labels"
)

// planted are principles of which p is gold in nine of ten, q and r are by chance.
func planted(seed uint64, right float64) func(principle, id string, swapped bool) feedback.Answer {
	return func(principle, id string, swapped bool) feedback.Answer {
		h := fnv.New64a()
		fmt.Fprint(h, seed, principle, id)
		share := 0.5
		if principle == "p" {
			share = right
		}
		first := 0.2
		if rand.New(rand.NewPCG(h.Sum64(), 3)).Float64() < share { // gold is a
			first = 0.8
		}
		if swapped {
			first = 1 - first
		}
		return feedback.Answer{Outcome: feedback.Preferred, First: first}
	}
}

func goldA(n int) (gold []labels.Gold) {
	for i := range n {
		gold = append(gold, labels.Gold{ID: fmt.Sprintf("c%d", i), Side: labels.SideA})
	}
	return gold
}

// TestFit: where one of three principles knows gold the weights go to it, and pay on
// other prompts; where none does the shipped weights are left.
func TestFit(t *testing.T) {
	policy := feedback.Policy{Position: feedback.PositionAgree}
	run, _ := labelling(t, constitution(1, 1, 1), policy, 300, planted(1, 0.9))
	label(t, run)
	s := read(t, run, goldA(300))
	f, why, err := s.fit(7)
	if err != nil || f == nil {
		t.Fatal(why, err)
	}
	if f.Suggested != FittedWeights || f.Weights[0].Fitted < 2 || f.Weights[0].Least > f.Weights[0].Most {
		t.Errorf("suggested %s, weights %+v", f.Suggested, f.Weights)
	}
	if a := f.Candidates[2].Agreement.Share; a < 0.85 || a > 0.95 {
		t.Errorf("agreement of the fitted weights %v, of the principle 0.9", a)
	}
	sum := 0.0
	for _, w := range f.Weights {
		sum += w.Fitted
	}
	if math.Abs(sum-3) > 1e-9 {
		t.Errorf("fitted weights add up to %v", sum)
	}
	suggested := 0
	for seed := range uint64(20) {
		run, _ := labelling(t, constitution(1, 1, 1), policy, 150, planted(100+seed, 0.5))
		label(t, run)
		if f, _, _ := read(t, run, goldA(150)).fit(seed); f.Suggested != ShippedWeights {
			suggested++
		}
	}
	if suggested > 3 {
		t.Errorf("of 20 sets of principles by chance other weights were suggested for %d", suggested)
	}
	if f, why, _ := read(t, run, goldA(30)).fit(1); f != nil || why == "" {
		t.Errorf("30 rows of gold: %v, %q", f, why)
	}
}

// TestExplained: what is another principle again is foretold by it, what is drawn
// alone is not.
func TestExplained(t *testing.T) {
	again := func(principle, id string, swapped bool) feedback.Answer {
		if principle == "r" {
			principle = "p"
		}
		return drawnWhole(principle, id, swapped)
	}
	run, _ := labelling(t, constitution(1, 1, 1), feedback.Policy{Position: feedback.PositionAgree}, 150, again)
	label(t, run)
	s := read(t, run, nil)
	got := s.explained(1)
	if got[0].Mean < 0.999 || got[2].Mean < 0.999 {
		t.Errorf("of a principle that is there twice %v and %v are explained", got[0].Mean, got[2].Mean)
	}
	if got[1].Mean > 0.05 {
		t.Errorf("of one by itself %v", got[1].Mean)
	}
	pairs := s.pairs(Config{Bootstrap: 300, Seed: 1})
	if pairs[1].Verdict != Redundant || pairs[0].Verdict != Neutral {
		t.Errorf("verdicts %q and %q", pairs[1].Verdict, pairs[0].Verdict)
	}
	opposite := func(principle, id string, swapped bool) feedback.Answer {
		if principle == "q" {
			return drawnWhole("p", id, !swapped)
		}
		return drawnWhole(principle, id, swapped)
	}
	run, _ = labelling(t, constitution(1, 1, 1), feedback.Policy{Position: feedback.PositionAgree}, 150, opposite)
	label(t, run)
	pairs = read(t, run, nil).pairs(Config{Bootstrap: 300, Seed: 1})
	if pairs[0].Verdict != Conflicting || len(pairs[0].Examples) != pairExamples {
		t.Errorf("of opposite principles: %q, κ %v", pairs[0].Verdict, pairs[0].Kappa)
	}
}

// drawnWhole has a preference in every answer.
func drawnWhole(principle, id string, swapped bool) feedback.Answer {
	h := fnv.New64a()
	fmt.Fprint(h, principle, id)
	p := rand.New(rand.NewPCG(h.Sum64(), 4)).Float64()
	if swapped {
		p = 1 - p
	}
	return feedback.Answer{Outcome: feedback.Preferred, First: p}
}
