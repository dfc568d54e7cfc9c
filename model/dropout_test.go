package model

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	. "github.com/gomlx/gomlx/core/graph"
	ml "github.com/gomlx/gomlx/ml/model"
)

// drop gives dropout's outputs for ones, at two sites.
func drop(t *testing.T, seed uint32, rate float64, n int) (first, second []float32) {
	t.Helper()
	exec, err := ml.NewExec(pureGo(t), ml.NewStore(), func(scope *ml.Scope, in []*Node) []*Node {
		x := Ones(in[0].Graph(), shapes.Make(dtypes.Float32, n))
		p := &pass{Inputs: Inputs{IDs: x, Seed: in[0], Dropout: -1}, scope: scope}
		return []*Node{p.dropout(x, rate), p.dropout(x, rate)}
	})
	if err != nil {
		t.Fatal(err)
	}
	outs, err := exec.Exec(seed)
	if err != nil {
		t.Fatal(err)
	}
	return tensors.MustCopyFlatData[float32](outs[0]), tensors.MustCopyFlatData[float32](outs[1])
}

// TestDropout checks the rate, the scale, and that seeds and sites draw
// independent masks.
func TestDropout(t *testing.T) {
	const n, rate = 200_000, 0.1
	a, b := drop(t, 1, rate, n)
	c, _ := drop(t, 2, rate, n)
	again, _ := drop(t, 1, rate, n)
	zeros, bothSites, bothSeeds, neighbours := 0, 0, 0, 0
	for i := range a {
		if a[i] != again[i] {
			t.Fatal("one seed drew two masks")
		}
		if a[i] == 0 {
			zeros++
			if b[i] == 0 {
				bothSites++
			}
			if c[i] == 0 {
				bothSeeds++
			}
			if i > 0 && a[i-1] == 0 {
				neighbours++
			}
		} else if math.Abs(float64(a[i])-1/(1-rate)) > 1e-6 {
			t.Fatalf("a kept one became %v", a[i])
		}
	}
	within := func(what string, count int, p float64) {
		if sd := math.Sqrt(n * p * (1 - p)); math.Abs(float64(count)-n*p) > 5*sd {
			t.Errorf("%s: %d of %d, want %.0f ± %.0f", what, count, n, n*p, sd)
		}
	}
	within("dropped", zeros, rate)
	within("dropped at both sites", bothSites, rate*rate)
	within("dropped with both seeds", bothSeeds, rate*rate)
	within("dropped beside a dropped one", neighbours, rate*rate)
}
