package main

import (
	"context"
	"fmt"

	"laurel/feedback"
	"laurel/feedback/chat"
)

// dryRun says what the run would ask, and what labels cost in general.
func (l *labelling) dryRun(ctx context.Context, run *feedback.Labelling, costs []*feedback.JudgeCost) error {
	plan, err := l.countCosts(ctx, run, costs)
	if err != nil {
		return err
	}
	if l.asJSON {
		return printJSON(l.out, map[string]any{"plan": plan, "judges": costs})
	}
	l.printPlan(plan, run)
	for _, c := range costs {
		fmt.Fprintln(l.log, costLine(c))
	}
	l.printBudget(run.Store, costs)
	return l.printEstimates(plan, costs)
}

// countCosts adds up what the questions take that must be asked.
func (l *labelling) countCosts(ctx context.Context, run *feedback.Labelling, costs []*feedback.JudgeCost) (*feedback.Plan, error) {
	return run.Plan(func(judge feedback.Judge, q feedback.Question) error {
		for _, c := range costs {
			if c.Judge == judge.Name() {
				return c.Count(q)
			}
		}
		return ctx.Err()
	})
}

// printEstimates says what labels cost in general, at the usual rates and at
// what this run's judges take.
func (l *labelling) printEstimates(plan *feedback.Plan, costs []*feedback.JudgeCost) error {
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

// costLine is what a judge's questions take.
func costLine(c *feedback.JudgeCost) string {
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

// printBudget says where the budget will stop the run.
func (l *labelling) printBudget(store *feedback.Store, costs []*feedback.JudgeCost) {
	var need chat.Spent
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
