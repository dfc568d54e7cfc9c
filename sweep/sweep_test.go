package sweep

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/labels"
)

// fixed answers a question as it is told, by judge, principle, comparison and order.
type fixed struct {
	name   string
	answer func(principle, id string, swapped bool) feedback.Answer
	asked  *int
}

func (f fixed) Name() string        { return f.name }
func (f fixed) Fingerprint() string { return f.name }
func (f fixed) Ask(_ context.Context, q feedback.Question) (feedback.Answer, error) {
	*f.asked++
	return f.answer(q.Principle.Name, q.Comparison.ID, q.Swapped), nil
}

// drawn is an answer that the question decides: any outcome, with a failed one now
// and then.
func drawn(seed uint64) func(principle, id string, swapped bool) feedback.Answer {
	return func(principle, id string, swapped bool) feedback.Answer {
		h := fnv.New64a()
		fmt.Fprint(h, seed, principle, id, swapped)
		lean := fnv.New64a() // of a principle on a comparison, so that orders mostly agree
		fmt.Fprint(lean, seed, id, principle)
		draw := rand.New(rand.NewPCG(h.Sum64(), 1))
		p := 0.15 + 0.7*rand.New(rand.NewPCG(lean.Sum64(), 2)).Float64() + 0.15*(draw.Float64()-0.5)
		if swapped {
			p = 1 - p
		}
		switch draw.IntN(20) {
		case 0:
			return feedback.Answer{Outcome: feedback.Tie}
		case 1:
			return feedback.Answer{Outcome: feedback.Unparseable, Reason: "no_verdict"}
		case 2:
			return feedback.Answer{Outcome: feedback.Failed, Reason: "timeout", Detail: "timeout"}
		}
		return feedback.Answer{Outcome: feedback.Preferred, First: p, Rationale: principle}
	}
}

// comparisons are n of a third as many prompts; the last has identical responses.
func comparisons(n int) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for i := range n {
				c := data.Comparison{ID: fmt.Sprintf("c%d", i), Prompt: data.Text{Plain: fmt.Sprintf("prompt %d", i/3)},
					A: data.Text{Plain: fmt.Sprintf("a%d", i)}, B: data.Text{Plain: fmt.Sprintf("b%d", i)}}
				if i == n-1 {
					c.B = c.A
				}
				if counts != nil {
					counts.Read++
					counts.Kept++
				}
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func constitution(weights ...float64) *feedback.Constitution {
	c := &feedback.Constitution{Name: "drawn"}
	for i, w := range weights {
		name := string(rune('p' + i))
		c.Principles = append(c.Principles, feedback.Principle{Name: name, Weight: w, Comparison: "Which is more " + name + "?"})
	}
	return c
}

// labelling is a run of n comparisons, whose judges answer as they are told.
func labelling(t *testing.T, c *feedback.Constitution, policy feedback.Policy, n int, answers ...func(principle, id string, swapped bool) feedback.Answer) (run *feedback.Labelling, asked *int) {
	t.Helper()
	store, err := feedback.OpenStore(filepath.Join(t.TempDir(), "answers.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	asked = new(int)
	run = &feedback.Labelling{Constitution: c, Policy: policy, InFlight: 1, Store: store, Comparisons: comparisons(n)}
	for i, answer := range answers {
		run.Judges = append(run.Judges, feedback.WeightedJudge{Judge: fixed{fmt.Sprintf("judge%d", i), answer, asked}, Weight: 1 + float64(i)/2})
	}
	return run, asked
}

func label(t *testing.T, run *feedback.Labelling) (all []labels.Label) {
	t.Helper()
	if _, err := feedback.Label(t.Context(), run, func(l labels.Label) error {
		all = append(all, l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, run *feedback.Labelling, gold []labels.Gold) *Set {
	t.Helper()
	s, err := Read(t.Context(), run, gold)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

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
