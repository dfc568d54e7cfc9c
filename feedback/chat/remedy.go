package chat

import (
	"net/http"
	"strings"
)

// ThinkingOff says how a model is kept from thinking first; docs/feedback.md has
// the other servers.
const ThinkingOff = "turn thinking off (extra: {chat_template_kwargs: {enable_thinking: false}} for Qwen3 and others on vLLM, SGLang, llama.cpp; extra: {reasoning_effort: none} on Ollama and for OpenAI's models that take it)"

// remedy says what to do about a status, by the server's words where they name
// what they refuse.
func remedy(status int, message string) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refusedKey(status, message)
	case http.StatusUnauthorized:
		return ": check the key in the variable that api_key_env names"
	case http.StatusPaymentRequired:
		return ": the account has no credit"
	case http.StatusForbidden:
		return ": the key may not use this model"
	case http.StatusNotFound:
		return ": check base_url and model"
	case http.StatusMethodNotAllowed:
		return ": check base_url"
	}
	return ""
}

// refusedKey names the key of the config that a server's words are about.
func refusedKey(status int, message string) string {
	for _, known := range []struct{ words, hint string }{
		{MaxCompletionTokens, ": set max_tokens_name: max_completion_tokens (where that is refused too: max_tokens)"},
		{"temperature", ": set temperature: null, or one that the model takes"},
		{"logprobs", ": lower top_logprobs, or use a mode without log-probabilities (cot)"},
	} {
		if strings.Contains(message, known.words) {
			return known.hint
		}
	}
	if status == http.StatusUnprocessableEntity {
		return ": check extra and the sampling keys"
	}
	return ": check max_tokens, top_logprobs and extra, and whether the texts fit the model's context"
}
