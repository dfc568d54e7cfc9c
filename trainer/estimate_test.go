package trainer

import (
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
	// A block: 20·(30 + 20) + 5.8·2·2·100 = 1000 + 2320 = 3320 values.
	if m.Weights != 800 || m.Optimiser != 1600 || m.Activations != 4*2*3320 {
		t.Errorf("%+v", m)
	}
	m = PeakMemory(s, BatchShape{Rows: 2, Tokens: 10, ValueBytes: 2, Checkpointed: true})
	if want := 2 * (3320 + 2*2*20*3.0); m.Activations != want { // one block, and two inputs of each
		t.Errorf("checkpointed: %v bytes, want %v", m.Activations, want)
	}
}
