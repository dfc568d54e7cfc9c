package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// message is the assistant's turn as servers write it. OpenAI has content as a
// string; Mistral's reasoning models have a list of typed parts. A thought comes
// as reasoning_content (DeepSeek, SGLang, llama.cpp), as reasoning (vLLM,
// Ollama, OpenRouter), as a part, or between tags in the content.
type message struct {
	Content          json.RawMessage `json:"content"`
	Refusal          json.RawMessage `json:"refusal"`
	ReasoningContent json.RawMessage `json:"reasoning_content"`
	Reasoning        json.RawMessage `json:"reasoning"`
}

// said is what a message holds.
type said struct {
	raw     string // the content as it came, a list's parts joined
	text    string // of it what is no thought
	thought string
	closing string // what ended a thought within raw; empty where it holds none
}

var errContentForm = errors.New("message.content is neither text nor a list of parts")

// readMessage takes text, refusal and thought apart.
func readMessage(raw []byte) (said, error) {
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return said{}, fmt.Errorf("the message is %w", err)
	}
	text, thought, err := content(m.Content)
	if err != nil {
		return said{}, err
	}
	if text == "" {
		json.Unmarshal(m.Refusal, &text) // what is no text is no refusal
	}
	s := said{raw: text}
	s.text, s.thought, s.closing = withoutThought(text)
	for _, other := range []json.RawMessage{m.Reasoning, m.ReasoningContent} {
		var text string
		if json.Unmarshal(other, &text) == nil && text != "" {
			thought = text
		}
	}
	if s.thought == "" {
		s.thought = thought
	}
	return s, nil
}

// part is one of a list: OpenAI's text and refusal, Mistral's text and
// thinking, which is a list again, the Responses API's output_text.
type part struct {
	Type     string          `json:"type"`
	Text     *string         `json:"text"`
	Refusal  string          `json:"refusal"`
	Thinking json.RawMessage `json:"thinking"`
}

// content joins the text parts, or where there are none the refusals. Parts
// that are no text (images, references) have nothing to read.
func content(raw json.RawMessage) (text, thought string, err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return "", "", nil
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, "", nil
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		parts = []json.RawMessage{raw}
	}
	var texts, refusals, thoughts strings.Builder
	for _, one := range parts {
		var plain string
		if json.Unmarshal(one, &plain) == nil {
			texts.WriteString(plain)
			continue
		}
		var p part
		if err := json.Unmarshal(one, &p); err != nil {
			return "", "", fmt.Errorf("%w: %w", errContentForm, err)
		}
		switch {
		case (p.Type == "text" || p.Type == "output_text") && p.Text != nil:
			texts.WriteString(*p.Text)
		case p.Type == "refusal":
			refusals.WriteString(p.Refusal)
		case p.Type == "thinking" || p.Type == "reasoning":
			thoughts.WriteString(thinkingText(p))
		case p.Type == "":
			return "", "", fmt.Errorf("%w: a part without a type", errContentForm)
		}
	}
	if text = texts.String(); text == "" {
		text = refusals.String()
	}
	return text, thoughts.String(), nil
}

func thinkingText(p part) string {
	if p.Text != nil {
		return *p.Text
	}
	text, _, err := content(p.Thinking)
	if err != nil {
		return string(p.Thinking)
	}
	return text
}

// thoughtTags stand around a thought in the content where the server does not
// take it out: of Qwen3, DeepSeek-R1 and most others, of Magistral, Seed-OSS,
// Kimi, and the channels of gpt-oss.
var thoughtTags = [...][2]string{
	{"<think>", "</think>"},
	{"<thinking>", "</thinking>"},
	{"[THINK]", "[/THINK]"},
	{"<seed:think>", "</seed:think>"},
	{"◁think▷", "◁/think▷"},
	{"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"},
}

// withoutThought takes the thought from the beginning of a text. Templates
// that open the tag themselves leave a text with its end alone. A thought
// without an end leaves no text.
func withoutThought(raw string) (text, thought, closing string) {
	begin := strings.TrimSpace(raw)
	for _, tags := range thoughtTags {
		before, after, ended := cutLast(raw, tags[1])
		opened := strings.HasPrefix(begin, tags[0])
		switch {
		case ended:
			return strings.TrimSuffix(after, "<|return|>"), strings.TrimPrefix(strings.TrimSpace(before), tags[0]), tags[1]
		case opened:
			return "", strings.TrimPrefix(begin, tags[0]), ""
		}
	}
	return raw, "", ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// afterThought leaves the tokens that follow the thought.
func afterThought(tokens []Token, closing string) []Token {
	if closing == "" {
		return tokens
	}
	var all strings.Builder
	ends := make([]int, len(tokens))
	for i, t := range tokens {
		all.WriteString(t.Token)
		ends[i] = all.Len()
	}
	at := strings.LastIndex(all.String(), closing)
	if at < 0 {
		return tokens
	}
	for i, end := range ends {
		if end >= at+len(closing) {
			return tokens[i+1:]
		}
	}
	return nil
}
