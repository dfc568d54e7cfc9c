package triage

import (
	"context"
	"math/rand/v2"

	"laurel/eval/stats"
)

// Injected is what becomes of labels that were turned on purpose, in a sample of
// the data: whether they are found, and whether the noise rate follows.
type Injected struct {
	Rate     stats.Value    `json:"rate"` // of the labels turned
	Pairs    int            `json:"pairs"`
	Turned   int            `json:"turned"`
	AUROC    stats.Value    `json:"auroc"` // of P(mislabelled), pairs alike left apart, for the labels turned
	Noise    stats.Value    `json:"noise_rate"`
	Interval stats.Interval `json:"interval_95"`
	// Expected is what the rate should be if the estimate without flips, n, is
	// right: n + r - 2nr.
	Expected stats.Value `json:"expected_rate"`
}

// mostInjected bounds the sample; injectedRates are the shares turned.
const mostInjected = 10_000

var injectedRates = [...]float64{0, 0.05, 0.1, 0.2}

// inject turns labels of the sample at random, fits anew, and looks for them.
func inject(ctx context.Context, all sample, f *fitted, seed uint64) (out []Injected, err error) {
	s := all.thinned(mostInjected)
	base := 0.0
	for _, rate := range injectedRates {
		random := rand.New(rand.NewPCG(seed, 2))
		flip, turned := make([]bool, len(s.rows)), 0
		for i := range flip {
			if flip[i] = random.Float64() < rate; flip[i] {
				turned++
			}
		}
		flipped := s.turned(flip)
		l2, err := flipped.penalty(ctx, f.folds)
		if err != nil {
			return nil, err
		}
		again, err := flipped.outOfFold(ctx, f.folds, l2)
		if err != nil {
			return nil, err
		}
		p, wrong := make([]float64, len(s.rows)), make([]float64, len(s.rows))
		for i, row := range flipped.rows {
			z := again.logit(row, s.cluster[i])
			p[i], wrong[i] = stats.Sigmoid(z), -z
		}
		noise := noiseOf(p, s.cluster, seed)
		if rate == 0 {
			base = float64(noise.Rate)
		}
		out = append(out, Injected{Rate: stats.Value(rate), Pairs: len(p), Turned: turned, AUROC: stats.AUROC(wrong, flip),
			Noise: noise.Rate, Interval: noise.Interval, Expected: stats.Value(base + rate - 2*base*rate)})
	}
	return out, nil
}

// thinned is at most so many of the sample, evenly spaced.
func (s sample) thinned(most int) sample {
	at := taken(len(s.rows), most)
	if len(at) == len(s.rows) {
		return s
	}
	out := sample{width: s.width, place: s.place}
	for i, row := range s.rows {
		if at[i] {
			out.rows, out.weight, out.cluster = append(out.rows, row), append(out.weight, s.weight[i]), append(out.cluster, s.cluster[i])
		}
	}
	return out
}
