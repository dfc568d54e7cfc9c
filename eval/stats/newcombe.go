package stats

import "math"

// Newcombe95 is the interval of the difference first minus second of two
// independent shares from their score intervals (Newcombe, Statistics in Medicine
// 1998, method 10). Intervals over prompts make it one over prompts.
func Newcombe95(first Value, of Interval, second Value, than Interval) Interval {
	d := Minus(float64(first), float64(second))
	below := math.Hypot(float64(first-of[0]), float64(than[1]-second))
	above := math.Hypot(float64(of[1]-first), float64(second-than[0]))
	return Interval{Value(d - below), Value(d + above)}
}

// Holm adjusts p values of several tests so that the chance of any false finding
// is kept (Holm, Scandinavian Journal of Statistics 1979): the k-th smallest of m
// times m-k+1, never less than the one before, at most 1.
func Holm(p []Value) []Value {
	order := OrderOf(floats(p))
	out, most := make([]Value, len(p)), 0.0
	for k, i := range order.From {
		most = math.Max(most, math.Min(1, float64(p[i])*float64(len(p)-k)))
		out[i] = Value(most)
	}
	return out
}

func floats(p []Value) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = float64(v)
	}
	return out
}
