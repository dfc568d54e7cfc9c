package stats

import "math"

// Histogram counts values in equal-width bins from Low to High. A bin holds
// its lower edge; the last one both. Values outside are counted, not binned.
type Histogram struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Counts []int   `json:"counts"`
	Below  int     `json:"below"`
	Above  int     `json:"above"`
}

// NewHistogram counts x in so many bins of equal width from low to high; what lies
// beyond is counted as Below or Above.
func NewHistogram(x []float64, low, high float64, bins int) Histogram {
	h := Histogram{Low: low, High: high, Counts: make([]int, bins)}
	width := (high - low) / float64(bins)
	for _, v := range x {
		switch {
		case v < low:
			h.Below++
		case v > high:
			h.Above++
		default:
			h.Counts[min(int((v-low)/width), bins-1)]++
		}
	}
	return h
}

// Bulk is the whole range, or where that is over four times as wide as what
// holds 99 in 100 values, the latter widened by half on each side.
func Bulk(sorted []float64) (low, high float64) {
	low, high = sorted[0], sorted[len(sorted)-1]
	q1, q2 := Quantile(sorted, 0.005), Quantile(sorted, 0.995)
	if q2 > q1 && high-low > 4*(q2-q1) {
		return math.Max(low, q1-(q2-q1)/2), math.Min(high, q2+(q2-q1)/2)
	}
	return low, high
}

// Widen gives a range too narrow to draw, that of a constant, some width.
func Widen(low, high float64) (float64, float64) {
	if high-low > math.Max(1e-9*math.Max(math.Abs(low), math.Abs(high)), 1e-100) {
		return low, high
	}
	half := math.Max(0.5, 0.05*math.Abs(low))
	return low - half, high + half
}

// NiceWidth rounds up to 1, 2 or 5 times a power of ten.
func NiceWidth(w float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(w)))
	for _, step := range []float64{1, 2, 5} {
		if w <= step*power*(1+1e-9) {
			return step * power
		}
	}
	return 10 * power
}
