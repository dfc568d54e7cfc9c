package main

import (
	"fmt"

	"laurel/feedback"
	"laurel/feedback/chat"
)

// openOpenAI makes a judge of a chat server; where nothing is asked, without
// server and key.
func (l *labelling) openOpenAI(name string, c feedback.OpenAIConfig, out *openJudges) (feedback.Judge, error) {
	judge := feedback.NewOpenAI(name, c, nil, nil)
	switch {
	case l.dry:
		return judge, out.addCost(judge, c.Tokenizer)
	case l.keptOnly():
		return judge, nil
	}
	client, err := chat.New(l.config.Chat(c), out.budget)
	if err != nil {
		return nil, err
	}
	return feedback.NewOpenAI(name, c, client, out.store), nil
}

// addCost is for the cost of a judge before its questions.
func (j *openJudges) addCost(judge *feedback.OpenAI, tokenizer string) error {
	counter, err := openTokenCounter(tokenizer)
	if err != nil {
		return fmt.Errorf("openai.%w", err)
	}
	if counter.tokenizer != nil {
		j.tokenizers = append(j.tokenizers, counter.tokenizer)
	}
	j.costs = append(j.costs, feedback.NewOpenAICost(judge, tokenizer, counter.count))
	return nil
}
