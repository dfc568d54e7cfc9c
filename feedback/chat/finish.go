package chat

import (
	"fmt"
	"slices"
	"strings"
)

// How a reply ended, in the words of finish_reason that servers have: OpenAI,
// Azure, vLLM, SGLang, TGI, Mistral, DeepSeek, Bedrock, Gemini and Cohere behind
// gateways. Capitals do not matter.
var (
	endedReasons    = []string{"", "stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "tool_calls", "function_call"}
	cutReasons      = []string{"length", "max_tokens", "max_length", "model_length"}
	withheldReasons = []string{"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "guardrail_intervened", "refusal"}
	failedReasons   = []string{"abort", "aborted", "cancelled", "canceled", "error", "insufficient_system_resource"}
)

func oneOf(reason string, known []string) bool {
	return slices.Contains(known, strings.ToLower(reason))
}

// Cut is whether the reply ended at max_tokens, or where the model's context
// does: its last word may be half of one.
func (r Reply) Cut() bool { return oneOf(r.FinishReason, cutReasons) }

// ended is whether the model ended the reply itself; servers that say nothing
// are believed.
func ended(finishReason string) bool { return oneOf(finishReason, endedReasons) }

// brokenOff is a reply that the model did not end, and max_tokens neither. What
// there is of it is no answer; nor is it where the reason is not known.
func (c *Client) brokenOff(finishReason string) error {
	failed := &attemptError{reason: strings.ToLower(finishReason), billed: true}
	shown := c.excerpt(finishReason)
	switch {
	case oneOf(finishReason, withheldReasons):
		failed.err = fmt.Errorf("the server withheld the reply, or the rest of it (finish_reason %q)", shown)
	case oneOf(finishReason, failedReasons):
		failed.err, failed.retry = fmt.Errorf("the server broke the reply off (finish_reason %q)", shown), true
	default:
		failed.reason = "finish_reason"
		failed.err = fmt.Errorf("finish_reason is %q, and whether such a reply is whole is not known: want %s, or for one that is cut off %s",
			shown, strings.Join(endedReasons[1:], ", "), strings.Join(cutReasons, ", "))
	}
	return failed
}
