package trainer

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data/batches"
	"laurel/model"
)

// severalDevices is XLA on the CPU where it shows at least four devices, and
// where the binary can use them.
func severalDevices(t *testing.T) compute.Backend {
	t.Helper()
	backend, ok := trainBackends(t)["cpu"]
	if !ok || backend.NumDevices() < 4 {
		t.Skip("SKIPPED, several devices not tried: no XLA plugin that shows four")
	}
	if err := smallModel(t).UseDevices(backend, 2); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	return backend
}

// smallModel is an encoder of one layer with random weights.
func smallModel(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.New(filepath.Join("..", "cmd", "laurel", "testdata", "tiny.json"), 3, model.Head{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSeveralDevices: two and four devices give the losses and gradient norms
// of one to 1e-6 relative over 20 steps, and the same weights; with batches
// that the devices do not divide, accumulation, and LoRA.
func TestSeveralDevices(t *testing.T) {
	backend := severalDevices(t)
	for name, c := range map[string]struct {
		pairs, accumulate int
		lora              bool
	}{"uneven, accumulated": {5, 3, false}, "lora, fewer pairs than devices": {3, 1, true}} {
		t.Run(name, func(t *testing.T) {
			train := func(devices int) (losses, norms []float64, head []float32) {
				m := smallModel(t)
				if c.lora {
					lora := model.DefaultLoRA()
					lora.Rank = 4
					if err := m.AddAdapter(lora, "base", 1); err != nil {
						t.Fatal(err)
					}
				}
				if err := m.UseDevices(backend, devices); err != nil {
					t.Fatal(err)
				}
				config := Default()
				config.Dropout = 0
				s, err := newStepper(backend, m, config)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 20 {
					var step []*batches.Batch
					for j := range c.accumulate {
						b := batches.Random(c.pairs, 12, m.VocabSize(), uint64(i*10+j))
						b.Pairs, b.Present[c.pairs-1] = c.pairs-1, 0 // not full
						step = append(step, b)
					}
					r, err := s.run(step, i, i+1, 1e-3)
					if err != nil {
						t.Fatal(err)
					}
					if len(r.Chosen) != c.accumulate*(c.pairs-1) || len(r.Rejected) != len(r.Chosen) {
						t.Fatalf("%d and %d rewards", len(r.Chosen), len(r.Rejected))
					}
					losses, norms = append(losses, r.Loss), append(norms, r.GradNorm)
				}
				value, err := m.Store.GetVariable("/" + m.Trainable()[0]).Value()
				if err != nil {
					t.Fatal(err)
				}
				return losses, norms, tensors.MustCopyFlatData[float32](value)
			}
			losses, norms, weights := train(1)
			for _, devices := range []int{2, 4} {
				gotLosses, gotNorms, gotWeights := train(devices)
				worst := 0.0
				for i := range losses {
					worst = max(worst, math.Abs(gotLosses[i]-losses[i])/losses[i], math.Abs(gotNorms[i]-norms[i])/norms[i]/10)
				}
				apart := 0.0
				for i := range weights {
					apart = max(apart, math.Abs(float64(gotWeights[i]-weights[i])))
				}
				t.Logf("%d devices: losses and a tenth of norms differ by %.2g relative, weights by %.2g", devices, worst, apart)
				if worst > 1e-6 || !(apart < 1e-3) {
					t.Errorf("%d devices: %v, want %v", devices, gotLosses, losses)
				}
			}
		})
	}
}

// TestSplit: every pair goes to one device, in order.
func TestSplit(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 9} {
		b := batches.Random(7, 6, 100, 1)
		var ids []string
		size := 0
		for _, part := range b.Split(n, 0) {
			size = part.B
			for j := range part.Pairs {
				ids = append(ids, fmt.Sprint(part.IDs[j*6:(j+1)*6], part.IDs[(part.B+j)*6:(part.B+j+1)*6]))
			}
		}
		if len(ids) != 7 || size != (7+n-1)/n {
			t.Fatalf("%d devices: %d pairs, %d each", n, len(ids), size)
		}
		for j, got := range ids {
			if want := fmt.Sprint(b.IDs[j*6:(j+1)*6], b.IDs[(7+j)*6:(7+j+1)*6]); got != want {
				t.Errorf("%d devices, pair %d: %s, want %s", n, j, got, want)
			}
		}
	}
}

// TestPlanOfSeveralGPUs: each has the weights and its part of the pairs.
func TestPlanOfSeveralGPUs(t *testing.T) {
	backend := severalDevices(t)
	m := smallModel(t)
	config := Default()
	config.BatchSize = 6
	run := Run{Model: m, Backend: backend, BackendName: "cuda", Config: config, Order: batches.Order{BatchSize: 6}}
	one := run.onDevice(16, false)
	if err := m.UseDevices(backend, 4); err != nil {
		t.Fatal(err)
	}
	if part := run.onDevice(16, false); one.Rows != 12 || part.Rows != 4 || part.Tokens != 16 {
		t.Errorf("%d rows on one GPU, %d on each of four, want 12 and 4", one.Rows, part.Rows)
	}
	if part := run.onDevice(16, true); part.Rows != 2 {
		t.Errorf("%d rows of a pair on each of four, want 2", part.Rows)
	}
	run.BackendName = "cpu" // whose devices share the machine's memory
	if all := run.onDevice(16, false); all.Rows != 12 {
		t.Errorf("%d rows on the CPU, want 12", all.Rows)
	}
}
