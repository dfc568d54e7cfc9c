package main

import (
	"fmt"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/feedback"
)

// openOpenAI makes a judge of a chat server; where nothing is asked, without
// server and key.
func (l *labelling) openOpenAI(name string, c feedback.OpenAIConfig, budget *feedback.Budget, out *openJudges) (feedback.Judge, error) {
	judge := feedback.NewOpenAI(name, c, nil)
	cost := judgeCost{Judge: name}
	var err error
	switch {
	case l.dry:
		cost, err = chatCost(judge, c, out)
	case !l.reaggregate:
		var chat *feedback.Chat
		chat, err = feedback.NewChat(l.config.Chat(c), budget)
		judge = feedback.NewOpenAI(name, c, chat)
	}
	out.costs = append(out.costs, cost)
	return judge, err
}

// chatCost is the cost of a judge before its questions: with its tokenizer, or
// by estimate.
func chatCost(judge *feedback.OpenAI, c feedback.OpenAIConfig, out *openJudges) (judgeCost, error) {
	cost := judgeCost{Judge: judge.Name(), Requested: true, Priced: c.Price != nil, requests: judge.Requests, price: c.Price, tokens: estimateTokens, around: map[*feedback.Principle][]requestTokens{}}
	if c.Tokenizer == "" {
		return cost, nil
	}
	t, err := tokenizer.Open(c.Tokenizer)
	if err != nil {
		return cost, fmt.Errorf("openai.tokenizer: %w", err)
	}
	out.tokenizers = append(out.tokenizers, t)
	cost.Tokenizer, cost.tokens = c.Tokenizer, countTokens(t)
	return cost, nil
}

// countTokens counts messages under the tokenizer's chat template, and plain
// text as a part of them.
func countTokens(t *tokenizer.Tokenizer) func(data.Text) (int, error) {
	return func(text data.Text) (int, error) {
		if text.Messages != nil {
			n, err := t.Count(text)
			if err != nil {
				err = fmt.Errorf("count tokens with %s, as the server would: %w", t.Dir(), err)
			}
			return n, err
		}
		tokens, err := t.EncodeBare(text.Plain, 0, tokenizer.Left)
		return len(tokens.IDs), err
	}
}

// estimateTokens takes so many bytes for a token.
func estimateTokens(text data.Text) (int, error) {
	bytes := len(text.Plain)
	for _, m := range text.Messages {
		bytes += len(m.Role) + len(m.Content)
	}
	return (bytes + feedback.BytesPerToken - 1) / feedback.BytesPerToken, nil
}
