package sweep

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/labels"
)

// same wants outcomes to be those of labels, bit for bit.
func same(t *testing.T, what string, got []outcome, want []labels.Label) {
	t.Helper()
	for i, l := range want {
		is := outcomeOf(l.Verdict)
		if got[i].side != is.side || got[i].reason != is.reason || math.Float64bits(got[i].confidence) != math.Float64bits(is.confidence) {
			t.Errorf("%s: comparison %s: %+v, labelled %+v", what, l.ID, got[i], is)
		}
	}
}

// runs are with one judge and with several, by each policy.
func runs(t *testing.T, each func(t *testing.T, run *feedback.Labelling)) {
	for _, position := range []string{feedback.PositionAgree, feedback.PositionAverage, feedback.PositionOff} {
		for _, judges := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, %d judges", position, judges), func(t *testing.T) {
				policy := feedback.Policy{Position: position, MinConfidence: 0.6, MinVoteShare: 0.4, MinJudges: (judges + 1) / 2}
				var answers []func(string, string, bool) feedback.Answer
				for j := range judges {
					answers = append(answers, drawn(uint64(j/2))) // two of three agree
				}
				run, asked := labelling(t, constitution(1.5, 1, 1.2, 0.7), policy, 90, answers...)
				label(t, run)
				before := *asked
				each(t, run)
				if *asked != before {
					t.Errorf("%d questions were asked", *asked-before)
				}
			})
		}
	}
}

// TestWeightsAsTheyAre holds what sweeps decide to the labels, and the files that the
// verdicts make to those that label writes, byte for byte.
func TestWeightsAsTheyAre(t *testing.T) {
	runs(t, func(t *testing.T, run *feedback.Labelling) {
		s := read(t, run, nil)
		kept := *run
		kept.OnlyKept = true
		all := label(t, &kept)
		same(t, "as they are", s.outcomes(s.shipped()), all)
		dirs := []string{t.TempDir(), t.TempDir()}
		d := s.decider(s.shipped())
		for i, dir := range dirs {
			w, err := labels.NewLabelWriter(dir, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range all {
				if i == 1 && len(l.Votes) > 0 {
					v := d.decide(l.Votes)
					l.Side, l.Confidence, l.VoteShare, l.Reason = v.Side, v.Confidence, v.VoteShare, v.Reason
				}
				if err := w.Write(l); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{labels.PairsFile, labels.AbstainedFile} {
			want, _ := os.ReadFile(filepath.Join(dirs[0], file))
			got, err := os.ReadFile(filepath.Join(dirs[1], file))
			if err != nil || !bytes.Equal(want, got) || len(want) == 0 {
				t.Errorf("%s: other bytes than label's (%v)", file, err)
			}
		}
	})
}

// TestOtherWeights holds sweeps to runs of a constitution with those weights, and to
// runs without a principle.
func TestOtherWeights(t *testing.T) {
	runs(t, func(t *testing.T, run *feedback.Labelling) {
		s := read(t, run, nil)
		for p, name := range s.names() {
			for _, factor := range []float64{0, 0.3, 4} {
				weights := s.shipped()
				weights[p] *= factor
				other := *run
				other.OnlyKept = true
				c := *run.Constitution
				c.Principles = nil
				for q, principle := range run.Constitution.Principles {
					if principle.Weight = weights[q]; weights[q] > 0 {
						c.Principles = append(c.Principles, principle)
					}
				}
				other.Constitution = &c
				same(t, fmt.Sprintf("%s times %v", name, factor), s.outcomes(weights), label(t, &other))
			}
		}
	})
}

// TestScaleOfWeights: all weights times a constant change nothing, and neither does
// leaving out a principle that has none.
func TestScaleOfWeights(t *testing.T) {
	runs(t, func(t *testing.T, run *feedback.Labelling) {
		s := read(t, run, nil)
		for _, k := range []float64{1e-6, 0.1, 3, 7e5} {
			weights := s.shipped()
			for p := range weights {
				weights[p] *= k
			}
			c := s.change(s.outcomes(weights))
			if c.Flips != 0 || c.Lost != 0 || c.Gained != 0 {
				t.Errorf("weights times %v: %+v", k, c)
			}
		}
		none := s.shipped()
		none[2] = 0
		without := *run
		names := s.names()
		c, err := run.Constitution.Only(slices.Delete(names, 2, 3))
		if err != nil {
			t.Fatal(err)
		}
		without.Constitution, without.OnlyKept = c, true
		same(t, "left out at the weight 0", s.outcomes(none), label(t, &without))
	})
}

// says answers alike in both orders: the probability that a is better.
func says(p map[string]map[string]float64) func(principle, id string, swapped bool) feedback.Answer {
	return func(principle, id string, swapped bool) feedback.Answer {
		first := p[id][principle]
		if swapped {
			first = 1 - first
		}
		if first == 0.5 {
			return feedback.Answer{Outcome: feedback.Tie}
		}
		return feedback.Answer{Outcome: feedback.Preferred, First: first}
	}
}

// TestByHand: two principles of weights 2 and 1. On c0 both are for a; on c1 p is
// for a and q for b; on c2 p ties and q is for b; c3 is as c1 the other way round;
// on c4 both are for b; c5 has identical responses. Of vote share one third is
// wanted.
func TestByHand(t *testing.T) {
	answers := says(map[string]map[string]float64{
		"c0": {"p": 0.9, "q": 0.7}, "c1": {"p": 0.8, "q": 0.1}, "c2": {"p": 0.5, "q": 0.2}, "c3": {"p": 0.2, "q": 0.9}, "c4": {"p": 0.3, "q": 0.3},
	})
	run, _ := labelling(t, constitution(2, 1), feedback.Policy{Position: feedback.PositionAgree, MinConfidence: 0.6, MinVoteShare: 1.0 / 3}, 6, answers)
	label(t, run)
	gold := []labels.Gold{{ID: "c0", Side: labels.SideA}, {ID: "c1", Side: labels.SideB}, {ID: "c2", Side: labels.SideB}, {ID: "c3", Side: labels.SideB}}
	s := read(t, run, gold)
	if err := s.Score(t.Context(), byLength, func(int) {}); err != nil {
		t.Fatal(err)
	}
	r, err := Measure(s, Config{Factors: []float64{0.5, 1, 3}, Conflicts: 1, Bootstrap: 50}, "a's")
	if err != nil {
		t.Fatal(err)
	}
	if r.Labelled != 5 || r.Identical != 1 || r.Prompts != 2 {
		t.Errorf("labelled %d, identical %d, prompts %d", r.Labelled, r.Identical, r.Prompts)
	}
	p, q := r.Principles[0], r.Principles[1]
	// without p, c1 is for b and c3 for a; without q, c2 has no vote
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"flips without p", p.LeftOut.Flips, count(2)},
		{"lost without p", p.LeftOut.Lost, count(0)},
		{"flips without q", q.LeftOut.Flips, count(0)},
		{"lost without q", q.LeftOut.Lost, count(1)},
		{"decided by p", [4]int{p.Decides.Flips, p.Decides.Ties, p.Decides.Below, p.Decides.Alone}, [4]int{2, 0, 0, 2}},
		{"decided by q", [4]int{q.Decides.Flips, q.Decides.Ties, q.Decides.Below, q.Decides.Alone}, [4]int{0, 1, 0, 1}},
		{"share of p", p.Decides.Labels.Share, stats.Value(0.4)},
		{"decided by none", r.Deciding.None.Share, stats.Value(0.4)},
		{"factors of p", []float64{p.Sweep[0].Factor, p.Sweep[1].Factor, p.Sweep[2].Factor, p.Sweep[3].Factor}, []float64{0, 0.5, 1, 3}},
		// p weighs as much as q: c1 and c3 are even
		{"lost at half of p", p.Sweep[1].Lost, count(2)},
		{"flips at half of p", p.Sweep[1].Flips, count(0)},
		{"flips at 1 of p", p.Sweep[2].Flips + p.Sweep[2].Lost + p.Sweep[2].Gained, count(0)},
		// q is 1 of 7: too little vote share on c2, where p ties
		{"lost at 3 of p", p.Sweep[3].Lost, count(1)},
		// q weighs 3 of 5: c1 and c3 flip
		{"flips at 3 of q", q.Sweep[3].Flips, count(2)},
		{"share of weight", q.Sweep[3].Share, 0.6},
		// c0, c2 and c3 agree with gold, c1 does not; without p c1 does and c3 does not
		{"agreement", r.Shipped.Gold.Agreement.Share, stats.Value(0.75)},
		{"score", r.Shipped.Gold.Score, stats.Value(0.75)},
		{"agreement without p", p.LeftOut.Gold.Agreement.Share, stats.Value(0.75)},
		{"agreement without q", q.LeftOut.Gold.Agreement.Share, stats.Value(2.0 / 3)},
		{"score without q", q.LeftOut.Gold.Over.Mean, stats.Value(-0.125)},
		{"agreement of p's", p.Decides.Agreement.OfN(), r.Principles[0].Decides.Agreement.OfN()},
		{"agreement of p's, n", p.Decides.Agreement.N, 2},
		// both name a side on c0, c1, c3 and c4: a a, a b, b a, b b
		{"opposite", r.Pairs[0].Opposite.Share, stats.Value(0.5)},
		{"expected", r.Pairs[0].Expected, stats.Value(0.5)},
		{"kappa", r.Pairs[0].Kappa.Kappa, stats.Value(0)},
		{"examples", r.Pairs[0].Examples, []string{"c1", "c3"}}, // as sure at its least
		{"conflicts", r.Conflicting.Share, stats.Value(0.4)},
		{"strongest", r.Conflicts[0].ID, "c1"},
		// of c1 and c3 the smaller sides are q's 0.8 of 3 both; c1 comes first
		{"strength", math.Round(r.Conflicts[0].Strength*1e9) / 1e9, math.Round(0.8/3*1e9) / 1e9},
		{"for a", r.Conflicts[0].ForA, []string{"p"}},
		{"decided by", r.Conflicts[0].Decides, []string{"p"}},
		{"to review", r.Reviews()[0].A.Plain, "a1"},
		// the model is always for a: right on c0 and c1
		{"model on labels", r.Model.Labels.Share, stats.Value(0.4)},
		{"model on p's", r.Model.Principles[0].Decided.Share, stats.Value(0.5)},
		{"model on others", r.Model.Principles[0].Others.OfN(), r.Model.Principles[0].Others.OfN()},
		{"model with q", r.Model.Principles[1].Follow.N, 5},
		{"model where q says b", r.Model.Principles[1].SaidB.Share, stats.Value(0)},
		{"model where q is overruled", r.Model.Principles[1].Overruled.Share, stats.Value(0.5)}, // c1 for b, c3 for a
		{"decision", r.Decisions()[1].DecidedBy, []string{"p"}},
		{"says", r.Decisions()[2].Says["p"], labels.Neither},
	} {
		if fmt.Sprint(c.got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}

// byLength rewards a response that begins with a.
func byLength(_ context.Context, completions []data.Completion) ([]data.Score, error) {
	out := make([]data.Score, len(completions))
	for i, c := range completions {
		out[i] = data.Score{Valid: true, Reward: float32(stats.Indicator(c.Response.Plain[0] == 'a'))}
	}
	return out, nil
}

// TestNeverAsked: a principle that was never asked is left out and named, with the
// number of its questions; of one principle there is nothing to sweep.
func TestNeverAsked(t *testing.T) {
	run, _ := labelling(t, constitution(1, 2), feedback.Policy{Position: feedback.PositionAgree}, 10, drawn(1))
	label(t, run)
	more := *run
	more.Constitution = constitution(1, 2, 3)
	s := read(t, &more, nil)
	same(t, "without it", s.outcomes(s.shipped()), label(t, run))
	r, err := Measure(s, Default(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := "principle r was never asked of judge judge0: none of its 18 answers is there, and it is left out of everything here; laurel label asks"
	if !slices.Equal(r.NeverAsked, []string{"r"}) || !slices.Contains(r.Warnings, want) {
		t.Errorf("never asked %v; warnings %q", r.NeverAsked, r.Warnings)
	}
	more.Constitution = constitution(1, 2, 3)
	for i := range 2 {
		more.Constitution.Principles[i].Comparison += " Really?"
	}
	const none = "constitution drawn has 0 principles with answers; never asked under p (0 of 18 answers), q (0 of 18 answers), r (0 of 18 answers), with these texts and judges: weights say something of two or more"
	if _, err := Read(t.Context(), &more, nil); err == nil || err.Error() != none {
		t.Errorf("error %v", err)
	}
}
