package trainer

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"laurel/model"
)

// TestFLOPsByHand: one block, D = 2, one head, a linear layer of 10 values.
func TestFLOPsByHand(t *testing.T) {
	s := model.Size{Linear: 10, TrainedLinear: 10, Blocks: 1, Heads: 1, HeadDim: 2}
	b := BatchShape{Rows: 3, Tokens: 4}
	// 12 tokens: products 12·20 = 240, attention 12·4·4·2 = 384.
	// Forward 624; backward 624 + 240 + 384.
	if got := FLOPs(s, b); got != 1872 {
		t.Errorf("%v operations, want 1872", got)
	}
	b.Checkpointed = true
	if got := FLOPs(s, b); got != 1872+624 {
		t.Errorf("checkpointed: %v operations, want 2496", got)
	}
	s.TrainedLinear = 0 // frozen: no gradient of the layer
	b.Checkpointed = false
	if got := FLOPs(s, b); got != 1872-240 {
		t.Errorf("frozen: %v operations, want 1632", got)
	}
}

// TestPeakMemoryByHand: the parts of a small model.
func TestPeakMemoryByHand(t *testing.T) {
	s := model.Size{Parameters: 100, Trainable: 50, Blocks: 2, Hidden: 3, Heads: 2, Intermediate: 5}
	m := PeakMemory(s, BatchShape{Rows: 2, Tokens: 10, ValueBytes: 4})
	// A block: 20·(60 + 40) + 5.8·2·2·100 = 2000 + 2320 = 4320 values.
	if m.Weights != 800 || m.Optimiser != 600 || m.Activations != 4*2*4320 {
		t.Errorf("%+v", m)
	}
	frozen := s
	frozen.Linear = 1
	if m := PeakMemory(frozen, BatchShape{Rows: 2, Tokens: 10, ValueBytes: 4}); m.Activations != 4*2*3320 {
		t.Errorf("frozen: %+v", m)
	}
	m = PeakMemory(s, BatchShape{Rows: 2, Tokens: 10, ValueBytes: 4, Checkpointed: true})
	if want := 4 * (4320 + 2*2*20*3.0); m.Activations != want { // one block, and two inputs of each
		t.Errorf("checkpointed: %v bytes, want %v", m.Activations, want)
	}
	s.Half = 60
	for b, want := range map[BatchShape]float64{{ValueBytes: 4}: 8*40 + 8.5*60, {ValueBytes: 4, Checkpointed: true}: 8*40 + 6.4*60, {ValueBytes: 2}: 4*40 + 2*60} {
		if m := PeakMemory(s, b); m.Weights != want {
			t.Errorf("a base in bfloat16, %+v: %v bytes of weights, want %v", b, m.Weights, want)
		}
	}
}

// TestCUDAMemoryByHand: the parts of a small model. Of a token a block keeps
// 8·4 bytes of sums, 2·(18 + 30 - 8 + 5) of values: 122, with an adapter 1.5·7
// more; a query and head 4 bytes a score, 6 in a band. A last block of which one
// token is asked for keeps 14·4.
func TestCUDAMemoryByHand(t *testing.T) {
	s := model.Size{Parameters: 100, Trainable: 50, Linear: 60, TrainedLinear: 40, Blocks: 3, Hidden: 4, Heads: 2,
		Inputs: 18, Outputs: 30, Normed: 5, Activated: 7}
	b := BatchShape{Rows: 2, Tokens: 10, ValueBytes: 2, Scores: 20 + 6, BlockScores: 10, Banded: 6}
	for name, c := range map[string]struct {
		adapter      int
		checkpointed bool
		last         bool
		want         float64
	}{
		"whole":        {0, false, false, 20*(3*122+2*(4*26+2*6)) + 3*20},
		"adapter":      {9, false, false, 20*(3*(122+10.5)+2*(4*26+2*6)) + 3*20},
		"last for one": {0, false, true, 20*(2*122+56+2*(4*26+2*6)) + 3*20},
		"checkpointed": {0, true, true, 20*(122+2*(4*10+2*6)+3*16) + 3*20},
	} {
		s.AdapterOutputs, b.Checkpointed, s.LastForOne = c.adapter, c.checkpointed, c.last
		if m := PeakMemory(s, b); m.Weights != 400 || m.Optimiser != 600 || m.Activations != c.want {
			t.Errorf("%s: %+v, want activations %v", name, m, c.want)
		}
	}
}

// TestCUDAMemory holds the prediction to what XLA's compiler needs for an H200:
// figures of make gpu-check, of all shapes that it compiles.
func TestCUDAMemory(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "cuda_memory.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Shape string
		LoRA  bool
		Size  model.Size
		Batch BatchShape
		Bytes float64 // of forward and backward, and the moments that lie there meanwhile
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 4 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		m := PeakMemory(c.Size, c.Batch)
		if ratio := (m.Total() - m.Process) / c.Bytes; math.Abs(ratio-1) > 0.15 {
			t.Errorf("%s, %d tokens, LoRA %v: %.2f of the compiler's %.2f GB", c.Shape, c.Batch.Tokens, c.LoRA, ratio, c.Bytes/1e9)
		}
	}
}
