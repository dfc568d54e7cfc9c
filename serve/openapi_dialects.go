package serve

// documented are the dialects as the OpenAPI document has them.
func documented() []described {
	texts := anyOf(text(), list(text(), 1))
	pooled := pooledRequest()
	tei := object([]string{"error", "error_type"}, "error", schema{"type": "string"}, "error_type", schema{"type": "string"})
	return []described{
		{paths: []string{"/get_reward"}, summary: "OpenRLHF's reward server", failure: openAIFailure(),
			request: object([]string{"query"}, "query", anyOf(text(), list(text(), 0)), "prompts", schema{}, "labels", schema{}),
			answer:  object([]string{"rewards", "scores", "extra_logs"}, "rewards", list(number(), 0), "scores", list(number(), 0), "extra_logs", object(nil))},
		{paths: []string{"/classify", "/v1/classify"}, summary: "vLLM's /classify (input or messages), or SGLang's (text)", failure: openAIFailure(),
			request: anyOf(pooled, object([]string{"text"}, "text", texts), object([]string{"input_ids"}, "input_ids", ids())),
			answer:  anyOf(listOf("data", object([]string{"index", "label", "probs", "num_classes"}, "index", integer(), "label", text(), "probs", list(number(), 1), "num_classes", integer())), sglang(), list(sglang(), 1))},
		{paths: []string{"/score", "/v1/score"}, summary: "vLLM's /score: rewards of responses to prompts", failure: openAIFailure(),
			request: anyOf(sides("text_1", "text_2"), sides("queries", "documents"), sides("queries", "items"), sides("data_1", "data_2")),
			answer:  listOf("data", object([]string{"index", "object", "score"}, "index", integer(), "object", text(), "score", number()))},
		{paths: []string{"/rerank", "/v1/rerank", "/v2/rerank"}, summary: "vLLM's /rerank: responses by their rewards, the best first", failure: openAIFailure(),
			request: object([]string{"query", "documents"}, "query", text(), "documents", texts, "top_n", schema{"type": []string{"integer", "null"}, "minimum": 0}, "use_activation", flag()),
			answer:  listOf("results", object([]string{"index", "document", "relevance_score"}, "index", integer(), "document", object([]string{"text"}, "text", text()), "relevance_score", number()))},
		{paths: []string{"/pooling"}, summary: "vLLM's /pooling", failure: openAIFailure(), request: withFormat(pooled),
			answer: listOf("data", object([]string{"index", "object", "data"}, "index", integer(), "object", text(), "data", anyOf(text(), list(number(), 1))))},
		{paths: []string{"/v1/embeddings"}, summary: "SGLang's /v1/embeddings, as verl and openai's client read it", failure: openAIFailure(), request: withFormat(pooled),
			answer: listOf("data", object([]string{"index", "object", "embedding"}, "index", integer(), "object", text(), "embedding", anyOf(text(), list(number(), 1))))},
		{paths: []string{"/predict"}, summary: "text-embeddings-inference's /predict", failure: tei,
			request: object([]string{"inputs"}, "inputs", anyOf(text(), pair(), list(pair(), 1)), "raw_scores", flag(), "truncate", flag(), "truncation_direction", maybe("Left", "Right")),
			answer:  anyOf(list(prediction(), 1), list(list(prediction(), 1), 1))},
		{paths: []string{"/v1/score/evaluation"}, summary: "LLaMA-Factory's reward API", failure: openAIFailure(),
			request: object([]string{"messages"}, "model", orNull(schema{"type": "string"}), "messages", list(text(), 1), "max_length", schema{"type": []string{"integer", "null"}, "minimum": 1}),
			answer:  object([]string{"id", "object", "model", "scores"}, "id", text(), "object", text(), "model", text(), "scores", list(number(), 1))},
	}
}

func pair() schema {
	return schema{"type": "array", "items": text(), "minItems": 1, "maxItems": 2}
}

func prediction() schema {
	return object([]string{"score", "label"}, "score", number(), "label", text())
}

func sglang() schema {
	return object([]string{"embedding", "meta_info"}, "embedding", list(number(), 1), "meta_info", object([]string{"id", "prompt_tokens"}, "id", text(), "prompt_tokens", integer()))
}

// ids are token ids, or lists of them.
func ids() schema {
	id := schema{"type": "integer", "minimum": 0, "maximum": 1<<31 - 1}
	return anyOf(list(id, 1), list(list(id, 1), 1))
}

func sides(first, second string) schema {
	texts := anyOf(text(), list(text(), 1))
	return object([]string{first, second}, first, texts, second, texts, "use_activation", flag())
}

// pooledRequest is what vLLM's requests of input or messages have in common.
func pooledRequest() schema {
	message := object([]string{"role", "content"}, "role", enum([]string{"system", "user", "assistant"}), "content", text())
	o := schema{"type": "object", "properties": schema{
		"model": orNull(schema{"type": "string"}), "input": anyOf(text(), list(text(), 1), ids(), schema{"type": "null"}), "messages": orNull(list(message, 1)),
		"add_special_tokens": flag(), "add_generation_prompt": flag(), "use_activation": flag(), "activation": flag(), "softmax": flag(),
		"truncate_prompt_tokens": schema{"type": []string{"integer", "null"}, "minimum": -1},
		"truncation_side":        maybe("left", "right"),
		"tools":                  schema{"type": []string{"array", "null"}}, "chat_template_kwargs": schema{"type": []string{"object", "null"}},
	}}
	o["oneOf"] = []any{schema{"required": []string{"input"}}, schema{"required": []string{"messages"}}}
	return o
}

// withFormat adds the form of the answer's vectors.
func withFormat(request schema) schema {
	return schema{"allOf": []any{request, object(nil, "encoding_format", maybe("float", "base64"))}}
}
