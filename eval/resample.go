package eval

import (
	"math"
	"math/rand/v2"

	"laurel/eval/stats"
)

// What a bootstrap that goes through all pairs may cost: so many pairs in all, but
// no fewer resamples than the least.
const (
	drawnPairs     = 40_000_000
	leastResamples = 200
	mostResamples  = 1000
)

func (p pairs) resamples(cfg Config) int {
	return min(cfg.Bootstrap, max(leastResamples, min(mostResamples, drawnPairs/len(p.margin))))
}

// eachResample draws as many prompts as there are, with replacement and all their
// pairs, so many times. times, by the prompts' numbers, says how often each was
// drawn; it is the callee's until it returns.
func (p pairs) eachResample(resamples int, seed uint64, each func(times []float64)) {
	draws := rand.New(rand.NewPCG(seed, 1))
	times := make([]float64, p.prompts)
	for range resamples {
		clear(times)
		for range times {
			times[draws.IntN(len(times))]++
		}
		each(times)
	}
}

// gaps are the predictions of a calibration error: whose prompt's they are, into
// which bin they fall, and how far they are above their outcomes.
type gaps struct {
	prompt, bin []int32
	gap         []float64
	bins        int
}

func (g *gaps) add(prompt int32, p, outcome float64) {
	g.prompt, g.bin, g.gap = append(g.prompt, prompt), append(g.bin, int32(stats.BinOf(p, g.bins))), append(g.gap, p-outcome)
}

// error is stats.Binning's, of prompts that count so many times.
func (g *gaps) error(times []float64) float64 {
	sums, n := make([]float64, g.bins), 0.0
	for i, at := range g.prompt {
		sums[g.bin[i]] += times[at] * g.gap[i]
		n += times[at]
	}
	total := 0.0
	for _, s := range sums {
		total += math.Abs(s)
	}
	return total / n
}

// symmetricGaps take every pair in both orders, confidenceGaps max(p, 1-p).
func (p pairs) symmetricGaps(margin []float64, bins int) *gaps {
	g := &gaps{bins: bins}
	for i, m := range margin {
		g.add(p.prompt[i], stats.Sigmoid(m), 1)
		g.add(p.prompt[i], stats.Sigmoid(-m), 0)
	}
	return g
}

func (p pairs) confidenceGaps(margin []float64, bins int) *gaps {
	g := &gaps{bins: bins}
	for i, m := range margin {
		g.add(p.prompt[i], stats.Sigmoid(math.Abs(m)), p.right[i])
	}
	return g
}

// once is every prompt one time.
func (p pairs) once() []float64 {
	times := make([]float64, p.prompts)
	for i := range times {
		times[i] = 1
	}
	return times
}

// notBelow0 cuts an interval of what is never below 0.
func notBelow0(i stats.Interval) stats.Interval {
	return stats.Interval{max(i[0], 0), max(i[1], 0)}
}
