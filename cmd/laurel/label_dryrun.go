package main

import (
	"context"
	"fmt"

	"laurel/data"
	"laurel/feedback"
)

// judgeCost is what a judge's questions take, as far as a dry run tells.
type judgeCost struct {
	Judge            string  `json:"judge"`
	Questions        int     `json:"questions"` // not answered yet
	Requests         int     `json:"requests"`  // without retries; 0 where the judge needs none
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`   // at most
	Cost             float64 `json:"cost"`                // dollars, with all of the completion tokens
	Requested        bool    `json:"requested"`           // the judge is a server's
	Priced           bool    `json:"priced"`              // the server's price is known
	Tokenizer        string  `json:"tokenizer,omitempty"` // that counted the prompts' tokens; else they are estimated

	requests func(feedback.Question) []feedback.ChatRequest // nil for a judge that sends nothing
	price    *feedback.Price
	tokens   func(data.Text) (int, error)
	around   map[*feedback.Principle][]requestTokens // of a question's requests, without the texts judged
	last     *data.Comparison
	judged   int // tokens of its texts
}

// requestTokens are those of one request.
type requestTokens struct{ prompt, completion int }

// dryRun says what the run would ask, and what labels cost in general.
func (l *labelling) dryRun(ctx context.Context, run *feedback.Labelling, costs []judgeCost) error {
	plan, err := run.Plan(func(judge feedback.Judge, q feedback.Question) error {
		for i := range costs {
			if costs[i].Judge == judge.Name() {
				return costs[i].count(q)
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
	for _, c := range costs {
		fmt.Fprintln(l.log, c.String())
	}
	l.sayBudget(run.Store, costs)
	return l.sayEstimates(plan, costs)
}

// sayEstimates says what labels cost in general, at the usual rates and at
// what this run's judges take.
func (l *labelling) sayEstimates(plan *feedback.Plan, costs []judgeCost) error {
	rates := feedback.DefaultRates()
	fmt.Fprintf(l.log, "\nlabels in general, at $%.4g a comparison, beside people's:\n", rates.AICost)
	if err := feedback.PrintEstimates(l.log, rates.Estimates(feedback.Scales()...)); err != nil {
		return err
	}
	total := 0.0
	for _, c := range costs {
		total += c.Cost
	}
	if total == 0 {
		return nil
	}
	left := plan.Questions - plan.Kept // more than none, for they cost something
	rates.AICost = total / float64(left) * float64(plan.Questions) / float64(plan.Rows.Kept-plan.Identical)
	fmt.Fprintf(l.log, "\nat this run's $%.4g a comparison:\n", rates.AICost)
	return feedback.PrintEstimates(l.log, rates.Estimates(feedback.Scales()...))
}

// String is the judge's line.
func (c *judgeCost) String() string {
	line := fmt.Sprintf("judge %s: %d questions to ask in %d requests", c.Judge, c.Questions, c.Requests)
	if !c.Requested {
		return line
	}
	line += fmt.Sprintf(", %d prompt tokens (%s), at most %d completion tokens", c.PromptTokens, howCounted(c.Tokenizer, "openai.tokenizer"), c.CompletionTokens)
	if !c.Priced {
		return line + "; the cost is unknown without openai.price"
	}
	return fmt.Sprintf("%s, at most $%.4f but for retries", line, c.Cost)
}

// sayBudget says where the budget will stop the run.
func (l *labelling) sayBudget(store *feedback.Store, costs []judgeCost) {
	var need feedback.Spent
	if store != nil {
		need = store.Spent()
	}
	for _, c := range costs {
		need.Requests += c.Requests
		need.Cost += c.Cost
	}
	if limit := l.config.Budget.MaxRequests; limit > 0 && need.Requests > limit {
		fmt.Fprintf(l.log, "max_requests is %d, and with those already sent %d are needed: the run will stop there\n", limit, need.Requests)
	}
	if limit := l.config.Budget.MaxCost; limit > 0 && need.Cost > limit {
		fmt.Fprintf(l.log, "max_cost is $%g, and with what is spent already $%.4f may be needed: the run may stop there\n", limit, need.Cost)
	}
}

// count adds one question.
func (c *judgeCost) count(q feedback.Question) (err error) {
	c.Questions++
	if c.requests == nil {
		return nil
	}
	around, ok := c.around[q.Principle]
	if !ok {
		if around, err = c.withoutTexts(q.Principle); err != nil {
			return err
		}
		c.around[q.Principle] = around
	}
	if err := c.countTexts(q.Comparison); err != nil {
		return err
	}
	for _, r := range around {
		c.Requests++
		c.PromptTokens += r.prompt + c.judged
		c.CompletionTokens += r.completion
	}
	c.Cost = c.price.Of(c.PromptTokens, c.CompletionTokens)
	return nil
}

// withoutTexts are a question's requests about nothing. Each shows the replies
// to those before it.
func (c *judgeCost) withoutTexts(p *feedback.Principle) ([]requestTokens, error) {
	var all []requestTokens
	replies := 0
	for _, r := range c.requests(feedback.Question{Comparison: &data.Comparison{}, Principle: p}) {
		n, err := c.tokens(data.Text{Messages: r.Messages})
		if err != nil {
			return nil, err
		}
		all = append(all, requestTokens{n + replies, r.MaxTokens})
		replies += r.MaxTokens
	}
	return all, nil
}

// countTexts counts a comparison's texts once for all questions about it.
func (c *judgeCost) countTexts(of *data.Comparison) error {
	if c.last == of {
		return nil
	}
	c.last, c.judged = of, 0
	for _, text := range []data.Text{of.Prompt, of.A, of.B} {
		n, err := c.tokens(data.Text{Plain: feedback.Transcript(text)})
		if err != nil {
			return err
		}
		c.judged += n
	}
	return nil
}
