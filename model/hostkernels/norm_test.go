package hostkernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// reference computes a norm by its definition, in float64.
func (l *layerNorm) reference() (out []float64) {
	for row := range slices.Chunk(l.x, len(l.gain)) {
		mean, variance := 0.0, 0.0
		for _, x := range row {
			mean += float64(x) / float64(len(row))
		}
		for _, x := range row {
			variance += (float64(x) - mean) * (float64(x) - mean) / float64(len(row))
		}
		for k, x := range row {
			y := (float64(x) - mean) / math.Sqrt(variance+float64(l.epsilon)) * float64(l.gain[k])
			if len(l.bias) > 0 {
				y += float64(l.bias[k])
			}
			out = append(out, y)
		}
	}
	return out
}

// Rows of other means and spreads, alike on any number of threads and wherever they lie.
func TestLayerNorm(t *testing.T) {
	for _, features := range []int{1, 3, 16, 33, 384, 777} {
		for kernel := range kernels() {
			for _, biased := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d features, bias %v, %s", features, biased, kernel), func(t *testing.T) {
					random, l := rand.New(rand.NewPCG(5, 6)), &layerNorm{epsilon: 1e-12}
					values := func(mean, spread float64) (x []float32) {
						for range features {
							x = append(x, float32(mean+spread*random.NormFloat64()))
						}
						return x
					}
					if l.gain = values(1, 1); biased {
						l.bias = values(0, 1)
					}
					if features == 1 {
						l.epsilon = 1 // its variance is 0
					}
					for i := range 200 {
						l.x = append(l.x, values(float64(i%7), 0.1+float64(i%3))...)
					}
					copy(l.x[131*features:], l.x[:features])
					out := onThreads(t, l.reference(), 10, func(out []float32, threads int) error { return l.forward(out, kernel, threads) }) // means of 6 beside spreads of 0.1 lose a digit
					if !slices.Equal(out[131*features:132*features], out[:features]) {
						t.Error("a row has other bits elsewhere")
					}
				})
			}
		}
	}
}

// What is not a number stays so, in its own row.
func TestLayerNormOfNaN(t *testing.T) {
	for kernel := range kernels() {
		l := &layerNorm{x: make([]float32, 64), gain: slices.Repeat([]float32{1}, 32), epsilon: 1e-5}
		l.x[5] = float32(math.NaN())
		out := make([]float32, 64)
		if err := l.forward(out, kernel, 1); err != nil {
			t.Fatal(err)
		}
		if out[0] == out[0] || out[32] != 0 {
			t.Errorf("%s: norms of a row with NaN and of one of zeros are %v and %v", kernel, out[0], out[32])
		}
	}
}
