package chat

import (
	"strings"
	"testing"
)

func TestReadMessage(t *testing.T) {
	for name, tc := range map[string]struct{ message, text, thought string }{
		"text":                      {`{"content": "Verdict: A"}`, "Verdict: A", ""},
		"null":                      {`{"content": null}`, "", ""},
		"nothing":                   {`{}`, "", ""},
		"Mistral's parts":           {`{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "A is "}, {"type": "text", "text": "better."}]}`, "A is better.", "hm"},
		"a thought alone":           {`{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}`, "", "hm"},
		"a thought as text":         {`{"content": [{"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": "A"}]}`, "A", "hm"},
		"no parts":                  {`{"content": []}`, "", ""},
		"an image":                  {`{"content": [{"type": "image_url", "image_url": {"url": "x"}}]}`, "", ""},
		"strings":                   {`{"content": ["Verdict", ": A"]}`, "Verdict: A", ""},
		"one part":                  {`{"content": {"type": "text", "text": "A"}}`, "A", ""},
		"a refusal":                 {`{"content": null, "refusal": "I can't"}`, "I can't", ""},
		"a refusal part":            {`{"content": [{"type": "refusal", "refusal": "I can't"}]}`, "I can't", ""},
		"a refusal beside text":     {`{"content": [{"type": "refusal", "refusal": "I can't"}, {"type": "text", "text": "A"}]}`, "A", ""},
		"reasoning_content":         {`{"content": "A", "reasoning_content": "hm"}`, "A", "hm"},
		"reasoning":                 {`{"content": null, "reasoning": "hm"}`, "", "hm"},
		"think":                     {`{"content": "<think>\nVerdict: B\n</think>\n\nA"}`, "\n\nA", "\nVerdict: B"},
		"think opened by template":  {`{"content": "Verdict: B\n</think>\n\nA"}`, "\n\nA", "Verdict: B"},
		"think without an end":      {`{"content": "<think>\nVerdict: A\nConfidence: 0.9"}`, "", "\nVerdict: A\nConfidence: 0.9"},
		"think named in the answer": {`{"content": "It writes <think> first."}`, "It writes <think> first.", ""},
		"Magistral":                 {`{"content": "[THINK]hm[/THINK]A"}`, "A", "hm"},
		"gpt-oss":                   {`{"content": "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>A<|return|>"}`, "A", "hm<|end|><|start|>assistant"},
		"gpt-oss without an end":    {`{"content": "<|channel|>analysis<|message|>hm"}`, "", "hm"},
	} {
		got, err := readMessage([]byte(tc.message))
		if err != nil || got.text != tc.text || got.thought != tc.thought {
			t.Errorf("%s: text %q, thought %q, %v", name, got.text, got.thought, err)
		}
	}
	for _, wrong := range []string{``, `[]`, `"A"`, `{"content": 1}`, `{"content": [1]}`, `{"content": {}}`, `{"content": [{"type": "text", "text": 1}]}`, `{"content": [{"text": null}]}`} {
		if got, err := readMessage([]byte(wrong)); err == nil {
			t.Errorf("%s is read as %+v", wrong, got)
		}
	}
}

func TestReadLogprobs(t *testing.T) {
	for name, tc := range map[string]struct {
		logprobs string
		top      int // alternatives of the token; -1: there is no token
	}{
		"OpenAI's":                {`{"content": [{"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.4}]}]}`, 2},
		"itself not among them":   {`{"content": [{"token": "B", "logprob": -3, "top_logprobs": [{"token": "A", "logprob": -0.1}, {"token": "The", "logprob": -2.9}]}]}`, 3},
		"null":                    {`{"content": [{"token": "A", "logprob": null, "top_logprobs": [{"token": "A", "logprob": null}, {"token": "B", "logprob": null}]}]}`, 0},
		"missing":                 {`{"content": [{"token": "A", "top_logprobs": [{"token": "A"}, {"token": "B"}]}]}`, 0},
		"empty text":              {`{"content": [{"token": "A", "logprob": "", "top_logprobs": [{"token": "A", "logprob": ""}]}]}`, 0},
		"some null":               {`{"content": [{"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": null}]}]}`, 1},
		"no alternatives":         {`{"content": [{"token": "A", "logprob": 0, "top_logprobs": []}]}`, 0},
		"alternatives null":       {`{"content": [{"token": "A", "logprob": -0.5, "top_logprobs": null}]}`, 0},
		"alternatives missing":    {`{"content": [{"token": "A", "logprob": -0.5}]}`, 0},
		"sentinels":               {`{"content": [{"token": "A", "logprob": -9999.0, "top_logprobs": [{"token": "A", "logprob": -9999.0}, {"token": "B", "logprob": -9999.0}]}]}`, 0},
		"0 and sentinels":         {`{"content": [{"token": "A", "logprob": 0, "top_logprobs": [{"token": "A", "logprob": 0.0}, {"token": "B", "logprob": -9999.0}]}]}`, 0},
		"0, and not listed":       {`{"content": [{"token": "A", "logprob": 0, "top_logprobs": [{"token": "The", "logprob": -0.2}, {"token": "B", "logprob": -2}]}]}`, 0},
		"likelier than the least": {`{"content": [{"token": "A", "logprob": -1, "top_logprobs": [{"token": "The", "logprob": -0.9}, {"token": "B", "logprob": -2}]}]}`, 0},
		"content null":            {`{"content": null}`, -1},
		"content missing":         {`{}`, -1},
		"content empty":           {`{"content": []}`, -1},
		"null itself":             {`null`, -1},
		"a list":                  {`[1]`, -1},
		"no bytes":                {``, -1},
	} {
		got := readLogprobs([]byte(tc.logprobs))
		if tc.top < 0 {
			if len(got) > 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || len(got[0].Top) != tc.top {
			t.Errorf("%s: %+v, want %d alternatives", name, got, tc.top)
		}
	}
}

// TestAfterThought: the letter of a model that thinks first is looked for
// behind its thought.
func TestAfterThought(t *testing.T) {
	var tokens []Token
	for _, token := range []string{"<think>", "A", " or B", "</", "think", ">\n", "\n", "B"} {
		tokens = append(tokens, Token{Token: token})
	}
	if got := afterThought(tokens, "</think>"); len(got) != 2 || got[1].Token != "B" {
		t.Errorf("%+v", got)
	}
	if got := afterThought(tokens, ""); len(got) != len(tokens) {
		t.Errorf("without a thought: %+v", got)
	}
	if got := afterThought(tokens[:3], "</think>"); len(got) != 3 {
		t.Errorf("a tag that no token has: %+v", got)
	}
}

func FuzzReadMessage(f *testing.F) {
	for _, message := range []string{`{"content": "<think>a</think>b"}`, `{"content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}]}`,
		`{"content": null, "refusal": "no", "reasoning_content": "hm"}`, `{"content": {"type": "text"}}`, `[]`} {
		f.Add([]byte(message))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readMessage(raw)
		if err != nil && got != (said{}) {
			t.Errorf("%+v beside %v", got, err)
		}
		if !strings.Contains(got.raw, got.text) {
			t.Errorf("text %q is not of %q", got.text, got.raw)
		}
		if got.closing != "" && strings.Contains(got.text, got.closing) {
			t.Errorf("a thought ends in %q", got.text)
		}
	})
}

func FuzzReadLogprobs(f *testing.F) {
	f.Add([]byte(`{"content": [{"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.4}]}]}`))
	f.Add([]byte(`{"content": [{"token": "A", "logprob": null, "top_logprobs": [{"token": "A", "logprob": ""}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, token := range readLogprobs(raw) {
			for _, alternative := range token.Top {
				if alternative.Logprob <= unlikely {
					t.Errorf("%+v", token)
				}
			}
			if len(token.Top) == 1 && token.Top[0].Logprob == 0 {
				t.Errorf("a probability of 1: %+v", token)
			}
		}
	})
}
