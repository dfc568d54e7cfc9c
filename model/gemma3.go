package model

import "encoding/json"

// parseGemma3 reads Gemma3TextConfig (transformers, models/gemma3/; Gemma
// Team 2025, arXiv:2503.19786): Gemma 2 with normed queries and keys instead
// of capped scores, and a rotary embedding of its own for windowed layers.
func parseGemma3(r *configReader) family {
	d := parseGemma(r, "Gemma3TextForSequenceClassification")
	d.vocabSize = r.positive("vocab_size", 262208)
	d.queryNorm = true
	r.ignore("attn_logit_softcapping") // transformers' Gemma 3 does not apply it
	positions := r.positive("max_position_embeddings", 131072)
	full, local := r.ropePair(ropeShape{headDim: d.headDim, positions: positions}, "rope_theta", 1e6, "rope_local_base_freq", 1e4)
	window := r.window("sliding_window", 4096)
	pattern := r.positive("sliding_window_pattern", 6)
	r.ignore("_sliding_window_pattern")
	for _, sliding := range r.layerTypes(d.layers, func(i int) bool { return (i+1)%pattern != 0 }) {
		layer := decoderLayer{rope: full}
		if sliding {
			layer = decoderLayer{rope: local, window: window}
		}
		d.perLayer = append(d.perLayer, layer)
	}
	return d
}

// ropePair reads the rotary embeddings of full and of sliding layers:
// nested in rope_parameters (transformers 5), or by two keys for theta, with
// rope_scaling for the full layers alone (transformers 4).
func (r *configReader) ropePair(s ropeShape, fullKey string, fullTheta float64, localKey string, localTheta float64) (full, local *rope) {
	fullShape, localShape := s, s
	fullShape.theta, localShape.theta = r.number(fullKey, fullTheta), r.number(localKey, localTheta)
	var nested map[string]json.RawMessage
	r.into("rope_parameters", &nested)
	fullRaw := nested["full_attention"]
	var scaling json.RawMessage
	if r.into("rope_scaling", &scaling) && string(scaling) != "{}" {
		fullRaw = scaling
	}
	for key := range nested {
		if key != "full_attention" && key != "sliding_attention" {
			r.refuse("rope_parameters", "has the key "+key+"; supported: full_attention, sliding_attention, each with parameters of its own")
		}
	}
	return r.ropeFrom("rope_parameters.full_attention", fullRaw, fullShape), r.ropeFrom("rope_parameters.sliding_attention", nested["sliding_attention"], localShape)
}
