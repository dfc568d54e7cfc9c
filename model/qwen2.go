package model

// parseQwen2 reads Qwen2Config (transformers, models/qwen2/): Llama with
// biases on queries, keys and values, and windows on some layers.
func parseQwen2(r *configReader) family {
	d := parseDecoder(r, "Qwen2ForSequenceClassification")
	d.heads(r, min(32, d.numHeads), 0)
	d.queryBias = true
	parseQwen(r, d)
	return d
}

// parseQwen reads what Qwen 2 and 3 have in common.
func parseQwen(r *configReader, d *decoder) {
	d.vocabSize = r.positive("vocab_size", 151936)
	d.intermediateSize = r.positive("intermediate_size", 22016)
	d.hiddenActivation = r.activation("hidden_act", "silu")
	positions := r.positive("max_position_embeddings", 32768)
	turn := r.rope(ropeShape{headDim: d.headDim, positions: positions, theta: 10000})
	window := r.window("sliding_window", 4096)
	if !r.flag("use_sliding_window", false) {
		window = 0
	}
	full := r.integer("max_window_layers", 28)
	kinds := r.layerTypes(d.layers, window, func(i int) bool { return window > 0 && i >= full })
	for _, sliding := range kinds {
		layer := decoderLayer{rope: turn}
		if sliding {
			layer.window = window
		}
		d.perLayer = append(d.perLayer, layer)
	}
}
