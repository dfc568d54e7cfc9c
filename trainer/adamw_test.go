package trainer

import (
	"math"
	"testing"
)

func TestDecayGroups(t *testing.T) {
	for name, want := range map[string]bool{
		"bert.embeddings.word_embeddings.weight": true,
		"bert.embeddings.LayerNorm.weight":       false,
		"bert.embeddings.LayerNorm.bias":         false,
		"bert.encoder.layer.0.output.dense.bias": false,
		"classifier.weight":                      true,
		"model.layers.0.input_layernorm.weight":  false,
		"model.norm.weight":                      false,
		"model.layers.0.self_attn.q_norm.weight": false,
		"model.layers.0.self_attn.q_proj.weight": true,
	} {
		if decays(name) != want {
			t.Errorf("decays(%s) = %v", name, !want)
		}
	}
}

// TestAdamWByHand makes two updates of one weight with numbers done by hand.
func TestAdamWByHand(t *testing.T) {
	o := adamW{beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, layerDecay: 0.5}
	check := func(what string, got []float32, want ...float64) {
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > 1e-7 {
				t.Errorf("%s, step size %d: %v, want %v", what, i, got[i], w)
			}
		}
	}
	sizes := o.stepSizes(0.01, 1, 2)
	check("top", sizes[2], 0.999, 0.1, 0.1)        // 1 − 0.01·0.1; 0.01/(1−0.9); √(1−0.99)
	check("bottom", sizes[0], 0.99975, 0.025, 0.1) // two layers down: a quarter of the rate
	check("second update", o.stepSizes(0.01, 2, 2)[2], 0.999, 0.01/0.19, math.Sqrt(1-0.9801))
}
