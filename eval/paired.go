package eval

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"laurel/eval/stats"
)

// Paired compares two rankings of the same pairs, first minus second.
type Paired struct {
	Difference stats.Value    `json:"accuracy_difference"` // of accuracy_ties_half
	Interval   stats.Interval `json:"accuracy_difference_interval_95"`
	McNemar    stats.McNemar  `json:"mcnemar"`
	Method     string         `json:"method"` // of the interval
}

// twoOutcomes is how a prompt's pairs were ranked twice.
type twoOutcomes struct{ first, second, pairs float64 }

// pairedResamples bounds those of a comparison, of which a report has several.
const pairedResamples = 5000

// paired resamples prompts with all their pairs, both rankings together (the
// paired percentile bootstrap, Efron and Tibshirani 1993, §8.3; of clusters:
// Davison and Hinkley 1997, §3.8). As in bootstrap, the kinds of prompt are
// drawn in multinomial counts. second's own accuracy has its interval from the
// same draws.
func (p pairs) paired(first, second []float64, cfg Config) (d Paired, accuracy stats.Value, interval stats.Interval) {
	kinds, counts := p.twoOutcomes(first, second)
	src, resamples := rand.NewPCG(cfg.Seed, 0), min(cfg.Bootstrap, pairedResamples)
	differences, accuracies := make([]float64, resamples), make([]float64, resamples)
	for i := range differences {
		var sum twoOutcomes
		for k, drawn := range stats.Multinomial(counts, float64(p.prompts), src) {
			sum.first, sum.second, sum.pairs = sum.first+drawn*kinds[k].first, sum.second+drawn*kinds[k].second, sum.pairs+drawn*kinds[k].pairs
		}
		differences[i], accuracies[i] = stats.Minus(sum.first/sum.pairs, sum.second/sum.pairs), sum.second/sum.pairs
	}
	accuracy = stats.Mean(second)
	return Paired{
		Difference: stats.Value(stats.Minus(float64(stats.Mean(first)), float64(accuracy))), Interval: stats.Central95(differences), McNemar: stats.McNemarOf(first, second),
		Method: fmt.Sprintf("paired percentile bootstrap over prompts, %d resamples, 95%%", resamples),
	}, accuracy, stats.Central95(accuracies)
}

// twoOutcomes counts the prompts of each kind.
func (p pairs) twoOutcomes(first, second []float64) (kinds []twoOutcomes, counts []float64) {
	number := map[twoOutcomes]float64{}
	byFirst, bySecond, n := stats.ByPrompt(p.prompt, first), stats.ByPrompt(p.prompt, second), stats.CountByPrompt(p.prompt)
	for at := range n {
		number[twoOutcomes{byFirst[at], bySecond[at], n[at]}]++
	}
	kinds = slices.SortedFunc(maps.Keys(number), twoOutcomes.compare)
	for _, k := range kinds {
		counts = append(counts, number[k])
	}
	return kinds, counts
}

func (a twoOutcomes) compare(b twoOutcomes) int {
	return slices.Compare([]float64{a.pairs, a.first, a.second}, []float64{b.pairs, b.first, b.second})
}
