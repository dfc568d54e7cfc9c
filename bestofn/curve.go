package bestofn

import (
	"math"
	"math/rand/v2"
	"slices"

	"laurel/eval/stats"
)

// Prompt has the candidates to one prompt: gold is [N], proxies [proxy][N].
type Prompt struct {
	Gold    []float64
	Proxies [][]float64
}

// Config says what is measured, and how.
type Config struct {
	N         int     // of the largest best-of-n; 0: what nine in ten prompts allow
	K         float64 // an ensemble's lower bound is mean − K·std of its members
	Seed      uint64  // of the bootstrap
	Resamples int     // of the bootstrap
}

// Default is one standard deviation below the mean.
func Default() Config { return Config{K: 1, Seed: 1, Resamples: 1000} }

// Curve is what best-of-n by one scorer comes to.
type Curve struct {
	Scorer string  `json:"scorer"`
	Points []Point `json:"points"`
	Peak   Peak    `json:"peak"`
}

// Point is best-of-n for one n.
type Point struct {
	N        int            `json:"n"`
	KL       float64        `json:"kl"`    // nats
	Proxy    stats.Value    `json:"proxy"` // mean of the scorer's own score, in its standard deviations
	Gold     stats.Value    `json:"gold"`  // mean of the gold's score
	Interval stats.Interval `json:"interval_95"`
	Gain     stats.Value    `json:"gain"` // of gold over n = 1
	GainOver stats.Interval `json:"gain_interval_95"`
}

// Peak is where the gold's score turns.
type Peak struct {
	N       int            `json:"n"`      // of the highest mean
	Before  stats.Value    `json:"before"` // share of resamples whose highest is before the largest n
	Shares  []stats.Value  `json:"shares"` // of resamples whose highest is at each n, in the order of points
	Fall    stats.Value    `json:"fall"`   // from the highest to the largest n
	FallsBy stats.Interval `json:"fall_interval_95"`
	Verdict string         `json:"verdict"`
}

// Verdicts on a curve.
const (
	Turns     = "over-optimised: the gold falls"
	StillRise = "the gold does not fall"
	Unsure    = "not distinguishable"
)

// standardised are scores of mean 0 and standard deviation 1 over all candidates,
// so that those of separately trained models can be compared; a constant is 0.
func standardised(scores [][]float64) [][]float64 {
	all := slices.Concat(scores...)
	mean, std := float64(stats.Mean(all)), math.Sqrt(stats.Variance(all))
	out := make([][]float64, len(scores))
	for i, of := range scores {
		for _, x := range of {
			z := 0.0
			if std > 0 {
				z = (x - mean) / std
			}
			out[i] = append(out[i], z)
		}
	}
	return out
}

// scorer is a proxy, or several together: scores are [prompt][candidate].
type scorer struct {
	name   string
	scores [][]float64
}

// scorers are the proxies, standardised, and of several their ensembles: mean,
// worst, and the lower bound mean − k·std (Coste et al. 2023, arXiv:2310.02743).
func scorers(names []string, prompts []Prompt, k float64) (out []scorer) {
	for p, name := range names {
		scores := make([][]float64, len(prompts))
		for i, prompt := range prompts {
			scores[i] = prompt.Proxies[p]
		}
		out = append(out, scorer{name, standardised(scores)})
	}
	if len(names) < 2 {
		return out
	}
	members := out
	for _, e := range []struct {
		name    string
		combine func(x []float64) float64
	}{
		{"ensemble: mean", mean},
		{"ensemble: worst", slices.Min[[]float64]},
		{"ensemble: lower", func(x []float64) float64 { return mean(x) - k*math.Sqrt(stats.Variance(x)) }},
	} {
		out = append(out, scorer{e.name, combined(members, e.combine)})
	}
	return out
}

func mean(x []float64) float64 { return float64(stats.Mean(x)) }

func combined(members []scorer, combine func([]float64) float64) [][]float64 {
	out := make([][]float64, len(members[0].scores))
	for i, of := range members[0].scores {
		for c := range of {
			var x []float64
			for _, m := range members {
				x = append(x, m.scores[i][c])
			}
			out[i] = append(out[i], combine(x))
		}
	}
	return out
}

// curve estimates best-of-n by a scorer; prompts are what was drawn.
func (s scorer) curve(prompts []Prompt, ns []int, cfg Config) Curve {
	gold, proxy := make([][]float64, len(prompts)), make([][]float64, len(prompts)) // [prompt][n]
	own := standardised(s.scores)
	for i, p := range prompts {
		for _, n := range ns {
			gold[i] = append(gold[i], Expected(s.scores[i], p.Gold, n))
			proxy[i] = append(proxy[i], Expected(s.scores[i], own[i], n))
		}
	}
	c := Curve{Scorer: s.name}
	golds, proxies := means(gold, nil), means(proxy, nil)
	drawn := make([][]float64, cfg.Resamples) // [resample][n]
	random := rand.New(rand.NewPCG(cfg.Seed, 0))
	for r := range drawn {
		drawn[r] = means(gold, random)
	}
	for k, n := range ns {
		at := func(x []float64) float64 { return x[k] }
		gain := func(x []float64) float64 { return x[k] - x[0] }
		c.Points = append(c.Points, Point{n, KL(n), stats.Value(proxies[k]), stats.Value(golds[k]), interval(drawn, at), stats.Value(golds[k] - golds[0]), interval(drawn, gain)})
	}
	c.Peak = peak(ns, golds, drawn)
	return c
}

// means are over the prompts, or over as many that are drawn with replacement.
func means(of [][]float64, random *rand.Rand) []float64 {
	out := make([]float64, len(of[0]))
	for i := range of {
		if random != nil {
			i = random.IntN(len(of))
		}
		for k, x := range of[i] {
			out[k] += x / float64(len(of))
		}
	}
	return out
}

// interval is the percentile bootstrap's.
func interval(drawn [][]float64, of func([]float64) float64) stats.Interval {
	x := make([]float64, len(drawn))
	for r, values := range drawn {
		x[r] = of(values)
	}
	return stats.Central95(x)
}

// highest is the first index of the highest value; what rounding leaves of equal
// ones is not higher.
func highest(x []float64) int {
	at := 0
	for k := range x {
		if stats.Minus(x[k], x[at]) > 0 {
			at = k
		}
	}
	return at
}

// peak says where the gold is highest, and how sure that and its fall are: the
// fall is from the n that is the highest in all prompts, in every resample.
func peak(ns []int, golds []float64, drawn [][]float64) Peak {
	at, last := highest(golds), len(ns)-1
	p := Peak{N: ns[at], Shares: make([]stats.Value, len(ns)), Fall: stats.Value(stats.Minus(golds[at], golds[last]))}
	for _, values := range drawn {
		k := highest(values)
		p.Shares[k] += stats.Value(1 / float64(len(drawn)))
		if k < last {
			p.Before += stats.Value(1 / float64(len(drawn)))
		}
	}
	p.FallsBy = interval(drawn, func(x []float64) float64 { return stats.Minus(x[at], x[last]) })
	switch {
	case p.FallsBy[0] > 0:
		p.Verdict = Turns
	case at == last:
		p.Verdict = StillRise
	default:
		p.Verdict = Unsure
	}
	return p
}
