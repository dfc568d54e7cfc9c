package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"laurel/feedback"
)

// generateFile says how the output of a directory came about.
const generateFile = "generate.json"

// generateRecord is generate.json.
type generateRecord struct {
	runRecord
	*feedback.GenerationSummary
}

// printPlan says what is there and what is to be asked.
func (g *generation) printPlan(plan *feedback.GenerationPlan) {
	c := g.config
	fmt.Fprintf(g.log, "%s: %s\n", strings.Join(g.files, ", "), plan.Rows)
	if plan.RepeatedPrompts > 0 {
		fmt.Fprintf(g.log, "%d rows repeat the prompt of one before them, which stands for all (repeats: true asks each)\n", plan.RepeatedPrompts)
	}
	if plan.Answered > 0 {
		fmt.Fprintf(g.log, "the file has responses to %d prompts, which are not used here\n", plan.Answered)
	}
	fmt.Fprintf(g.log, "%d responses a prompt by %s; temperature %s; system messages: %d\n", c.N, strings.Join(c.Names(), ", "), describeTemperatures(c), len(c.Systems))
	fmt.Fprintf(g.log, "%d responses, of which %d are in the store\n", plan.Responses, plan.Kept)
}

func describeTemperatures(c feedback.GenerateConfig) string {
	switch {
	case len(c.Temperatures) > 0:
		return strings.Trim(fmt.Sprint(c.Temperatures), "[]")
	case c.Chat.Temperature != nil:
		return fmt.Sprint(*c.Chat.Temperature)
	}
	return "as the server has it"
}

// dryRun says what the run would ask.
func (g *generation) dryRun(run *feedback.Generating) error {
	plan, err := counted(g.config.Chat.Tokenizer, run.Plan)
	if err != nil {
		return err
	}
	if g.asJSON {
		return printJSON(g.out, plan)
	}
	g.printPlan(plan)
	unpriced := ""
	if !g.config.Priced() {
		unpriced = " (a price is not given)"
	}
	_, err = fmt.Fprintf(g.log, "to ask: %d requests without retries, %d prompt tokens (%s), at most %d completion tokens, $%.4f%s\n",
		plan.Requests, plan.PromptTokens, howCounted(g.config.Chat.Tokenizer, "chat.tokenizer"), plan.CompletionTokens, plan.Cost, unpriced)
	return err
}

// printSummary prints what became of the prompts.
func (g *generation) printSummary(s *feedback.GenerationSummary) error {
	var each []string
	for _, reason := range slices.Sorted(maps.Keys(s.FinishReasons)) {
		each = append(each, fmt.Sprintf("%s %d", reason, s.FinishReasons[reason]))
	}
	fmt.Fprintf(g.log, "wrote %d responses to %d prompts (finish_reason %s): %s\n", s.Written, s.Prompts, strings.Join(each, ", "), filepath.Join(g.dir, feedback.CandidatesFile+".jsonl"))
	if s.Cut > 0 {
		fmt.Fprintf(g.log, "%d are cut off at max_tokens: they are marked, and in no comparison\n", s.Cut)
	}
	if s.LeftOut > 0 {
		fmt.Fprintf(g.log, "left out %d responses: %s\n", s.LeftOut, filepath.Join(g.dir, leftOutFile))
		printReasons(g.log, "left out", s.Reasons)
	}
	fmt.Fprintf(g.log, "wrote %d comparisons; %d prompts have none; %d responses repeat another of their prompt: %s\n", s.Comparisons, s.Uncompared, s.Repeated, filepath.Join(g.dir, feedback.ComparisonsFile+".jsonl"))
	_, err := fmt.Fprintf(g.log, "asked now: %s; all runs into %s: %s\n", spent(s.SpentNow), g.shared.in(g.dir), spent(s.Spent))
	return err
}
