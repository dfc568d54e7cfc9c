package sweep

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"laurel/data"
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
