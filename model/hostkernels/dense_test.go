package hostkernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawnLayer is a layer of random weights, and random inputs.
func drawnLayer(rows, inputs, outputs int) *denseLayer {
	random := rand.New(rand.NewPCG(3, 4))
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	return &denseLayer{x: values(rows * inputs), weight: values(outputs * inputs), bias: values(outputs), inputs: inputs, outputs: outputs}
}

// turn gives the weights as [inputs, outputs].
func (d *denseLayer) turn() {
	turned := make([]float32, len(d.weight))
	for i, w := range d.weight {
		turned[i%d.inputs*d.outputs+i/d.inputs] = w
	}
	d.weight, d.turned = turned, true
}

// reference computes a layer by its definition, in float64.
func (d *denseLayer) reference() (out []float64) {
	for row := range slices.Chunk(d.x, d.inputs) {
		for o, weights := range slices.Collect(slices.Chunk(d.weight, d.inputs)) {
			sum := 0.0
			for k, w := range weights {
				sum += float64(row[k]) * float64(w)
			}
			if len(d.bias) > 0 {
				sum += float64(d.bias[o])
			}
			if d.gelu {
				sum *= (1 + math.Erf(sum/math.Sqrt2)) / 2
			}
			out = append(out, sum)
		}
	}
	return out
}

// onThreads computes on several numbers of threads: what is wanted, and the same bits on each.
// It gives them.
func onThreads(t *testing.T, want []float64, times float64, compute func(out []float32, threads int) error) (first []float32) {
	t.Helper()
	for _, threads := range []int{1, 2, 5} {
		out := make([]float32, len(want))
		if err := compute(out, threads); err != nil {
			t.Fatal(err)
		}
		near(t, "out", out, want, times)
		if first == nil {
			first = out
		}
		if !slices.Equal(out, first) {
			t.Errorf("%d threads: other bits than one", threads)
		}
	}
	return first
}

func TestDense(t *testing.T) {
	for _, c := range []struct{ rows, inputs, outputs int }{
		{1, 1, 1}, {1, 384, 64}, {7, 33, 65}, {300, 20, 130}, {253, 384, 192}, {5, 1000, 63}, {259, 769, 17}, {64, 64, 900},
	} {
		for kernel := range kernels() {
			for _, kind := range []string{"", "bias", "gelu", "turned"} {
				t.Run(fmt.Sprintf("%v, %s, %s", c, kind, kernel), func(t *testing.T) {
					d := drawnLayer(c.rows, c.inputs, c.outputs)
					if d.gelu = kind == "gelu"; kind == "" {
						d.bias = nil
					}
					want := d.reference()
					if kind == "turned" {
						d.turn()
					}
					onThreads(t, want, math.Sqrt(float64(c.inputs)), func(out []float32, threads int) error { return d.forward(out, kernel, threads) })
				})
			}
		}
	}
}

// The gradient of the weights is dyᵀ·x, with the same bits on any number of threads.
func TestGradient(t *testing.T) {
	for _, c := range []struct{ rows, inputs, outputs int }{
		{1, 1, 1}, {1, 384, 64}, {7, 33, 65}, {300, 20, 130}, {900, 384, 192}, {5, 1000, 63}, {259, 769, 17}, {1000, 1700, 40},
	} {
		for kernel := range kernels() {
			t.Run(fmt.Sprintf("%v, %s", c, kernel), func(t *testing.T) {
				d, dy := drawnLayer(c.rows, c.inputs, c.outputs), drawnLayer(c.rows, c.outputs, 1).x
				want := make([]float64, c.outputs*c.inputs)
				for row := range c.rows {
					for o, g := range dy[row*c.outputs:][:c.outputs] {
						for i, x := range d.x[row*c.inputs:][:c.inputs] {
							want[o*c.inputs+i] += float64(g) * float64(x)
						}
					}
				}
				onThreads(t, want, math.Sqrt(float64(c.rows)), func(out []float32, threads int) error { return d.gradient(dy, out, kernel, threads) })
			})
		}
	}
}

// A row has the same bits wherever it lies, and whatever lies beside it.
func TestRowsAreTheSame(t *testing.T) {
	for kernel := range kernels() {
		d := drawnLayer(600, 500, 150)
		d.gelu = true
		copies := []int{1, 2, 3, 4, 5, 11, 251, 252, 260, 503, 509, 599}
		for _, row := range copies {
			copy(d.x[row*d.inputs:][:d.inputs], d.x)
		}
		out := make([]float32, 600*d.outputs)
		if err := d.forward(out, kernel, 1); err != nil {
			t.Fatal(err)
		}
		for _, row := range copies {
			if !slices.Equal(out[row*d.outputs:][:d.outputs], out[:d.outputs]) {
				t.Errorf("%s: row %d has other bits than row 0", kernel, row)
			}
		}
		alone := &denseLayer{x: d.x[:d.inputs], weight: d.weight, bias: d.bias, inputs: d.inputs, outputs: d.outputs, gelu: true}
		one := make([]float32, d.outputs)
		if err := alone.forward(one, kernel, 3); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(one, out[:d.outputs]) {
			t.Errorf("%s: a row alone has other bits than among others", kernel)
		}
	}
}

// GELU is that of float64 over the whole line, and what is not a number stays so.
func TestGELU(t *testing.T) {
	for kernel := range kernels() {
		d := &denseLayer{weight: []float32{1}, inputs: 1, outputs: 1, gelu: true}
		for x := float32(-30); x <= 30; x += 1.0 / 512 {
			d.x = append(d.x, x)
		}
		out := make([]float32, len(d.x))
		if err := d.forward(out, kernel, 1); err != nil {
			t.Fatal(err)
		}
		near(t, "gelu", out, d.reference(), 0.2)
		d.x = []float32{float32(math.NaN()), float32(math.Inf(1)), 1e30}
		if err := d.forward(out, kernel, 1); err != nil {
			t.Fatal(err)
		}
		if out[0] == out[0] || !math.IsInf(float64(out[1]), 1) || math.Abs(float64(out[2])/1e30-1) > 1e-6 {
			t.Errorf("%s: GELU of NaN, infinity and 1e30 is %v", kernel, out[:3])
		}
	}
}

func BenchmarkDense(b *testing.B) {
	for _, c := range []struct{ rows, inputs, outputs int }{{1024, 384, 384}, {1024, 384, 1536}, {1024, 1536, 384}, {2480, 384, 384}} {
		d := drawnLayer(c.rows, c.inputs, c.outputs)
		dy, dw, out := make([]float32, c.rows*c.outputs), make([]float32, c.inputs*c.outputs), make([]float32, c.rows*c.outputs)
		for kind, compute := range map[string]func(threads int) error{
			"forward":  func(threads int) error { return d.forward(out, "", threads) },
			"gradient": func(threads int) error { return d.gradient(dy, dw, "", threads) },
		} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%v, %s, %d threads", c, kind, threads), func(b *testing.B) {
					for b.Loop() {
						if err := compute(threads); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(2*float64(c.rows*c.inputs*c.outputs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
