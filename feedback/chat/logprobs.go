package chat

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
)

// unlikely is what OpenAI and vLLM write for a log-probability that they do not
// tell: it is no number to reckon with.
const unlikely = -9999

// tokenLogprobs are the tokens of choices[].logprobs.content.
type tokenLogprobs struct {
	Content []struct {
		tokenLogprob
		Top []tokenLogprob `json:"top_logprobs"`
	} `json:"content"`
}

type tokenLogprob struct {
	Token   string          `json:"token"`
	Logprob json.RawMessage `json:"logprob"`
}

// value is the log-probability; null, an empty text, or a number that stands
// for "not told" is none.
func (t tokenLogprob) value() (float64, bool) {
	var x float64
	raw := bytes.TrimSpace(t.Logprob)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, &x) != nil || math.IsNaN(x) || x <= unlikely {
		return 0, false
	}
	return x, true
}

// readLogprobs reads tokens with their alternatives. Alternatives without a
// log-probability are left out, and a token that has fewer than two, or that is
// said to be likelier than those listed and is not among them, has none: such a
// list tells no probability.
func readLogprobs(raw []byte) []Token {
	var listed tokenLogprobs
	if json.Unmarshal(raw, &listed) != nil {
		return nil
	}
	tokens := make([]Token, 0, len(listed.Content))
	for _, t := range listed.Content {
		token := Token{Token: t.Token}
		least := 0.0
		for _, alternative := range t.Top {
			if x, ok := alternative.value(); ok {
				token.Top = append(token.Top, TopLogprob{alternative.Token, x})
				least = min(least, x)
			}
		}
		x, ok := t.value()
		if listed := slices.ContainsFunc(token.Top, func(a TopLogprob) bool { return a.Token == t.Token }); ok && !listed && len(token.Top) > 0 {
			token.Top = append(token.Top, TopLogprob{t.Token, x})
			if x > least {
				token.Top = nil
			}
		}
		if token.Logprob = x; certain(token.Top) {
			token.Top = nil
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// certain is a single alternative that has all the probability: what a server
// says that does not tell the others.
func certain(top []TopLogprob) bool {
	return len(top) == 1 && top[0].Logprob > -1e-9
}

// anyTop is whether some token has alternatives.
func anyTop(tokens []Token) bool {
	return slices.ContainsFunc(tokens, func(t Token) bool { return len(t.Top) > 0 })
}
