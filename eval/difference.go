package eval

import (
	"fmt"

	"laurel/eval/stats"
)

// Difference is between two evaluations, first minus second.
type Difference struct {
	Pairs         int         // evaluated by both; 0 where the rest compares different pairs
	First, Second stats.Value // accuracies, of those pairs where there are any
	Difference    stats.Value
	Interval      stats.Interval // 95%
	P             stats.Value    // McNemar's, exact; undefined where nothing is paired
	Loss          Paired         // of Bradley-Terry losses; no meaning where nothing is paired
	Method        string
}

// pairedFrom this share of the smaller evaluation on, pairs that both have are
// compared; fewer would speak for a corner of it.
const pairedFrom = 0.5

// Compare sets two evaluations side by side: paired over prompts where both hold
// the same pairs, known by their texts, else as independent samples by their score
// intervals.
func Compare(first, second *Report, firstPairs, secondPairs []Evaluated, seed uint64) (Difference, error) {
	cfg, err := Config{Seed: seed}.withDefaults()
	if err != nil {
		return Difference{}, err
	}
	a, b := pairsOfBoth(firstPairs, secondPairs)
	if float64(len(a)) < pairedFrom*float64(min(first.N, second.N)) || len(a) == 0 {
		return Difference{First: first.AccuracyTiesHalf, Second: second.AccuracyTiesHalf, Difference: first.AccuracyTiesHalf - second.AccuracyTiesHalf,
			Interval: stats.Newcombe95(first.AccuracyTiesHalf, first.AccuracyInterval, second.AccuracyTiesHalf, second.AccuracyInterval),
			P:        stats.Over(0, 0), Method: "other pairs: as independent samples, Newcombe's interval from the two score intervals"}, nil
	}
	p := newPairs(len(a), func(i int) *Row { return &a[i] })
	q := newPairs(len(b), func(i int) *Row { return &b[i] })
	right, accuracy, _ := p.paired(p.right, q.right, cfg)
	loss, _, _ := p.paired(lossesOf(p.margin), lossesOf(q.margin), cfg)
	return Difference{Pairs: len(a), First: stats.Mean(p.right), Second: accuracy, Difference: right.Difference, Interval: right.Interval,
		P: right.McNemar.Exact, Loss: loss, Method: fmt.Sprintf("%s that both evaluated: %s", stats.Plural(len(a), "pair"), right.Method)}, nil
}

// pairsOfBoth are the rows of pairs that both have, in the order of the first. A pair
// that is there twice is matched twice.
func pairsOfBoth(first, second []Evaluated) (a, b []Row) {
	at := map[string][]int{}
	for i, e := range second {
		if e.Key != "" {
			at[e.Key] = append(at[e.Key], i)
		}
	}
	for _, e := range first {
		if left := at[e.Key]; e.Key != "" && len(left) > 0 {
			at[e.Key] = left[1:]
			a, b = append(a, e.Row()), append(b, second[left[0]].Row())
		}
	}
	return a, b
}

func lossesOf(margins []float64) []float64 {
	out := make([]float64, len(margins))
	for i, m := range margins {
		out[i] = stats.Softplus(-m)
	}
	return out
}
