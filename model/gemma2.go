package model

import "math"

// parseGemma2 reads Gemma2Config (transformers, models/gemma2/; Gemma Team
// 2024, arXiv:2408.00118): norms on both sides with gain 1 + weight, scaled
// embeddings, capped scores, a window on every other layer.
func parseGemma2(r *configReader) family {
	d := parseGemma(r, "Gemma2ForSequenceClassification")
	d.vocabSize = r.positive("vocab_size", 256000)
	d.scoreSoftcap = r.number("attn_logit_softcapping", 50)
	if r.null("attn_logit_softcapping") {
		d.scoreSoftcap = 0
	}
	positions := r.positive("max_position_embeddings", 8192)
	turn := r.rope(ropeShape{headDim: d.headDim, positions: positions, theta: 10000})
	window := r.window("sliding_window", 4096)
	for _, sliding := range r.layerTypes(d.layers, window, func(i int) bool { return i%2 == 0 }) {
		layer := decoderLayer{rope: turn}
		if sliding {
			layer.window = window
		}
		d.perLayer = append(d.perLayer, layer)
	}
	return d
}

// parseGemma reads what Gemma 2 and 3 have in common.
func parseGemma(r *configReader, class string) *decoder {
	d := parseDecoder(r, class)
	r.padToken(0)
	d.hiddenSize = r.positive("hidden_size", 2304)
	d.layers = r.positive("num_hidden_layers", 26)
	d.numHeads = r.positive("num_attention_heads", 8)
	d.intermediateSize = r.positive("intermediate_size", 9216)
	d.heads(r, min(4, d.numHeads), 256)
	d.hiddenActivation = r.activation("hidden_activation", "gelu_pytorch_tanh")
	d.queryBias = r.flag("attention_bias", false)
	d.outputBias = d.queryBias
	d.sandwich, d.normOffset = true, 1
	d.embedScale = math.Sqrt(float64(d.hiddenSize))
	d.scoreScale = 1 / math.Sqrt(float64(r.positive("query_pre_attn_scalar", 256)))
	r.must("use_bidirectional_attention", "false")
	r.ignore("final_logit_softcapping") // of the language model's head
	r.ignore("hidden_act")              // superseded by hidden_activation
	return d
}
