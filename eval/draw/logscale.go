package draw

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
)

// Decade is the power of ten beside x.
func Decade(x float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(x)))
}

// Decades are ticks at the powers of ten, eight or so at most.
type Decades struct{}

// Ticks is plot.Ticker's.
func (Decades) Ticks(low, high float64) (out []plot.Tick) {
	first, last := math.Ceil(math.Log10(low)-1e-9), math.Floor(math.Log10(high)+1e-9)
	step := math.Ceil((last - first + 1) / 8)
	for k := first; k <= last; k += max(step, 1) {
		out = append(out, plot.Tick{Value: math.Pow(10, k), Label: powerLabel(int(k))})
	}
	return out
}

func powerLabel(k int) string {
	switch {
	case k >= 10 || k < -3:
		return fmt.Sprintf("1e%d", k)
	case k >= 9:
		return tickLabel(math.Pow(10, float64(k-9)), 0) + "G"
	case k >= 6:
		return tickLabel(math.Pow(10, float64(k-6)), 0) + "M"
	case k >= 4:
		return tickLabel(math.Pow(10, float64(k-3)), 0) + "k"
	}
	return tickLabel(math.Pow(10, float64(k)), max(0, -k))
}
