package triage

import (
	"math"
	"math/rand/v2"

	"laurel/eval/stats"
)

// Noise is how many labels are wrong, by confident learning (Northcutt, Jiang and
// Chuang, JAIR 2021) over the out-of-fold probability p of each pair's own label.
// Which response is called the first is arbitrary, so the two classes are one:
// the threshold t is the mean of p, a pair with p >= t is counted as right and one
// with 1-p >= t as wrong (if both, the likelier), and
//
//	rate = wrong / (right + wrong)
//
// The interval is the percentile bootstrap over prompts; it knows nothing of what
// the regression cannot tell, which counts as noise too.
type Noise struct {
	Rate      stats.Value    `json:"rate"`
	Interval  stats.Interval `json:"interval_95"`
	Threshold stats.Value    `json:"threshold"`
	Right     int            `json:"confident_right"`
	Wrong     int            `json:"confident_wrong"`
	Undecided int            `json:"undecided"`
}

// resamples of the bootstrap over prompts.
const resamples = 400

// confident is 1 of a pair that is counted as right, -1 as wrong, else 0.
func confident(p, threshold float64) int {
	right, wrong := p >= threshold, 1-p >= threshold
	switch {
	case right && (!wrong || p >= 0.5):
		return 1
	case wrong:
		return -1
	}
	return 0
}

// noiseOf estimates from the probabilities of the labels, [pairs], and the numbers
// of their prompts.
func noiseOf(p []float64, cluster []int32, seed uint64) Noise {
	once := make([]float64, len(p))
	for i := range once {
		once[i] = 1
	}
	n := Noise{}
	var right, wrong float64
	n.Threshold, right, wrong = joint(p, once)
	n.Rate, n.Right, n.Wrong = stats.Over(wrong, right+wrong), int(right), int(wrong)
	n.Undecided = len(p) - n.Right - n.Wrong
	prompts := 0
	for _, c := range cluster {
		prompts = max(prompts, int(c)+1)
	}
	src := rand.New(rand.NewPCG(seed, 1))
	drawn, times, rates := make([]float64, prompts), make([]float64, len(p)), make([]float64, 0, resamples)
	for range resamples {
		clear(drawn)
		for range prompts {
			drawn[src.IntN(prompts)]++
		}
		for i, c := range cluster {
			times[i] = drawn[c]
		}
		if _, right, wrong := joint(p, times); right+wrong > 0 {
			rates = append(rates, wrong/(right+wrong))
		}
	}
	n.Interval = stats.Interval{stats.Value(math.NaN()), stats.Value(math.NaN())}
	if len(rates) > 0 {
		n.Interval = stats.Central95(rates)
	}
	return n
}

// joint is the threshold and both counts, each pair taken so many times.
func joint(p, times []float64) (threshold stats.Value, right, wrong float64) {
	sum, all := 0.0, 0.0
	for i, x := range p {
		sum, all = sum+times[i]*x, all+times[i]
	}
	threshold = stats.Over(sum, all)
	for i, x := range p {
		switch confident(x, float64(threshold)) {
		case 1:
			right += times[i]
		case -1:
			wrong += times[i]
		}
	}
	return threshold, right, wrong
}

// What a noise rate may be where probabilities are made of it. The estimate counts
// what the regression cannot tell as noise too; at one half the labels would tell
// nothing, and dividing by 1-2ε near it would make certainty of a regression that is
// at chance. From mostNoise on the probabilities are cautious instead.
const (
	leastNoise, mostNoise = 0.001, 0.25
	surest                = 0.999 // that the regression may be of a response
)

// posterior is the probability that each label is wrong. A regression learnt from
// labels of which ε are wrong says p of the label; of what is true it says
//
//	q = (p - ε) / (1 - 2ε)
//
// (Natarajan et al., NeurIPS 2013). The truth of a group of pairs alike has the
// log-odds of their mean q, and each of their labels, taken as one of its own,
// adds log((1-ε)/ε) for its side: the probability that a label of that side is
// wrong is that of the other side. Of a pair alone
//
//	P = ε(1-q) / ((1-ε)q + ε(1-q))
//
// and labels of a group that contradict one another have P that sum up to what
// must be wrong.
func posterior(z []float64, noise float64, groups []Group) []float64 {
	noise = min(max(noise, leastNoise), mostNoise)
	label := math.Log((1 - noise) / noise)
	truth := func(z float64) float64 { // log-odds of q
		q := min(max((stats.Sigmoid(z)-noise)/(1-2*noise), 1-surest), surest)
		return math.Log(q / (1 - q))
	}
	wrong := make([]float64, len(z))
	for i := range z {
		wrong[i] = stats.Sigmoid(-truth(z[i]) - label)
	}
	for _, g := range groups {
		mean, votes := 0.0, 0.0
		for k, i := range g.pairs {
			side := g.side(k)
			mean, votes = mean+side*z[i]/float64(len(g.pairs)), votes+side
		}
		for k, i := range g.pairs {
			wrong[i] = stats.Sigmoid(-g.side(k) * (truth(mean) + votes*label))
		}
	}
	return wrong
}

// worth scales the log-odds of labels to what they are worth: a regression is
// surer of pairs that it has not seen than it is right of them. The factor is the
// likeliest for the labels (Platt 1999, without an intercept), from 0 to 1.
func worth(z []float64) []float64 {
	factor := 1.0
	if theta, err := stats.LogisticOf(z).Fit(); err == nil { // else every label is told right, or z is 0
		factor = min(max(theta[0], 0), 1)
	}
	out := make([]float64, len(z))
	for i, x := range z {
		out[i] = factor * x
	}
	return out
}

// throughCycles raises the probabilities of pairs on a circle, of whose labels one
// at least is wrong: P / (1 - Π(1-P)) over the circle, the largest of its circles.
func throughCycles(wrong []float64, cycles []Cycle) {
	before := append([]float64(nil), wrong...)
	for _, c := range cycles {
		none := 1.0
		for _, i := range c.pairs {
			none *= 1 - before[i]
		}
		for _, i := range c.pairs {
			if none < 1 {
				wrong[i] = max(wrong[i], min(1, before[i]/(1-none)))
			}
		}
	}
}
