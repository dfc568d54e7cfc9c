package model

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
)

var everyLayer = LoRA{Rank: 2, Alpha: 4, TargetModules: []string{allLinear}}

// halved is a golden model with its matrices in bfloat16, and rounded the one that
// has the same values in float32, both under the adapter of adapted.
func halved(t *testing.T, name string, l LoRA) (half, rounded *Model) {
	t.Helper()
	rounded = adapted(t, name, l)
	dir := golden(t, name)
	half, err := LoadBase(dir, 0, Head{}, Base{"bfloat16", l})
	if err != nil {
		t.Fatal(err)
	}
	if err := half.AddAdapter(l, dir, 3); err != nil {
		t.Fatal(err)
	}
	for _, w := range rounded.tensors() {
		from, to := rounded, half
		if half.isHalf(w) {
			from, to = half, rounded
		}
		values, err := from.values("/" + w.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Store.GetVariable("/" + w.name).SetValue(tensorOf(w, values)); err != nil {
			t.Fatal(err)
		}
	}
	return half, rounded
}

// TestBaseInBFloat16: with the base's matrices in bfloat16 rewards and gradients
// are those in float32 of weights rounded to bfloat16, on every family, and on
// one with gradient checkpointing too.
func TestBaseInBFloat16(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(goldenFamilies)) {
		for backendName, backend := range backends(t) {
			tolerance := 2e-6 // of rewards and the loss, and relative of gradients; the products are the same ones
			if backendName == "cpu" {
				if name != "qwen3" {
					continue // compiling takes seconds
				}
				tolerance = 1e-5 // float32 ones are model/hostkernels'
			}
			half, rounded := halved(t, name, everyLayer)
			for _, checkpoint := range []bool{false, true}[:1+strings.Count(name, "qwen3")] {
				inputs := func(in []*Node) Inputs { return Inputs{IDs: in[0], Lengths: in[1], Checkpoint: checkpoint} }
				ids, lengths := pad(someRows, 0)
				loss, got, grads := gradientsOf(backend, half, inputs, ids, lengths)
				wantLoss, want, wantGrads := gradientsOf(backend, rounded, inputs, ids, lengths)
				if d := far(got, want); d > tolerance || !(math.Abs(loss-wantLoss) <= tolerance) {
					t.Errorf("%s on %s, checkpointed %v: rewards differ by %.2g, loss %v and %v", name, backendName, checkpoint, d, loss, wantLoss)
				}
				t.Logf("%s on %s, checkpointed %v: rewards %.2g, gradients %.2g", name, backendName, checkpoint,
					far(got, want), sameGradients(t, half, grads, wantGrads, tolerance))
			}
		}
	}
}
