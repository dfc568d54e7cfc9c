package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Variance is the unbiased estimate: undefined for one value, and zero for a
// constant, where rounding of the mean would leave noise.
func Variance(x []float64) float64 {
	for _, v := range x {
		if v != x[0] {
			return stat.Variance(x, nil)
		}
	}
	if len(x) < 2 {
		return math.NaN()
	}
	return 0
}

func Mean(x []float64) Value {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return Over(sum, float64(len(x)))
}

func Indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
