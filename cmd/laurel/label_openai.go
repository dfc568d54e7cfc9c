package main

import (
	"fmt"

	"laurel/feedback"
)

// openOpenAI makes a judge of a chat server; where nothing is asked, without
// server and key.
func (l *labelling) openOpenAI(name string, c feedback.OpenAIConfig, out *openJudges) (feedback.Judge, error) {
	judge := feedback.NewOpenAI(name, c, nil, nil)
	cost := judgeCost{Judge: name}
	var err error
	switch {
	case l.dry:
		cost, err = chatCost(judge, c, out)
	case !l.reaggregate:
		var chat *feedback.Chat
		chat, err = feedback.NewChat(l.config.Chat(c), out.budget)
		judge = feedback.NewOpenAI(name, c, chat, out.store)
	}
	out.costs = append(out.costs, cost)
	return judge, err
}

// chatCost is the cost of a judge before its questions.
func chatCost(judge *feedback.OpenAI, c feedback.OpenAIConfig, out *openJudges) (judgeCost, error) {
	counter, err := openTokenCounter(c.Tokenizer)
	if err != nil {
		return judgeCost{}, fmt.Errorf("openai.%w", err)
	}
	if counter.tokenizer != nil {
		out.tokenizers = append(out.tokenizers, counter.tokenizer)
	}
	return judgeCost{Judge: judge.Name(), Requested: true, Priced: c.Price != nil, Tokenizer: c.Tokenizer, requests: judge.Requests, price: c.Price,
		tokens: counter.count, around: map[*feedback.Principle][]requestTokens{}}, nil
}
