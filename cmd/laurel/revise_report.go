package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"laurel/data"
	"laurel/eval/audit"
	"laurel/eval/draw"
	"laurel/feedback"
	"laurel/labels"
)

// reviseFile says how the output of a directory came about.
const reviseFile = "revise.json"

// leftOutFile lists the prompts without a whole chain.
const leftOutFile = "left-out.jsonl"

// printPlan says what is there and what is to be asked.
func (r *revision) printPlan(plan *feedback.RevisionPlan) {
	c := r.config
	fmt.Fprintf(r.log, "%s: %s; %d with an answer to begin with\n", strings.Join(r.files, ", "), plan.Rows, plan.Given)
	fmt.Fprintf(r.log, "constitution %s: %d principles; %d rounds of %d, order %s; model %s\n", r.constitution.Name, len(r.constitution.Principles), c.Rounds, c.PerRound, c.Order, c.Chat.Model)
	fmt.Fprintf(r.log, "%d replies, of which %d are in the store\n", plan.Replies, plan.Kept)
}

// dryRun says what the run would ask.
func (r *revision) dryRun(run *feedback.Revising) error {
	plan, err := counted(r.config.Chat.Tokenizer, run.Plan)
	if err != nil {
		return err
	}
	if r.asJSON {
		return printJSON(r.out, plan)
	}
	r.printPlan(plan)
	_, err = fmt.Fprintf(r.log, "to ask: at most %d requests without retries, %d prompt tokens (%s), %d completion tokens (chat.max_tokens for every reply), $%.4f%s\n",
		plan.Requests, plan.PromptTokens, howCounted(r.config.Chat.Tokenizer, "chat.tokenizer"), plan.CompletionTokens, plan.Cost, r.unpriced())
	return err
}

// unpriced says why a cost is 0.
func (r *revision) unpriced() string {
	if r.config.Chat.Price == nil {
		return " (chat.price is not given)"
	}
	return ""
}

// reviseRecord is revise.json.
type reviseRecord struct {
	runRecord
	*feedback.RevisionSummary
}

func (r *revision) record(resolved []byte, summary *feedback.RevisionSummary) (*reviseRecord, error) {
	record, err := newRunRecord(r.files, resolved, r.constitution)
	return &reviseRecord{record, summary}, err
}

// revisionReport hands the summary to package eval, which draws it.
func revisionReport(s *feedback.RevisionSummary) *audit.RevisionReport {
	report := &audit.RevisionReport{Prompts: s.Rows.Kept, Written: s.Written, Given: s.Given, Unchanged: s.Unchanged}
	report.LeftOut = []audit.StageCount{{Stage: "the first answer", N: s.Left[feedback.StageInitial]},
		{Stage: "a critique", N: s.Left[feedback.StageCritique]}, {Stage: "a revision", N: s.Left[feedback.StageRevision]}}
	for _, round := range s.Rounds {
		report.Rounds = append(report.Rounds, audit.RoundRates(round))
	}
	for _, p := range s.Principles {
		report.Principles = append(report.Principles, audit.RevisionRates(p))
	}
	for i := range s.Examples {
		report.Examples = append(report.Examples, chainExample(&s.Examples[i]))
	}
	return report
}

// chainExample is a chain as the report shows it.
func chainExample(c *feedback.Chain) draw.Example {
	e := draw.Example{Title: draw.Label(c.ID, 80), Texts: []draw.Passage{{Name: "prompt", Text: draw.Words(data.Text{Messages: c.Messages})}, {Name: "first answer", Text: c.Initial}}}
	for _, step := range c.Steps {
		by := fmt.Sprintf("round %d, %s", step.Round, draw.Label(step.Principle, 60))
		e.Texts = append(e.Texts, draw.Passage{Name: "critique, " + by, Text: step.Critique}, draw.Passage{Name: "revision, " + by, Text: step.Revision})
	}
	return e
}

func (r *revision) facts(s *feedback.RevisionSummary) []draw.Fact {
	return []draw.Fact{{Name: "data", Value: strings.Join(r.files, ", ")}, {Name: "rows", Value: s.Rows.String()}, {Name: "constitution", Value: r.constitution.Name},
		{Name: "model", Value: r.config.Chat.Model}, {Name: "rounds", Value: fmt.Sprintf("%d of %d principles, order %s", r.config.Rounds, r.config.PerRound, r.config.Order)},
		{Name: "seed", Value: fmt.Sprint(r.config.Seed)}, {Name: "spent by all runs", Value: spent(s.Spent)}}
}

// printSummary prints what became of the prompts.
func (r *revision) printSummary(s *feedback.RevisionSummary, report *audit.RevisionReport) error {
	fmt.Fprintf(r.log, "wrote %d of %d prompts: %s\n", s.Written, s.Rows.Kept, filepath.Join(r.dir, feedback.MessagesFile+".jsonl"))
	if s.LeftOut() > 0 {
		fmt.Fprintf(r.log, "left out %d (at the first answer %d, a critique %d, a revision %d): %s; the first: %s\n", s.LeftOut(),
			s.Left[feedback.StageInitial], s.Left[feedback.StageCritique], s.Left[feedback.StageRevision], filepath.Join(r.dir, leftOutFile), s.FirstLeft)
		printReasons(r.log, "left out", s.Reasons)
	}
	if r.config.Pairs {
		fmt.Fprintf(r.log, "wrote %d pairs, none of the %d prompts whose last answer is the first: %s\n", s.Written-s.Unchanged, s.Unchanged, filepath.Join(r.dir, labels.PairsFile))
	}
	fmt.Fprintln(r.log)
	if err := report.Print(r.log); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.log, "asked now: %s; all runs into %s: %s\nreport %s\n", spent(s.SpentNow), r.dir, spent(s.Spent), filepath.Join(r.dir, "report.html"))
	return err
}
