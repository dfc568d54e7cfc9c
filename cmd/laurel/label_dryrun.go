package main

import (
	"context"
	"fmt"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/feedback"
)

// judgeCost is what a judge's questions take, as far as a dry run tells.
type judgeCost struct {
	Judge            string  `json:"judge"`
	Questions        int     `json:"questions"` // not answered yet
	Requests         int     `json:"requests"`  // without retries; 0 where the judge needs none
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"` // at most
	Cost             float64 `json:"cost"`              // dollars, at most

	prompts   func(feedback.Question) [][]data.Message // what is sent for a question; nil for a judge that sends nothing
	maxTokens int
	price     *feedback.Price
	tokenizer *tokenizer.Tokenizer
	overhead  map[*feedback.Principle]int // tokens of a question's prompts without the texts judged
}

// dryRun says what the run would ask, and what labels cost in general.
func (l *labelling) dryRun(ctx context.Context, run *feedback.Labelling, costs []judgeCost) error {
	texts := textCounter{}
	plan, err := run.Plan(func(judge feedback.Judge, q feedback.Question) error {
		for i := range costs {
			if costs[i].Judge == judge.Name() {
				return costs[i].count(&texts, q)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if l.asJSON {
		return printJSON(l.out, map[string]any{"plan": plan, "judges": costs})
	}
	l.sayPlan(plan, run)
	total := 0.0
	for _, c := range costs {
		total += c.Cost
		fmt.Fprintf(l.log, "judge %s: %d questions to ask in %d requests, %d prompt tokens, at most %d completion tokens, at most $%.4f\n",
			c.Judge, c.Questions, c.Requests, c.PromptTokens, c.CompletionTokens, c.Cost)
	}
	rates := feedback.DefaultRates()
	if asked := plan.Rows.Kept - plan.Identical; total > 0 && asked > 0 {
		rates.AICost = total / float64(asked)
	}
	fmt.Fprintf(l.log, "\nlabels in general, at $%.4g a comparison, beside people's:\n", rates.AICost)
	return feedback.PrintEstimates(l.log, rates.Estimates(feedback.Scales()...))
}

// count adds one question.
func (c *judgeCost) count(texts *textCounter, q feedback.Question) error {
	c.Questions++
	if c.prompts == nil {
		return nil
	}
	around, ok := c.overhead[q.Principle]
	if !ok {
		for _, messages := range c.prompts(feedback.Question{Comparison: &data.Comparison{}, Principle: q.Principle}) {
			n, err := c.tokenizer.Count(data.Text{Messages: messages})
			if err != nil {
				return err
			}
			around += n
		}
		c.overhead[q.Principle] = around
	}
	judged, err := texts.of(c.tokenizer, q.Comparison)
	if err != nil {
		return err
	}
	requests := len(c.prompts(q))
	prompt, completion := around+requests*judged, requests*c.maxTokens
	c.Requests += requests
	c.PromptTokens += prompt
	c.CompletionTokens += completion
	c.Cost += c.price.Of(prompt, completion)
	return nil
}

// textCounter counts the tokens of a comparison's texts once for all
// questions about it.
type textCounter struct {
	last   *data.Comparison
	with   *tokenizer.Tokenizer
	tokens int
}

func (t *textCounter) of(with *tokenizer.Tokenizer, c *data.Comparison) (int, error) {
	if t.last == c && t.with == with {
		return t.tokens, nil
	}
	t.last, t.with, t.tokens = c, with, 0
	for _, text := range []data.Text{c.Prompt, c.A, c.B} {
		n, err := with.Count(text)
		if err != nil {
			return 0, err
		}
		t.tokens += n
	}
	return t.tokens, nil
}
