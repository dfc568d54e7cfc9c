package serve

import (
	"time"
)

// sglangClassify answers POST /classify as SGLang does: text is a text or a list, or
// input_ids ids, and the answer an object or a list.
func sglangClassify(r *request) (any, error) {
	began := time.Now()
	key := r.fields.first("text", "input_ids")
	inputs, one, err := textsOf(r.fields, "text", false)
	if key == "input_ids" {
		inputs, one, err = idsOf(r.fields, key)
	}
	if err != nil {
		return nil, err
	}
	name, err := r.fields.text("model")
	if err != nil {
		return nil, err
	}
	m, view, err := r.model(name, true)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	c, err := r.cutting(m)
	if err != nil {
		return nil, err
	}
	result, err := r.score(m, view, key, inputs, c)
	if err != nil {
		return nil, err
	}
	type finish struct {
		Type   string `json:"type"`
		Length int    `json:"length"`
	}
	type meta struct {
		ID           string  `json:"id"`
		FinishReason finish  `json:"finish_reason"`
		PromptTokens int     `json:"prompt_tokens"`
		Latency      float64 `json:"e2e_latency"`
	}
	type vector struct {
		Embedding []float32 `json:"embedding"`
		Meta      meta      `json:"meta_info"`
		spread
	}
	vectors, took := make([]vector, len(inputs)), time.Since(began).Seconds()
	for i := range vectors {
		vectors[i] = vector{[]float32{result.reward(i)}, meta{newID(""), finish{"length", 0}, result.scores[i].Tokens, took}, result.spread(i)}
	}
	if one {
		return vectors[0], nil
	}
	return vectors, nil
}

// embeddings answers POST /v1/embeddings as SGLang does for a reward model, and as
// verl reads it (verl/experimental/reward_loop): the embedding is the one reward.
// Clients name the model as they like.
func embeddings(r *request) (any, error) {
	vector, err := r.vector()
	if err != nil {
		return nil, err
	}
	q, err := r.pooled(true)
	if err != nil {
		return nil, err
	}
	type embedding struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
		spread
	}
	vectors := make([]embedding, len(q.scores))
	for i := range vectors {
		vectors[i] = embedding{"embedding", i, vector(q.number(i, q.sigmoid)), q.spread(i)}
	}
	return struct {
		Object string      `json:"object"`
		Data   []embedding `json:"data"`
		Model  string      `json:"model"`
		Usage  usage       `json:"usage"`
	}{"list", vectors, q.model, usageOf(q.tokens)}, nil
}
