package benchmarks

import (
	"math"

	"laurel/eval/stats"
)

// Scores are what a model or a judge says of a set's items: Rewards [item][response],
// or of a judge Outcomes [item][comparison], 1 where the better response won.
type Scores struct {
	Rewards  [][]float64
	Outcomes [][]float64
}

// outcomes are those of an item's comparisons: 1 where the better response has the
// higher reward, else 0, ties included.
func (s Scores) outcomes(i int, it *Item) []float64 {
	if s.Rewards == nil {
		return s.Outcomes[i]
	}
	out := make([]float64, len(it.Pairs))
	for k, p := range it.Pairs {
		out[k] = stats.Indicator(s.Rewards[i][p[0]] > s.Rewards[i][p[1]])
	}
	return out
}

// unit is what a score is the weighted mean of: a row mostly, or what several rows
// of a prompt come to.
type unit struct {
	prompt uint64
	x, w   float64
}

// Section is a score with its 95% interval over prompts (Wilson's, at the effective
// number of rows; those of a weighted mean are weighted alike).
type Section struct {
	Name     string         `json:"name"`
	N        int            `json:"n"` // what the score is the mean of
	Score    stats.Value    `json:"score"`
	Interval stats.Interval `json:"interval_95"`
	// AlwaysLonger is what the same rule gives the length of a response as its reward.
	AlwaysLonger stats.Value `json:"always_longer"`
	// Consistency is of a judge: the share that named the same in both orders.
	Consistency *stats.Value `json:"position_consistency,omitempty"`
	Partial     bool         `json:"partial,omitempty"` // rows of the benchmark are missing

	units []unit
}

// measured is what a benchmark's rules make of scores.
type measured struct {
	score             Section   // the figure people quote; its score undefined where there is none
	sections, subsets []Section // sections as quoted, and what they are made of
	matrix            map[string][][]stats.Value
}

// sectionOf is the mean of the units.
func sectionOf(name string, units []unit) Section {
	s := Section{Name: name, N: len(units), Score: stats.Value(math.NaN()), AlwaysLonger: stats.Value(math.NaN()), units: units}
	s.Interval = stats.Interval{s.Score, s.Score}
	sum, weight := 0.0, 0.0
	for _, u := range units {
		sum, weight = sum+u.w*u.x, weight+u.w
	}
	if s.Score = stats.Over(sum, weight); !s.Score.Defined() {
		return s
	}
	var trials stats.Trials
	prompts := stats.NewPrompts()
	for _, u := range units { // a bonus beyond 1, as that of Ties, widens no interval
		w := u.w * float64(len(units)) / weight
		trials.Add(prompts.Of(u.prompt), w*min(1, max(0, u.x)), w)
	}
	s.Interval = trials.Share().Interval
	return s
}

// weighted is the mean of sections by the weights; undefined where one of them is.
func weighted(name string, weights []float64, parts []Section) Section {
	var units []unit
	whole, total, sum := true, 0.0, 0.0
	for i, part := range parts {
		weight := 0.0
		for _, u := range part.units {
			weight += u.w
		}
		for _, u := range part.units {
			units = append(units, unit{u.prompt, u.x, u.w * weights[i] / weight})
		}
		whole = whole && part.Score.Defined()
		total, sum = total+weights[i], sum+weights[i]*float64(part.Score)
	}
	s := sectionOf(name, units)
	if !whole || len(parts) == 0 {
		s.Score = stats.Value(math.NaN())
		s.Interval = stats.Interval{s.Score, s.Score}
		return s
	}
	s.Score = stats.Over(sum, total)
	return s
}

// mean is weighted with equal weights.
func mean(name string, parts []Section) Section {
	weights := make([]float64, len(parts))
	for i := range weights {
		weights[i] = 1
	}
	return weighted(name, weights, parts)
}

// bySubset groups what a value is given to, one unit a row.
func bySubset(items []Item, value func(i int) float64) map[string][]unit {
	out := map[string][]unit{}
	for i := range items {
		out[items[i].Subset] = append(out[items[i].Subset], unit{items[i].prompt(), value(i), 1})
	}
	return out
}

// average is the mean of an item's outcomes.
func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// lengths are the responses' characters as rewards.
func lengths(items []Item) Scores {
	out := make([][]float64, len(items))
	for i, it := range items {
		for _, r := range it.Responses {
			out[i] = append(out[i], float64(r.Chars()))
		}
	}
	return Scores{Rewards: out}
}

// tied counts comparisons whose rewards are equal.
func tied(items []Item, s Scores) (n int) {
	for i := range items {
		for _, p := range items[i].Pairs {
			if s.Rewards != nil && s.Rewards[i][p[0]] == s.Rewards[i][p[1]] {
				n++
			}
		}
	}
	return n
}
