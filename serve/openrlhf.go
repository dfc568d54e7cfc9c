package serve

// openRLHF answers POST /get_reward as openrlhf/cli/serve_rm.py does. Texts are the
// policy's prompt and response decoded with their special tokens, and get no more
// (add_special_tokens=False). prompts and labels, which its clients send along, are
// for reward functions. An empty list of queries is a check of the connection.
func openRLHF(r *request) (any, error) {
	texts, _, err := r.fields.texts("query")
	if err != nil {
		return nil, err
	}
	type answer struct {
		Rewards []float32            `json:"rewards"`
		Scores  []float32            `json:"scores"`
		Extra   map[string][]float32 `json:"extra_logs"`
	}
	if len(texts) == 0 {
		return answer{[]float32{}, []float32{}, map[string][]float32{}}, nil
	}
	m, view, err := r.model("", false)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	c, err := r.cutting(m)
	if err != nil {
		return nil, err
	}
	result, err := r.score(m, view, "query", textInputs(texts, m.bare()), c)
	if err != nil {
		return nil, err
	}
	rewards := result.rewards()
	extra := map[string][]float32{"dummy_scores": rewards}
	if result.many {
		for i := range result.scores {
			extra["reward_std"] = append(extra["reward_std"], result.scores[i].Std)
			extra["reward_lower"] = append(extra["reward_lower"], result.scores[i].Lower)
		}
	}
	return answer{rewards, rewards, extra}, nil
}

// textInputs are inputs of whole texts.
func textInputs(texts []string, bare bool) []input {
	inputs := make([]input, len(texts))
	for i, text := range texts {
		inputs[i] = input{text: text, bare: bare}
	}
	return inputs
}

// model is the one that the URL names, else the body. It is released by Done of its
// users. anyName as in find.
func (r *request) model(inBody string, anyName bool) (m *served, view string, err error) {
	switch inURL := r.http.URL.Query()["model"]; {
	case len(inURL) == 0:
		return r.server.find(inBody, anyName)
	case len(inURL) > 1:
		return nil, "", bad("model", "the URL has model=… %d times, want it once", len(inURL))
	case inURL[0] == "":
		return nil, "", bad("model", "the URL has model= without a name: GET /v1/models lists those that there are")
	default:
		return r.server.find(inURL[0], false)
	}
}
