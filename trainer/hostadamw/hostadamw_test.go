package hostadamw

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func random(r *rand.Rand, n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * scale)
	}
	return x
}

// drawn gives tensors of lengths around a vector's, a stretch's and none.
func drawn(r *rand.Rand) (tensors []Tensor) {
	for i, n := range []int{1, 7, 8, 33, 0, stretch - 1, stretch, 2*stretch + 5} {
		second := random(r, n, 1e-2)
		for j := range second {
			second[j] *= second[j]
		}
		tensors = append(tensors, Tensor{random(r, n, 1), random(r, n, 1e-2), second, random(r, n, 1e-2),
			Factors{0.9, 0.999, 1e-8, 0.5, 1 - 1e-3*float32(i), 1e-2, 0.3}})
	}
	return tensors
}

func cloned(tensors []Tensor) (clones []Tensor) {
	for _, t := range tensors {
		t.Weight, t.First, t.Second = slices.Clone(t.Weight), slices.Clone(t.First), slices.Clone(t.Second)
		clones = append(clones, t)
	}
	return clones
}

// TestUpdate holds update and norm to their definitions in float64.
func TestUpdate(t *testing.T) {
	tensors := drawn(rand.New(rand.NewPCG(1, 2)))
	updated := cloned(tensors)
	Update(updated)
	var squares float64
	near := func(what string, got float32, parts ...float64) { // their sum, rounded at the size of the parts
		var want, size float64
		for _, p := range parts {
			want, size = want+p, size+math.Abs(p)
		}
		if math.Abs(float64(got)-want) > 4e-7*size {
			t.Fatalf("%s %v, want %v", what, got, want)
		}
	}
	for i, before := range tensors {
		f := before.Factors
		for j, grad := range before.Gradient {
			squares += float64(grad) * float64(grad)
			g := float64(grad) * float64(f.Clip)
			near("mean", updated[i].First[j], f.Beta1*float64(before.First[j]), (1-f.Beta1)*g)
			near("square", updated[i].Second[j], f.Beta2*float64(before.Second[j]), (1-f.Beta2)*g*g)
			m, v := float64(updated[i].First[j]), float64(updated[i].Second[j])
			near("weight", updated[i].Weight[j], float64(f.Keep)*float64(before.Weight[j]), -float64(f.Step)*m/(math.Sqrt(v)/float64(f.Root)+f.Eps))
		}
	}
	if got, want := Norm(tensors), math.Sqrt(squares); math.Abs(got-want) > 1e-6*want {
		t.Errorf("norm %v, want %v", got, want)
	}
}

// TestThreads: bits do not depend on the number of threads, nor on how the values
// are divided into tensors.
func TestThreads(t *testing.T) {
	tensors := drawn(rand.New(rand.NewPCG(3, 4)))
	together := cloned(tensors)
	Update(together)
	norm := Norm(tensors)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := cloned(tensors)
	Update(alone)
	if got := Norm(tensors); got != norm {
		t.Errorf("norm on one thread %v, on several %v", got, norm)
	}
	for i := range together {
		for j := range together[i].Weight {
			if together[i].Weight[j] != alone[i].Weight[j] {
				t.Fatalf("tensor %d, weight %d: %v and %v", i, j, together[i].Weight[j], alone[i].Weight[j])
			}
		}
	}
	last := &tensors[len(tensors)-1]
	one := Tensor{slices.Clone(last.Weight), slices.Clone(last.First), slices.Clone(last.Second), last.Gradient, last.Factors}
	for _, cut := range []int{3, stretch + 9} {
		parts := cloned([]Tensor{one})[0]
		Update([]Tensor{
			{parts.Weight[:cut], parts.First[:cut], parts.Second[:cut], parts.Gradient[:cut], parts.Factors},
			{parts.Weight[cut:], parts.First[cut:], parts.Second[cut:], parts.Gradient[cut:], parts.Factors}})
		for j, w := range parts.Weight {
			if w != together[len(tensors)-1].Weight[j] {
				t.Fatalf("cut at %d, weight %d: %v and %v", cut, j, w, together[len(tensors)-1].Weight[j])
			}
		}
	}
}

// TestNotANumber: what is not a number is told by the norm.
func TestNotANumber(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		tensors := drawn(rand.New(rand.NewPCG(5, 6)))
		tensors[3].Gradient[32] = float32(x)
		if n := Norm(tensors); !math.IsNaN(n) && !math.IsInf(n, 0) {
			t.Errorf("norm of gradients with %v is %v", x, n)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	const n = 22_713_601 // MiniLM's
	t := []Tensor{{make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), Factors{0.9, 0.999, 1e-8, 0.5, 1, 1e-5, 1}}}
	b.SetBytes(32 * n)
	Update(t) // the first has pages to come by
	for b.Loop() {
		Norm(t)
		Update(t)
	}
}
