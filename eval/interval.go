package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bootstrap is the percentile bootstrap over pairs of accuracy_ties_half.
type Bootstrap struct {
	Method        string `json:"method"`
	Resamples     int    `json:"resamples"`
	Seed          uint64 `json:"seed"`
	Low           Value  `json:"low"`
	High          Value  `json:"high"`
	StandardError Value  `json:"standard_error"`
}

// bootstrap resamples the three outcomes rather than the rows: n draws with
// replacement are right, tied or wrong in multinomial counts, which two
// binomials give exactly, whatever n is.
func bootstrap(c outcomes, cfg Config) Bootstrap {
	n := float64(c.n())
	src := rand.NewPCG(cfg.Seed, 0)
	accuracy := make([]float64, cfg.Bootstrap)
	for i := range accuracy {
		right := binomial(n, float64(c.right)/n, src)
		tied := 0.0
		if c.tied > 0 {
			tied = binomial(n-right, float64(c.tied)/float64(c.tied+c.wrong), src)
		}
		accuracy[i] = (right + tied/2) / n
	}
	slices.Sort(accuracy)
	return Bootstrap{
		Method:    fmt.Sprintf("percentile bootstrap over pairs, %d resamples, 95%%, of accuracy_ties_half", cfg.Bootstrap),
		Resamples: cfg.Bootstrap, Seed: cfg.Seed,
		Low: Value(quantile(accuracy, 0.025)), High: Value(quantile(accuracy, 0.975)),
		StandardError: Value(math.Sqrt(variance(accuracy))),
	}
}

func binomial(n, p float64, src rand.Source) float64 {
	switch {
	case n == 0 || p == 0:
		return 0
	case p == 1:
		return n
	}
	return distuv.Binomial{N: n, P: p, Src: src}.Rand()
}

// wilson95 is Wilson's score interval (JASA 1927) of a share of n. For a
// share that counts ties one half it is conservative: such outcomes vary less
// than yes or no.
func wilson95(share, n float64) [2]Value {
	if !(n > 0) {
		return [2]Value{Value(math.NaN()), Value(math.NaN())}
	}
	z := z95()
	centre := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return [2]Value{Value(math.Max(0, centre-half)), Value(math.Min(1, centre+half))}
}

// clopperPearson95 is the exact interval (Biometrika 1934) of k right of n.
func clopperPearson95(k, n int) [2]Value {
	low, high := 0.0, 1.0
	if k > 0 {
		low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(0.025)
	}
	if k < n {
		high = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.975)
	}
	return [2]Value{Value(low), Value(high)}
}
