package audit

import (
	"math"
	"math/rand/v2"
	"testing"

	"laurel/eval/stats"
)

// TestRepeatedLabels: shares, differences, correlations and κ of rows that are
// there k times are as wide as of the rows once.
func TestRepeatedLabels(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	const n, k = 200, 5
	var one, many struct {
		stats.Trials
		stats.Differences
		rated
		votes
		prompt []int32
		x, y   []float64
	}
	for i := range int32(n) {
		x := rng.NormFloat64()
		y := x + rng.NormFloat64()
		a, b := rng.IntN(3), rng.IntN(3)
		if rng.IntN(2) == 0 {
			b = a
		}
		of := ratings{}
		for range 3 {
			of[min(rng.IntN(4), 2)]++
		}
		one.Trials.Add(i, stats.Indicator(x > 0.3), 1)
		one.Differences.Add(i, y)
		one.rated.add(i, cellOf(a, b))
		one.votes.prompt, one.votes.of = append(one.votes.prompt, i), append(one.votes.of, of)
		one.prompt, one.x, one.y = append(one.prompt, i), append(one.x, x), append(one.y, y)
		for range k {
			many.Trials.Add(i, stats.Indicator(x > 0.3), 1)
			many.Differences.Add(i, y)
			many.rated.add(i, cellOf(a, b))
			many.votes.prompt, many.votes.of = append(many.votes.prompt, i), append(many.votes.of, of)
			many.prompt, many.x, many.y = append(many.prompt, i), append(many.x, x), append(many.y, y)
		}
	}
	for name, got := range map[string][2]stats.Interval{
		"share":       {one.Trials.Share().Interval, many.Trials.Share().Interval},
		"difference":  {one.Differences.Mean().Interval, many.Differences.Mean().Interval},
		"correlation": {stats.Correlate(one.prompt, one.x, one.y).Interval, stats.Correlate(many.prompt, many.x, many.y).Interval},
		"cohen":       {cohen(&one.rated, 500, 1).Interval, cohen(&many.rated, 500, 1).Interval},
		"fleiss":      {fleiss(&one.votes, 500, 1).Interval, fleiss(&many.votes, 500, 1).Interval},
	} {
		for side := range 2 {
			if math.Abs(float64(got[0][side]-got[1][side])) > 1e-9 {
				t.Errorf("%s: once %v, %d times %v", name, got[0], k, got[1])
				break
			}
		}
	}
}
