package main

import (
	"fmt"
	"path/filepath"

	"laurel/data"
	"laurel/eval"
	"laurel/feedback"
)

// readGold reads the gold before anything is asked.
func (l *labelling) readGold() error {
	if l.goldFile == "" {
		return nil
	}
	gold, counts, err := data.ReadGold(l.goldFile, data.ReadConfig{OnBadRow: l.config.Data.OnBadRow})
	if err != nil {
		return err
	}
	fmt.Fprintf(l.log, "gold %s: %s\n", l.goldFile, &counts)
	l.gold = gold
	return nil
}

// report measures the labels and writes report.json, report.html and plots.
func (l *labelling) report(summary *feedback.Summary) (*eval.LabelReport, error) {
	cfg := eval.LabelConfig{Gold: l.gold, Seed: uint64(l.config.Seed), Models: map[string]string{}}
	for _, j := range l.config.Judges {
		if j.OpenAI != nil {
			cfg.Models[j.Name] = j.OpenAI.Model
		}
	}
	for _, p := range l.constitution.Principles {
		cfg.Principles = append(cfg.Principles, eval.Principle{Name: p.Name, Weight: p.Weight})
	}
	report, err := eval.AuditLabels(data.ReadLabels(l.dir), cfg)
	if err != nil {
		return nil, err
	}
	facts := []eval.Fact{{Name: "labels", Value: l.dir}, {Name: "constitution", Value: l.constitution.Name}, {Name: "position", Value: l.config.Position},
		{Name: "rows", Value: summary.Rows.String()}, {Name: "spent by all runs", Value: spent(summary.Spent)}}
	for _, j := range l.config.Judges {
		facts = append(facts, eval.Fact{Name: "judge " + j.Name, Value: j.Kind + whatJudge(j)})
	}
	if l.goldFile != "" {
		facts = append(facts, eval.Fact{Name: "gold", Value: l.goldFile})
	}
	return report, writeLabelReport(l.dir, report, facts...)
}

// sayReport prints the measures where there is gold, else the warnings.
func (l *labelling) sayReport(report *eval.LabelReport) error {
	if l.gold != nil {
		fmt.Fprintln(l.log)
		if err := report.Print(l.log); err != nil {
			return err
		}
	} else {
		for _, warning := range report.Warnings {
			fmt.Fprintf(l.log, "warning: %s\n", warning)
		}
	}
	_, err := fmt.Fprintf(l.log, "report %s\n", filepath.Join(l.dir, "report.html"))
	return err
}
