package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"laurel/data"
	"laurel/feedback"
	"laurel/feedback/chat"
	"laurel/loop"
)

// stepCost is what a step of a round is going to ask, at most.
type stepCost struct {
	Round int    `json:"round"`
	Step  string `json:"step"`
	chat.Spent
	Kept  int  `json:"kept"`                  // replies that are there already
	Known bool `json:"known"`                 // what is asked is there: else texts are taken to be as long as they may be
	As    int  `json:"as_in_round,omitempty"` // that asks all of it
}

// dryRun says what all rounds would ask, before anything is paid for.
func (l *looping) dryRun(ctx context.Context) error {
	var costs []stepCost
	var total chat.Spent
	for i, config := range l.rounds {
		r := roundSteps{l, config, i + 1}
		same := slices.IndexFunc(l.rounds[:i], func(earlier loop.Config) bool {
			return reflect.DeepEqual(earlier.Generate, config.Generate) && reflect.DeepEqual(earlier.Label, config.Label) && earlier.Eval.Judge == config.Eval.Judge
		})
		for _, step := range []struct {
			prompts, responses, generate, label string
			part                                int
			labels                              bool
		}{{promptsFile, responsesDir, stepGenerate, stepLabel, i + 1, true}, {heldOutFile, heldOutDir, stepHeldOut, stepJudge, loop.HeldOutPart, config.Eval.Judge}} {
			if step.part == loop.HeldOutPart && same >= 0 {
				costs = append(costs, stepCost{Round: i + 1, Step: step.generate, As: same + 1}, stepCost{Round: i + 1, Step: step.label, As: same + 1})
				continue
			}
			generated, err := r.generateCost(ctx, step.generate, step.part)
			if err != nil {
				return err
			}
			costs = append(costs, generated)
			if step.labels {
				labelled, err := r.labelCost(ctx, step.label, step.responses, step.part)
				if err != nil {
					return err
				}
				costs = append(costs, labelled)
			}
		}
	}
	for _, c := range costs {
		total = total.Plus(c.Spent)
	}
	if l.asJSON {
		return printJSON(l.out, map[string]any{"steps": costs, "total": total})
	}
	return l.printCosts(costs, total)
}

func (l *looping) printCosts(costs []stepCost, total chat.Spent) error {
	for _, c := range costs {
		if c.As > 0 {
			fmt.Fprintf(l.log, "round %d, %s: as in round %d\n", c.Round, c.Step, c.As)
			continue
		}
		note := ""
		if !c.Known {
			note = " (texts not written yet are taken to be as long as max_tokens allows)"
		}
		fmt.Fprintf(l.log, "round %d, %s: at most %s; %d replies are there%s\n", c.Round, c.Step, spent(c.Spent), c.Kept, note)
	}
	fmt.Fprintf(l.log, "all rounds, without retries: at most %s\n", spent(total))
	var before chat.Spent
	if l.store.Store != nil {
		before = l.store.Spent()
		fmt.Fprintf(l.log, "spent already: %s\n", spent(before))
	}
	budget, need := l.first().Budget, before.Plus(total)
	if budget.MaxRequests > 0 && need.Requests > budget.MaxRequests {
		fmt.Fprintf(l.log, "budget.max_requests is %d, and %d may be needed in all: the loop may stop there\n", budget.MaxRequests, need.Requests)
	}
	if budget.MaxCost > 0 && need.Cost > budget.MaxCost {
		fmt.Fprintf(l.log, "budget.max_cost is $%g, and $%.4f may be needed in all: the loop may stop there\n", budget.MaxCost, need.Cost)
	}
	return nil
}

// ofPart yields the prompts of a part.
func (r roundSteps) ofPart(ctx context.Context, part int) func(*data.Counts) iter.Seq2[data.Prompt, error] {
	return func(*data.Counts) iter.Seq2[data.Prompt, error] {
		return func(yield func(data.Prompt, error) bool) {
			for p, err := range r.prompts(ctx) {
				if (err != nil || r.split.Has(part, p)) && !yield(p, err) {
					return
				}
			}
		}
	}
}

func (r roundSteps) generateCost(ctx context.Context, step string, part int) (stepCost, error) {
	config, _ := budgeted(r.config)
	run := &feedback.Generating{Config: config, Store: r.store.Store, Prompts: r.ofPart(ctx, part)}
	plan, err := counted(config.Chat.Tokenizer, run.Plan)
	if err != nil {
		return stepCost{}, err
	}
	return stepCost{r.n, step, chat.Spent{Requests: plan.Requests, PromptTokens: plan.PromptTokens, CompletionTokens: plan.CompletionTokens, Cost: plan.Cost}, plan.Kept, true, 0}, nil
}

// labelCost counts the questions about comparisons that are there, or else about as
// many as there may be, of responses as long as they may be.
func (r roundSteps) labelCost(ctx context.Context, step, responses string, part int) (stepCost, error) {
	out := stepCost{Round: r.n, Step: step}
	l := &labelling{dry: true, out: r.log, log: r.log, files: []string{r.path(filepath.Join(responses, feedback.ComparisonsFile+".parquet"))}}
	_, l.config = budgeted(r.config)
	if err := l.openConstitution(); err != nil {
		return out, err
	}
	comparisons := r.longest(ctx, part)
	if _, err := os.Stat(l.files[0]); err == nil && r.dir != "" {
		out.Known, comparisons = true, l.comparisons(ctx)
	}
	judges, err := l.openJudges(ctx, r.store.Store)
	if err != nil {
		return out, err
	}
	defer judges.close()
	run := &feedback.Labelling{Constitution: l.constitution, Judges: judges.judges, Policy: l.config.Policy(), Store: r.store.Store, Comparisons: comparisons}
	plan, err := l.countCosts(ctx, run, judges.costs)
	if err != nil {
		return out, err
	}
	out.Kept = plan.Kept
	for _, c := range judges.costs {
		out.Spent = out.Spent.Plus(chat.Spent{Requests: c.Requests, PromptTokens: c.PromptTokens, CompletionTokens: c.CompletionTokens, Cost: c.Cost})
	}
	return out, nil
}

// longest are as many comparisons of a part's prompts as there may be, of responses
// that take max_tokens as they are estimated.
func (r roundSteps) longest(ctx context.Context, part int) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	c := r.config.Generate
	pairs := c.N * (c.N - 1) / 2
	if c.PairsPerPrompt > 0 {
		pairs = min(pairs, c.PairsPerPrompt)
	}
	text := strings.Repeat("a b", (c.Chat.MaxTokens*chat.BytesPerToken+2)/3)
	prompts := r.ofPart(ctx, part)
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for p, err := range prompts(nil) {
				for k := range pairs {
					counts.Kept++
					one := data.Comparison{ID: fmt.Sprintf("%s/%d", p.ID, k), Prompt: data.Text{Messages: p.Messages, Context: p.Context},
						A: data.Text{Plain: text}, B: data.Text{Plain: text[1:]}}
					if !yield(one, err) || err != nil {
						return
					}
				}
			}
		}
	}
}
