package serve

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// scoreKeys are the names that vLLM's score requests have for the two sides
// (entrypoints/pooling/scoring/protocol.py).
var scoreKeys = [][2]string{{"queries", "documents"}, {"queries", "items"}, {"data_1", "data_2"}, {"text_1", "text_2"}}

// vllmScore answers POST /score: the reward of each text of the second side as a
// response to its prompt in the first, or to the one prompt there.
func vllmScore(r *request) (any, error) {
	prompts, responses, param, err := r.sides()
	if err != nil {
		return nil, err
	}
	q, err := r.pairs(param, prompts, responses)
	if err != nil {
		return nil, err
	}
	type score struct {
		Index  int    `json:"index"`
		Object string `json:"object"`
		Score  any    `json:"score"`
		spread
	}
	scores := make([]score, len(q.scores))
	for i := range scores {
		scores[i] = score{i, "score", q.number(i, q.sigmoid), q.spread(i)}
	}
	return struct {
		ID      string  `json:"id"`
		Object  string  `json:"object"`
		Created int64   `json:"created"`
		Model   string  `json:"model"`
		Data    []score `json:"data"`
		Usage   usage   `json:"usage"`
	}{newID("score-"), "list", time.Now().Unix(), q.model, scores, usageOf(q.tokens)}, nil
}

// sides are the prompts and responses, and the key of these.
func (r *request) sides() (prompts, responses []string, param string, err error) {
	for _, keys := range scoreKeys {
		if !r.fields.has(keys[0]) || !r.fields.has(keys[1]) {
			continue
		}
		if prompts, _, err = r.fields.texts(keys[0]); err != nil {
			return nil, nil, "", err
		}
		responses, _, err = r.fields.texts(keys[1])
		return prompts, responses, keys[1], err
	}
	return nil, nil, "", bad("", "two sides are missing: text_1 and text_2, queries and documents (or items), or data_1 and data_2")
}

// pairs scores responses to prompts.
func (r *request) pairs(param string, prompts, responses []string) (*pooled, error) {
	switch {
	case len(responses) == 0 || len(prompts) == 0:
		return nil, bad(param, "%s: at least one text is wanted on each side", param)
	case len(prompts) != 1 && len(prompts) != len(responses):
		return nil, bad(param, "%d prompts and %d responses: want one prompt, or as many as responses", len(prompts), len(responses))
	}
	inputs := make([]input, len(responses))
	for i, response := range responses {
		inputs[i] = input{text: prompts[min(i, len(prompts)-1)], response: response, pair: true}
	}
	name, err := r.fields.text("model")
	if err != nil {
		return nil, err
	}
	sigmoid, err := r.sigmoid()
	if err != nil {
		return nil, err
	}
	return r.vllmScores(name, false, sigmoid, param, inputs)
}

// vllmRerank answers POST /rerank, in vLLM's words, which are Jina's and Cohere's:
// the responses by their rewards, the best first.
func vllmRerank(r *request) (any, error) {
	if !r.fields.has("query") {
		return nil, bad("query", "query is missing")
	}
	query, err := r.fields.text("query")
	if err != nil {
		return nil, err
	}
	documents, err := r.documents()
	if err != nil {
		return nil, err
	}
	top, err := r.fields.integer("top_n")
	if err != nil {
		return nil, err
	}
	if top != nil && *top < 0 {
		return nil, bad("top_n", "top_n is %d, want 0 (all) or more", *top)
	}
	q, err := r.pairs("documents", []string{query}, documents)
	if err != nil {
		return nil, err
	}
	return r.ranked(q, documents, top), nil
}

// documents are texts, or objects with a text.
func (r *request) documents() ([]string, error) {
	var objects []struct {
		Text *string `json:"text"`
	}
	if bytes.Contains(r.fields["documents"], []byte("{")) && json.Unmarshal(r.fields["documents"], &objects) == nil {
		texts := make([]string, len(objects))
		for i, object := range objects {
			if object.Text == nil {
				return nil, bad("documents", "documents[%d] has no text", i)
			}
			texts[i] = *object.Text
		}
		return texts, nil
	}
	texts, _, err := r.fields.texts("documents")
	return texts, err
}

func (r *request) ranked(q *pooled, documents []string, top *int) any {
	type document struct {
		Text string `json:"text"`
	}
	type rank struct {
		Index    int      `json:"index"`
		Document document `json:"document"`
		Score    any      `json:"relevance_score"`
		spread
	}
	ranks := make([]rank, len(documents))
	for i, text := range documents {
		ranks[i] = rank{i, document{text}, q.number(i, q.sigmoid), q.spread(i)}
	}
	slices.SortStableFunc(ranks, func(a, b rank) int { return cmp.Compare(q.reward(b.Index), q.reward(a.Index)) })
	if top != nil && *top > 0 {
		ranks = ranks[:min(*top, len(ranks))]
	}
	type tokens struct {
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	}
	return struct {
		ID      string `json:"id"`
		Model   string `json:"model"`
		Usage   tokens `json:"usage"`
		Results []rank `json:"results"`
	}{newID("rerank-"), q.model, tokens{q.tokens, q.tokens}, ranks}
}
