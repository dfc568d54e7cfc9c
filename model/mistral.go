package model

// parseMistral reads MistralConfig (transformers, models/mistral/): Llama
// with a sliding window over every layer.
func parseMistral(r *configReader) family {
	d := parseDecoder(r, "MistralForSequenceClassification")
	d.intermediateSize = r.positive("intermediate_size", 14336)
	d.heads(r, min(8, d.numHeads), 0)
	d.hiddenActivation = r.activation("hidden_act", "silu")
	positions := r.positive("max_position_embeddings", 4096*32)
	window := r.window("sliding_window", 4096)
	d.allLayers(window, r.rope(ropeShape{headDim: d.headDim, positions: positions, theta: 10000}))
	return d
}
