package verify

import (
	"encoding/json"
	"fmt"

	"laurel/data/tokenizer"
	"laurel/scoring"
)

// dialect is one way in which servers are asked for rewards (docs/serve.md).
type dialect struct {
	name, path string
	bare       bool // texts come with their special tokens, and get no more
	specials   bool // requests have add_special_tokens
	chat       bool // takes messages
	lengths    bool // requests say how texts are cut
	sides      bool // asks for prompt and response apart
	body       func(q question) map[string]any
	read       func(raw []byte) ([][]float64, error) // the numbers of each text
}

// question is what a request asks for.
type question struct {
	model   string
	replays []replay
	golden  *scoring.Golden
}

func (q question) texts() []string {
	texts := make([]string, len(q.replays))
	for i, r := range q.replays {
		texts[i] = r.text
	}
	return texts
}

// cut says how long texts are cut. Of truncation_side vLLM's own is right
// (vllm/tokenizers/registry.py, 0.32): there it keeps special tokens, but not where a
// request has truncation_side.
func (q question) cut(body map[string]any) map[string]any {
	body["truncate_prompt_tokens"] = q.golden.MaxLength
	if q.golden.TruncationSide == tokenizer.Left.String() {
		body["truncation_side"] = q.golden.TruncationSide
	}
	return body
}

var dialects = []dialect{
	{name: "openrlhf", path: "/get_reward", bare: true, body: openRLHFBody, read: listOf("rewards")},
	{name: "vllm-classify", path: "/classify", specials: true, chat: true, lengths: true, body: vllmBody, read: dataOf("probs")},
	{name: "vllm-score", path: "/score", lengths: true, sides: true, body: scoreBody, read: dataOf("score")},
	{name: "vllm-pooling", path: "/pooling", specials: true, chat: true, lengths: true, body: poolingBody, read: dataOf("data")},
	{name: "sglang", path: "/classify", body: sglangBody, read: rowsOf("embedding")},
	{name: "verl", path: "/v1/embeddings", body: verlBody, read: dataOf("embedding")},
	{name: "tei", path: "/predict", body: teiBody, read: teiScores},
	{name: "llamafactory", path: "/v1/score/evaluation", bare: true, lengths: true, body: llamaFactoryBody, read: listOf("scores")},
}

// DialectNames are those that Target.Dialects may hold.
func DialectNames() []string {
	var names []string
	for _, d := range dialects {
		names = append(names, d.name)
	}
	return names
}

func openRLHFBody(q question) map[string]any {
	return map[string]any{"query": q.texts(), "prompts": q.texts(), "labels": make([]any, len(q.replays))}
}

// vllmBody asks as vLLM's clients do, without use_activation: whether the server puts a
// sigmoid on a reward where nobody says is part of what is verified.
func vllmBody(q question) map[string]any {
	body := q.cut(map[string]any{"model": q.model})
	first := q.replays[0]
	if first.messages != nil {
		body["messages"] = first.messages
	} else {
		body["input"] = q.texts()
	}
	if first.specials != nil {
		body["add_special_tokens"] = *first.specials
	}
	return body
}

func poolingBody(q question) map[string]any {
	body := vllmBody(q)
	body["task"], body["encoding_format"] = "classify", "float"
	return body
}

func scoreBody(q question) map[string]any {
	var prompts, responses []string
	for _, r := range q.replays {
		prompts, responses = append(prompts, r.pair[0]), append(responses, r.pair[1])
	}
	return q.cut(map[string]any{"model": q.model, "text_1": prompts, "text_2": responses})
}

func sglangBody(q question) map[string]any {
	return map[string]any{"model": q.model, "text": q.texts()}
}

func verlBody(q question) map[string]any {
	return map[string]any{"model": q.model, "input": q.texts()}
}

func teiBody(q question) map[string]any {
	inputs := [][]string{}
	for _, text := range q.texts() {
		inputs = append(inputs, []string{text})
	}
	direction := map[string]string{"left": "Left", "right": "Right"}[q.golden.TruncationSide]
	return map[string]any{"inputs": inputs, "raw_scores": true, "truncate": true, "truncation_direction": direction}
}

func llamaFactoryBody(q question) map[string]any {
	return map[string]any{"model": q.model, "messages": q.texts(), "max_length": q.golden.MaxLength}
}

// listOf reads {"key": [number, …]}.
func listOf(key string) func([]byte) ([][]float64, error) {
	return func(raw []byte) ([][]float64, error) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, err
		}
		var list []json.RawMessage
		if err := json.Unmarshal(object[key], &list); err != nil {
			return nil, fmt.Errorf("%s is no list: %w", key, err)
		}
		return numbersOf(list, key)
	}
}

// rowsOf reads [{"key": number or [number, …]}, …].
func rowsOf(key string) func([]byte) ([][]float64, error) {
	return func(raw []byte) ([][]float64, error) {
		var rows []map[string]json.RawMessage
		if err := json.Unmarshal(raw, &rows); err != nil {
			return nil, err
		}
		values := make([]json.RawMessage, len(rows))
		for i, row := range rows {
			values[i] = row[key]
		}
		return numbersOf(values, key)
	}
}

// dataOf reads {"data": [{"key": number or [number, …]}, …]}.
func dataOf(key string) func([]byte) ([][]float64, error) {
	return func(raw []byte) ([][]float64, error) {
		var answer struct {
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			return nil, err
		}
		if answer.Data == nil {
			return nil, fmt.Errorf("the answer has no data")
		}
		return rowsOf(key)(answer.Data)
	}
}

func teiScores(raw []byte) ([][]float64, error) {
	var texts [][]struct {
		Score *float64 `json:"score"`
	}
	if err := json.Unmarshal(raw, &texts); err != nil {
		return nil, err
	}
	all := make([][]float64, len(texts))
	for i, labels := range texts {
		for _, label := range labels {
			if label.Score == nil {
				return nil, fmt.Errorf("text %d has no score", i)
			}
			all[i] = append(all[i], *label.Score)
		}
	}
	return all, nil
}

// numbersOf reads values that are a number or a list of numbers each.
func numbersOf(values []json.RawMessage, key string) ([][]float64, error) {
	all := make([][]float64, len(values))
	for i, raw := range values {
		var one *float64
		if json.Unmarshal(raw, &one) == nil && one != nil {
			all[i] = []float64{*one}
			continue
		}
		var list []*float64
		if err := json.Unmarshal(raw, &list); err != nil || list == nil {
			return nil, fmt.Errorf("%s of text %d is %s, want a number or a list of numbers", key, i, clip(string(raw)))
		}
		for _, value := range list {
			if value == nil {
				return nil, fmt.Errorf("%s of text %d holds null, as a reward that is no number does", key, i)
			}
			all[i] = append(all[i], *value)
		}
	}
	return all, nil
}
