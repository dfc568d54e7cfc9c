package trainer

import (
	"math"
	"testing"

	"laurel/data/batches"
	"laurel/model"
)

// TestGradientCheckpointing: computing blocks again changes no loss and no
// gradient beyond rounding, with dropout on, for an encoder and a decoder. XLA
// fuses the blocks in other ways when it computes them again: 1.3e-6 of the loss
// on one kind of CPU.
func TestGradientCheckpointing(t *testing.T) {
	for backendName, backend := range trainBackends(t) {
		for _, family := range []string{"bert", "llama"} {
			var norms, losses []float64
			for _, checkpointing := range []bool{false, true} {
				m, err := model.Load(golden(t, family), 0)
				if err != nil {
					t.Fatal(err)
				}
				config := Default()
				config.Dropout, config.GradientCheckpointing = 0.2, checkpointing
				s, err := newStepper(backend, m, config)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 2 {
					r, err := s.run([]*batches.Batch{randomBatch(2, 12, 900)}, i, i+1, 1e-3)
					if err != nil {
						t.Fatal(err)
					}
					norms, losses = append(norms, r.GradNorm), append(losses, r.Loss)
				}
			}
			for i := range 2 {
				if math.Abs(losses[i]-losses[i+2]) > 3e-6*losses[i] || math.Abs(norms[i]-norms[i+2]) > 1e-5*norms[i] {
					t.Errorf("%s on %s, step %d: loss %v and %v, gradient norm %v and %v", family, backendName, i, losses[i], losses[i+2], norms[i], norms[i+2])
				}
			}
		}
	}
}

// TestBFloat16: products in bfloat16 follow the float32 loss curve, on XLA where
// it is there: the Go backend's (compute v0.1.2) are far off on some CPUs.
func TestBFloat16(t *testing.T) {
	backend, ok := trainBackends(t)["cpu"]
	if !ok {
		t.Skip("no XLA plugin for the CPU: bfloat16 is not tried on the Go backend")
	}
	curves := map[string][]float64{}
	for _, name := range []string{"float32", "bfloat16"} {
		m, err := model.Load(golden(t, "bert"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if m.Compute, err = model.ParseDType(name); err != nil {
			t.Fatal(err)
		}
		config := Default()
		config.Dropout = 0
		s, err := newStepper(backend, m, config)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			r, err := s.run([]*batches.Batch{randomBatch(4, 16, 900)}, i, i+1, 1e-4)
			if err != nil {
				t.Fatal(err)
			}
			curves[name] = append(curves[name], r.Loss)
		}
	}
	worst, same := 0.0, true
	for i, full := range curves["float32"] {
		worst = max(worst, math.Abs(curves["bfloat16"][i]-full)/full)
		same = same && curves["bfloat16"][i] == full
	}
	t.Logf("largest relative difference of 20 losses: %.2g", worst)
	if worst > 0.02 || same {
		t.Errorf("losses %v in float32, %v in bfloat16", curves["float32"], curves["bfloat16"])
	}
}
