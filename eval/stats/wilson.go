package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Wilson95 is Wilson's score interval (JASA 1927) of a share of n. For a
// share that counts ties one half it is conservative: such outcomes vary less
// than yes or no.
func Wilson95(share, n float64) Interval {
	if !(n > 0) {
		return Interval{undefined(), undefined()}
	}
	z := Z95()
	centre := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	// The ends of unanimous trials are exact: rounding would leave 0 at 6.94e-18.
	low, high := Minus(centre, half), 1-Minus(1, centre+half)
	return Interval{Value(math.Max(0, low)), Value(math.Min(1, high))}
}

// ClopperPearson95 is the exact interval (Biometrika 1934) of k right of n.
func ClopperPearson95(k, n int) Interval {
	low, high := 0.0, 1.0
	if k > 0 {
		low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(0.025)
	}
	if k < n {
		high = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.975)
	}
	return Interval{Value(low), Value(high)}
}
