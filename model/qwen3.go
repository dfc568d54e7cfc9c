package model

// parseQwen3 reads Qwen3Config (transformers, models/qwen3/): Qwen 2 with
// normed queries and keys, and biases only where the config asks for them.
func parseQwen3(r *configReader) family {
	d := parseDecoder(r, "Qwen3ForSequenceClassification")
	d.heads(r, min(32, d.numHeads), 128)
	d.queryNorm = true
	d.queryBias = r.flag("attention_bias", false)
	d.outputBias = d.queryBias
	parseQwen(r, d)
	return d
}
