package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// McNemar is the exact test of two rankings of the same pairs (McNemar,
// Psychometrika 1947): of the pairs on which they differ, either is as often the
// better one, were they equally good. Pairs are taken as independent.
//
//	exact = min(1, 2 P(X ≤ k))     mid-p = 2 P(X ≤ k) - P(X = k)     X ~ Binomial(b+c, 1/2), k = min(b, c)
//
// The mid-p value (Lancaster, JASA 1961; Fagerland, Lydersen and Laake 2013) is
// less conservative. A tie counts between right and wrong, which makes it the
// sign test where there are ties.
type McNemar struct {
	First  int   `json:"first_better"`  // pairs, b
	Second int   `json:"second_better"` // pairs, c
	Exact  Value `json:"p_exact"`       // two-sided
	MidP   Value `json:"p_mid"`         // two-sided
}

// McNemarOf compares how two rankings did on each pair: 1 right, 0 wrong, one
// half a tie.
func McNemarOf(first, second []float64) McNemar {
	m := McNemar{}
	for i := range first {
		switch {
		case first[i] > second[i]:
			m.First++
		case first[i] < second[i]:
			m.Second++
		}
	}
	n, k := m.First+m.Second, min(m.First, m.Second)
	if n == 0 {
		m.Exact, m.MidP = 1, 1
		return m
	}
	half := distuv.Binomial{N: float64(n), P: 0.5}
	upTo := 2 * half.CDF(float64(k))
	m.Exact, m.MidP = Value(math.Min(1, upTo)), Value(math.Min(1, upTo-half.Prob(float64(k))))
	return m
}
