package main

import (
	"fmt"
	"strings"

	"laurel/feedback"
)

// printPlan says what is there and what is to be asked.
func (l *labelling) printPlan(plan *feedback.Plan, run *feedback.Labelling) {
	names := make([]string, len(run.Judges))
	for i, j := range run.Judges {
		names[i] = j.Name() + describeJudge(l.config.Judges[i])
	}
	fmt.Fprintf(l.log, "%s: %s\n", strings.Join(l.files, ", "), plan.Rows)
	fmt.Fprintf(l.log, "constitution %s: %d principles; judges: %s; position %s\n", l.constitution.Name, len(l.constitution.Principles), strings.Join(names, ", "), l.config.Position)
	fmt.Fprintf(l.log, "%d questions, of which %d are answered already", plan.Questions, plan.Kept)
	if plan.Identical > 0 {
		fmt.Fprintf(l.log, "; nothing is asked of %d comparisons with identical responses", plan.Identical)
	}
	fmt.Fprintln(l.log)
}

// describeJudge is what stands behind a judge's name.
func describeJudge(j feedback.JudgeConfig) string {
	switch {
	case j.Kind == "heuristic":
		return " (offline rules, no model)"
	case j.OpenAI == nil:
		return ""
	}
	c := j.OpenAI
	what := fmt.Sprintf("%s at %s, mode %s", c.Model, c.BaseURL, c.Mode)
	if c.Clamp != nil {
		what += fmt.Sprintf(", clamped to %g–%g", c.Clamp[0], c.Clamp[1])
	}
	if c.Price == nil {
		what += ", without a price: its cost counts as $0"
	}
	return " (" + what + ")"
}

// labelFile says how the labels of a directory came about.
const labelFile = "label.json"

// labelRecord is label.json.
type labelRecord struct {
	runRecord
	Shard *labelShard `json:"shard,omitempty"` // of one of several
	*feedback.Summary
}

func (l *labelling) record(resolved []byte, summary *feedback.Summary) (*labelRecord, error) {
	record, err := newRunRecord(l.files, resolved, l.constitution)
	if l.shard != nil {
		l.shard.Done = summary.Stopped == nil
	}
	return &labelRecord{record, l.shard, summary}, err
}
