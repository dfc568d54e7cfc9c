package model

// parseLlama reads LlamaConfig (transformers, models/llama/).
func parseLlama(r *configReader) family {
	d := parseDecoder(r, "LlamaForSequenceClassification")
	d.heads(r, 0, 0)
	d.hiddenActivation = r.activation("hidden_act", "silu")
	d.queryBias = r.flag("attention_bias", false)
	d.outputBias = d.queryBias
	d.mlpBias = r.flag("mlp_bias", false)
	positions := r.positive("max_position_embeddings", 2048)
	d.allLayers(0, r.rope(ropeShape{headDim: d.headDim, positions: positions, theta: 10000}))
	r.ignore("pretraining_tp") // splits products without changing them
	return d
}
