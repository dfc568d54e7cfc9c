package benchmarks

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"laurel/data"
	"laurel/eval/stats"
)

// JudgeFacts are what a judge's answers were like.
type JudgeFacts struct {
	Comparisons int         `json:"comparisons"`
	Consistent  stats.Share `json:"position_consistency"` // the same response named in both orders
	BothRight   stats.Share `json:"right_in_both_orders"`
	Unread      int         `json:"orders_without_answer"` // of two a comparison
	Tied        int         `json:"orders_called_a_tie"`
}

// Decided is what a judge said of one comparison: the probability that its better
// response is the better one, as asked in both orders; NaN where it gave no answer.
type Decided struct{ First, Second float64 }

// Comparisons are the questions to a judge: every comparison of every item, with the
// responses in the file's order, which says nothing of the better one where the
// benchmark's does not.
func (s *Set) Comparisons() []data.Comparison {
	var out []data.Comparison
	for i := range s.Items {
		it := &s.Items[i]
		for k, p := range it.Pairs {
			out = append(out, data.Comparison{ID: strconv.Itoa(i) + ":" + strconv.Itoa(k), Prompt: it.Prompt, Subset: it.Subset, File: it.File, Row: i,
				A: it.Responses[min(p[0], p[1])], B: it.Responses[max(p[0], p[1])]})
		}
	}
	return out
}

// Answers gathers what a judge says of Comparisons.
type Answers struct {
	set  *Set
	said [][]Decided // [item][comparison]
}

// NewAnswers has none yet; a comparison that gets none has no answer in either order.
func NewAnswers(s *Set) *Answers {
	a := &Answers{set: s, said: make([][]Decided, len(s.Items))}
	for i := range s.Items {
		a.said[i] = slices.Repeat([]Decided{{math.NaN(), math.NaN()}}, len(s.Items[i].Pairs))
	}
	return a
}

// Add takes the probabilities that the response A of a comparison is the better one,
// with A shown first and with B shown first.
func (a *Answers) Add(id string, aFirst, bFirst float64) {
	item, pair, _ := strings.Cut(id, ":")
	i, _ := strconv.Atoi(item) // as Comparisons wrote them
	k, _ := strconv.Atoi(pair)
	if p := a.set.Items[i].Pairs[k]; p[0] > p[1] {
		aFirst, bFirst = 1-aFirst, 1-bFirst
	}
	a.said[i][k] = Decided{aFirst, bFirst}
}

// sign is 1 for the better response, -1 for the worse, 0 for neither.
func sign(p float64) float64 {
	switch {
	case p > 0.5:
		return 1
	case p < 0.5:
		return -1
	}
	return 0 // one half, or NaN
}

// outcome is what a comparison counts. JudgeBench adds up both orders, right 1 and
// wrong -1, and counts a sum above 0 (utils/metrics.py). The others' code asks one
// order, drawn, and counts a tie and an unreadable answer one half
// (run_generative.py); this is the mean over both orders.
func (d Decided) outcome(benchmark string) float64 {
	sum := sign(d.First) + sign(d.Second)
	if benchmark == "judgebench" {
		return stats.Indicator(sum > 0)
	}
	return 0.5 + sum/4
}

// consistent is whether both orders were answered alike.
func (d Decided) consistent() bool {
	return !math.IsNaN(d.First) && !math.IsNaN(d.Second) && sign(d.First) == sign(d.Second)
}

// Measure scores a judge's answers by the benchmark's rules. Rows that a judge of two
// responses cannot be asked of are left out.
func (a *Answers) Measure() *Result {
	asked := *a.set
	asked.Items, asked.Partial = nil, slices.Clone(a.set.Partial)
	var outcomes, consistent [][]float64
	facts, trials := JudgeFacts{}, [2]stats.Trials{}
	prompts := stats.NewPrompts()
	for i, it := range a.set.Items {
		if len(it.Pairs) == 0 {
			continue
		}
		var x, y []float64
		for _, d := range a.said[i] {
			x, y = append(x, d.outcome(a.set.Name)), append(y, stats.Indicator(d.consistent()))
			facts.count(d)
			trials[0].Add(prompts.Of(it.prompt()), stats.Indicator(d.consistent()), 1)
			trials[1].Add(prompts.Of(it.prompt()), stats.Indicator(d.First > 0.5 && d.Second > 0.5), 1)
		}
		asked.Items, outcomes, consistent = append(asked.Items, it), append(outcomes, x), append(consistent, y)
	}
	if n := len(a.set.Items) - len(asked.Items); n > 0 {
		asked.Partial = append(asked.Partial, strconv.Itoa(n)+" rows are not for a judge of two responses")
	}
	facts.Consistent, facts.BothRight = trials[0].Share(), trials[1].Share()
	r := asked.Measure(Scores{Outcomes: outcomes})
	r.Judge = &facts
	same := asked.measure(asked.Items, Scores{Outcomes: consistent})
	give := func(to *Section, x Section) { to.Consistency = &x.Score }
	beside(r.Sections, same.sections, give)
	beside(r.Subsets, same.subsets, give)
	r.Score.Consistency = &same.score.Score
	return r
}

func (f *JudgeFacts) count(d Decided) {
	f.Comparisons++
	for _, p := range []float64{d.First, d.Second} {
		switch {
		case math.IsNaN(p):
			f.Unread++
		case p == 0.5:
			f.Tied++
		}
	}
}
