package model

// parseGemma3 reads Gemma3TextConfig (transformers, models/gemma3/; Gemma
// Team 2025, arXiv:2503.19786): Gemma 2 with normed queries and keys instead
// of capped scores, and a rotary embedding of its own for windowed layers.
func parseGemma3(r *configReader) family {
	d := parseGemma(r, "Gemma3TextForSequenceClassification")
	d.vocabSize = r.positive("vocab_size", 262208)
	d.queryNorm = true
	r.ignore("attn_logit_softcapping") // transformers' Gemma 3 does not apply it
	positions := r.positive("max_position_embeddings", 131072)
	full, local := r.ropePair(ropeShape{headDim: d.headDim, positions: positions},
		ropeSpelling{fullKey: "rope_theta", fullTheta: 1e6, localKey: "rope_local_base_freq", localTheta: 1e4})
	window := r.window("sliding_window", 4096)
	pattern := r.positive("sliding_window_pattern", 6)
	r.ignore("_sliding_window_pattern")
	for _, sliding := range r.layerTypes(d.layers, window, func(i int) bool { return (i+1)%pattern != 0 }) {
		layer := decoderLayer{rope: full}
		if sliding {
			layer = decoderLayer{rope: local, window: window}
		}
		d.perLayer = append(d.perLayer, layer)
	}
	return d
}
