package chattest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// completion is the reply in OpenAI's form.
func (s *Server) completion(r Request, first float64, fault Fault) object {
	text, logprobs := s.message(r, first, fault)
	finish := "stop"
	if fault == Aborted || fault == CutOff || fault == Withheld || fault == Unknown {
		finish, text = string(fault), text[:len(text)/2]
	}
	choice := object{"index": 0, "finish_reason": finish, "message": object{"role": "assistant", "content": text}}
	if r.Logprobs && fault != NoLogprobs {
		choice["logprobs"] = object{"content": logprobs}
	}
	chars := 0
	for _, m := range r.Messages {
		chars += len(m.Content)
	}
	reply := object{
		"id": "chatcmpl-chattest", "object": "chat.completion", "created": 0, "model": r.Model + "-chattest",
		"usage": object{"prompt_tokens": chars / 4, "completion_tokens": len(strings.Fields(text)), "total_tokens": chars/4 + len(strings.Fields(text))},
	}
	if fault != Schema {
		reply["choices"] = []object{choice}
	}
	return reply
}

// message is the reply's text, and its tokens with their log-probabilities.
func (s *Server) message(r Request, first float64, fault Fault) (string, []object) {
	switch {
	case fault == Refusal:
		return words("I'm", " sorry,", " but", " I", " can't", " compare", " these.")
	case fault == Both:
		return words("A", " or", " B")
	case fault == Empty:
		return words("")
	case r.Logprobs:
		return letter(first)
	case s.Text != nil:
		return words(s.Text(r, first))
	}
	return words(Verdict(first))
}

// Verdict is a reply with reasoning, a verdict and its confidence.
func Verdict(first float64) string {
	name := "A"
	if first < 0.5 {
		name = "B"
	}
	return fmt.Sprintf("One response is better grounded than the other. It also answers what was asked.\nVerdict: %s\nConfidence: %.4f", name, max(first, 1-first))
}

// words are tokens that the model is nearly sure of.
func words(tokens ...string) (string, []object) {
	var content []object
	for _, t := range tokens {
		content = append(content, object{"token": t, "logprob": -0.01, "top_logprobs": []object{{"token": t, "logprob": -0.01}, {"token": "…", "logprob": -5.0}}})
	}
	return strings.Join(tokens, ""), content
}

// letter is a single token of many spellings, whose letters share 0.96 of the
// probability.
func letter(first float64) (string, []object) {
	spelt := []struct {
		token string
		p     float64
	}{
		{"A", 0.6 * 0.96 * first}, {" A", 0.3 * 0.96 * first}, {"a", 0.1 * 0.96 * first},
		{"B", 0.7 * 0.96 * (1 - first)}, {" B", 0.3 * 0.96 * (1 - first)}, {"The", 0.04},
	}
	var top []object
	best := 0
	for i, s := range spelt {
		if s.p > spelt[best].p {
			best = i
		}
		top = append(top, object{"token": s.token, "logprob": max(-9999, math.Log(s.p))})
	}
	slices.SortFunc(top, func(a, b object) int {
		return cmp.Compare(b["logprob"].(float64), a["logprob"].(float64))
	})
	chosen := object{"token": spelt[best].token, "logprob": max(-9999, math.Log(spelt[best].p)), "top_logprobs": top}
	return spelt[best].token, []object{chosen}
}
