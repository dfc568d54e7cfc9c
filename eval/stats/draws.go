package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Central95 is the percentile bootstrap's interval: between the 2.5% and the 97.5%
// quantile of the draws, which it sorts.
func Central95(draws []float64) Interval {
	slices.Sort(draws)
	return Interval{Value(Quantile(draws, 0.025)), Value(Quantile(draws, 0.975))}
}

// Multinomial draws with replacement from the cells, as conditional binomials.
func Multinomial(cells []float64, draws float64, src rand.Source) []float64 {
	out := make([]float64, len(cells))
	left, rest := draws, 0.0
	for _, c := range cells {
		rest += c
	}
	for i, c := range cells {
		if rest <= 0 || left <= 0 {
			break
		}
		out[i] = binomial(left, math.Min(1, c/rest), src)
		left, rest = left-out[i], rest-c
	}
	return out
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

// Pivotal95 is the basic bootstrap's interval (Davison and Hinkley 1997, §5.2):
// the percentile interval turned round the estimate, which takes off a bias that the
// draws have beside the estimate as that has beside the truth. It sorts the draws.
func Pivotal95(estimate float64, draws []float64) Interval {
	i := Central95(draws)
	return Interval{Value(2*estimate) - i[1], Value(2*estimate) - i[0]}
}
