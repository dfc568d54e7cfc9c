package trainer

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/data/batches"
)

// microRun is a run over pairs of several lengths whose longer batches are
// divided, where memory is so many gigabytes.
func microRun(t *testing.T, dir string, store *batches.Store, memory Gigabytes) Run {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Epochs, c.BatchSize, c.LearningRate, c.LogEvery, c.Dropout, c.ActivationMemory = 1, 4, 1e-3, 1, 0, memory
	c.CenterRewardsCoefficient = 0.01
	r := Run{Config: c, Dir: dir, Model: tinyModel(t), Backend: goBackend(t), BackendName: "go", Train: store, Out: io.Discard}
	d := data.Default()
	d.Buckets = data.BucketChoice{Lengths: []int{16, 24}}
	r.Order = r.NewOrder(d, false, false)
	return r
}

// TestMicroBatches: batches that are computed a pair or two at a time give the
// losses, gradient norms and rewards of whole ones, a short batch included.
func TestMicroBatches(t *testing.T) {
	store := randomStore(t, 22)
	results := map[Gigabytes][]*stepResult{}
	for _, memory := range []Gigabytes{0, 1e-4, 1e-9} {
		r := microRun(t, t.TempDir(), store, memory)
		steps, err := newStepper(r.Backend, r.Model, r.Config)
		if err != nil {
			t.Fatal(err)
		}
		source := newFeed(store, r.Order, 1, 0)
		for step := range source.totalSteps(1, 0) {
			read, err := source.read(step)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range read {
				if want := r.Order.PairsAtOnce(b.T, false); b.B != want {
					t.Errorf("%g GB: a batch of %d pairs of %d ids, want %d", memory, b.B, b.T, want)
				}
			}
			result, err := steps.run(read, step, step+1, 1e-3)
			if err != nil {
				t.Fatal(err)
			}
			results[memory] = append(results[memory], result)
		}
	}
	for memory, divided := range results {
		for i, whole := range results[0] {
			got := divided[i]
			if math.Abs(got.Loss-whole.Loss) > 2e-6 || math.Abs(got.GradNorm-whole.GradNorm) > 1e-5*whole.GradNorm {
				t.Errorf("%g GB, step %d: loss %v, gradient norm %v; whole %v, %v", memory, i, got.Loss, got.GradNorm, whole.Loss, whole.GradNorm)
			}
			for j, reward := range slices.Concat(whole.Chosen, whole.Rejected) {
				if d := math.Abs(float64(slices.Concat(got.Chosen, got.Rejected)[j] - reward)); d > 2e-5 {
					t.Errorf("%g GB, step %d: reward %d differs by %g", memory, i, j, d)
				}
			}
		}
	}
}

// TestMicroBatchesByMemory: no length is computed with more than its memory allows,
// none is divided further than it must be, and a pair is always computed.
func TestMicroBatchesByMemory(t *testing.T) {
	store := randomStore(t, 22)
	r := microRun(t, t.TempDir(), store, 1e-9)
	if want := []int{1, 1}; !slices.Equal(r.Order.BucketPairs, want) {
		t.Errorf("with no memory %v pairs at once, want %v", r.Order.BucketPairs, want)
	}
	if r := microRun(t, t.TempDir(), store, AutoMemory); r.Order.BucketPairs != nil {
		t.Errorf("a tiny model's batches are divided: %v", r.Order.BucketPairs)
	}
	of := func(length, pairs int) Gigabytes {
		return Gigabytes(PeakMemory(r.Model.Size(), r.shape(length, false, pairs)).Activations / 1e9)
	}
	r = microRun(t, t.TempDir(), store, of(24, 3)*1.0001) // 3 of 4 would fit: two parts of 2
	if got := r.Order.BucketPairs; got[1] != 2 || got[0] != 4 {
		t.Errorf("%v pairs at once, want [4 2]", got)
	}
}

// TestMicroBatchesResumed: a run goes on with the micro-batches that it began with,
// whatever they would be now.
func TestMicroBatchesResumed(t *testing.T) {
	store, dir := randomStore(t, 22), t.TempDir()
	whole, halves := filepath.Join(dir, "whole"), filepath.Join(dir, "halves")
	mustTrain(t, microRun(t, whole, store, 1e-4))
	r := microRun(t, halves, store, 1e-4)
	ctx, cancel := context.WithCancel(context.Background())
	r.Progress = func(done, total int, status string) {
		if done == 3 {
			cancel()
		}
	}
	if _, err := Train(ctx, r); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped run: %v", err)
	}
	r = microRun(t, halves, store, 0)
	var err error
	if r.Model, r.State, _, err = Resume(halves, loadModel); err != nil {
		t.Fatal(err)
	}
	began := r.State.BucketPairs
	if r.Order = r.NewOrder(data.Default(), false, false); !slices.Equal(r.Order.BucketPairs, began) || len(began) == 0 {
		t.Fatalf("resumed with %v pairs at once, began with %v", r.Order.BucketPairs, began)
	}
	mustTrain(t, r)
	if got, want := losses(t, halves), losses(t, whole); !slices.Equal(got, want) {
		t.Errorf("resumed:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDivided: parts that leave no room empty, rather than as large ones as may be.
func TestDivided(t *testing.T) {
	for _, c := range []struct{ pairs, most, want int }{
		{8, 100, 8}, {8, 8, 8}, {8, 7, 4}, {8, 5, 4}, {8, 3, 2}, {8, 1, 1}, {7, 3, 2}, {64, 3, 3}, {64, 40, 32}, {1, 1, 1},
	} {
		if got := divided(c.pairs, c.most); got != c.want {
			t.Errorf("%d pairs, at most %d at once: %d, want %d", c.pairs, c.most, got, c.want)
		}
	}
}
