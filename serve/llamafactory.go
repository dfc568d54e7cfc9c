package serve

// llamaFactory answers POST /v1/score/evaluation as LLaMA-Factory's API does
// (src/llamafactory/api, create_score_evaluation_response). messages are whole texts
// that its template has rendered (batch_decode with special tokens), and get no more.
// Its PPO client names the model "model", whatever it is.
func llamaFactory(r *request) (any, error) {
	name, err := r.fields.text("model")
	if err != nil {
		return nil, err
	}
	if !r.fields.has("messages") {
		return nil, bad("messages", "messages is missing")
	}
	texts, err := textList(r.fields["messages"], "messages")
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, bad("messages", "Invalid request")
	}
	length, err := r.fields.integer("max_length")
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
	if length != nil {
		if c.length = *length; c.length < 1 {
			return nil, bad("max_length", "max_length is %d, want at least 1", c.length)
		}
	}
	result, err := r.score(m, view, "messages", textInputs(texts, m.bare()), c)
	if err != nil {
		return nil, err
	}
	return struct {
		ID     string    `json:"id"`
		Object string    `json:"object"`
		Model  string    `json:"model"`
		Scores []float32 `json:"scores"`
	}{newID("scoreval-"), "score.evaluation", name, result.rewards()}, nil
}
