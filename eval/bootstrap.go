package eval

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"laurel/eval/stats"
)

// Bootstrap is the percentile bootstrap of accuracy_ties_half, over pairs or
// over prompts, whose pairs are then drawn together.
type Bootstrap struct {
	Method        string      `json:"method"`
	Resamples     int         `json:"resamples"`
	Seed          uint64      `json:"seed"`
	Low           stats.Value `json:"low"`
	High          stats.Value `json:"high"`
	StandardError stats.Value `json:"standard_error"`
}

// groupOutcome is how the pairs of a group were ranked: how many there are, and
// how many right, ties one half.
type groupOutcome struct{ right, pairs float64 }

// bootstrap resamples the kinds of outcome rather than the rows: n groups of
// pairs drawn with replacement are of each kind in multinomial counts, which
// binomials give exactly, whatever n is. With one pair a group the kinds are
// right, tied and wrong.
func bootstrap(over string, group []int32, right []float64, cfg Config) Bootstrap {
	kinds, counts := groupOutcomes(group, right)
	n := 0.0
	for _, c := range counts {
		n += c
	}
	src := rand.NewPCG(cfg.Seed, 0)
	accuracy := make([]float64, cfg.Bootstrap)
	for i := range accuracy {
		right, pairs := 0.0, 0.0
		for k, drawn := range stats.Multinomial(counts, n, src) {
			right, pairs = right+drawn*kinds[k].right, pairs+drawn*kinds[k].pairs
		}
		accuracy[i] = right / pairs
	}
	interval := stats.Central95(accuracy)
	return Bootstrap{
		Method:    fmt.Sprintf("percentile bootstrap over %s, %d resamples, 95%%, of accuracy_ties_half", over, cfg.Bootstrap),
		Resamples: cfg.Bootstrap, Seed: cfg.Seed,
		Low: interval[0], High: interval[1],
		StandardError: stats.Value(math.Sqrt(stats.Variance(accuracy))),
	}
}

// bootstrap takes every pair as a group of its own.
func (p pairs) bootstrap(cfg Config) Bootstrap {
	each := make([]int32, len(p.right))
	for i := range each {
		each[i] = int32(i)
	}
	return bootstrap("pairs", each, p.right, cfg)
}

// bootstrapPrompts is nil where no prompt repeats.
func (p pairs) bootstrapPrompts(cfg Config) *Bootstrap {
	if p.prompts == len(p.right) {
		return nil
	}
	b := bootstrap("prompts", p.prompt, p.right, cfg)
	return &b
}

// groupOutcomes counts the groups of each kind, the best first.
func groupOutcomes(group []int32, right []float64) (kinds []groupOutcome, counts []float64) {
	number := map[groupOutcome]float64{}
	pairs := stats.CountByPrompt(group)
	for at, right := range stats.ByPrompt(group, right) {
		number[groupOutcome{right, pairs[at]}]++
	}
	kinds = slices.SortedFunc(maps.Keys(number), func(a, b groupOutcome) int {
		return cmp.Or(cmp.Compare(b.right/b.pairs, a.right/a.pairs), cmp.Compare(a.pairs, b.pairs))
	})
	for _, k := range kinds {
		counts = append(counts, number[k])
	}
	return kinds, counts
}
