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

// Mean is 0 where the values cancel up to rounding.
func Mean(x []float64) Value {
	sum, size := 0.0, 0.0
	for _, v := range x {
		sum += v
		size += math.Abs(v)
	}
	return Over(zeroed(sum, size, len(x)), float64(len(x)))
}

// Minus is a - b, and 0 where the two are equal up to rounding: what is left of
// them then, such as 6.94e-18, is no finding.
func Minus(a, b float64) float64 { return zeroed(a-b, math.Abs(a)+math.Abs(b), 16) }

// zeroed is a sum of n values, or 0 where it is within what rounding leaves of
// them: n ε Σ|x| at most (Higham 2002, eq. 4.4), ε = 2⁻⁵³.
func zeroed(sum, size float64, n int) float64 {
	if math.Abs(sum) <= float64(n)*0x1p-53*size {
		return 0
	}
	return sum
}

// Indicator is 1 where it holds, else 0.
func Indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
