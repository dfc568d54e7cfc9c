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

// readGold reads the gold before anything is asked.
func (l *labelling) readGold() error {
	if l.goldFile == "" {
		return nil
	}
	gold, counts, err := labels.ReadGold(l.goldFile, data.ReadConfig{OnBadRow: l.config.Data.OnBadRow})
	if err != nil {
		return err
	}
	fmt.Fprintf(l.log, "gold %s: %s\n", l.goldFile, &counts)
	l.gold = gold
	return nil
}

// auditConfig has the constitution's weights, and the model behind each judge's
// name.
func auditConfig(c *feedback.Constitution, judges []feedback.JudgeConfig) audit.Config {
	cfg := audit.Config{Models: map[string]string{}}
	for _, p := range c.Principles {
		cfg.Principles = append(cfg.Principles, audit.Principle{Name: p.Name, Weight: p.Weight})
	}
	for _, j := range judges {
		if j.OpenAI != nil {
			cfg.Models[j.Name] = j.OpenAI.Model
		}
	}
	return cfg
}

// report measures the labels and writes report.json, report.html and plots.
func (l *labelling) report(summary *feedback.Summary) (*audit.Report, error) {
	cfg := auditConfig(l.constitution, l.config.Judges)
	cfg.Gold, cfg.Seed = l.gold, uint64(l.config.Seed)
	report, err := audit.Labels(labels.ReadLabels(l.dir), cfg)
	if err != nil {
		return nil, err
	}
	facts := []draw.Fact{{Name: "labels", Value: l.dir}, {Name: "data", Value: strings.Join(l.files, ", ")}, {Name: "constitution", Value: l.constitution.Name}, {Name: "position", Value: l.config.Position},
		{Name: "rows", Value: summary.Rows.String()}, {Name: "spent by all runs", Value: spent(summary.Spent)}}
	for _, j := range l.config.Judges {
		facts = append(facts, draw.Fact{Name: "judge " + j.Name, Value: j.Kind + describeJudge(j)})
	}
	facts = append(facts, draw.Fact{Name: "seed", Value: fmt.Sprint(l.config.Seed)})
	if l.goldFile != "" {
		facts = append(facts, draw.Fact{Name: "gold", Value: l.goldFile})
	}
	return report, writeLabelReport(l.dir, fmt.Sprintf("data %s · constitution %s · %s", strings.Join(l.files, ", "), l.constitution.Name, l.judgeNames()), report, facts...)
}

// judgeNames are of a title.
func (l *labelling) judgeNames() string {
	var names []string
	for _, j := range l.config.Judges {
		names = append(names, j.Name)
	}
	return "judges " + strings.Join(names, ", ")
}

// printReport prints what matters most of the report; laurel agree prints all.
func (l *labelling) printReport(report *audit.Report) error {
	if report.Gold != nil || report.Raters.Judges != nil {
		fmt.Fprintln(l.log)
	}
	if err := report.PrintBrief(l.log); err != nil {
		return err
	}
	_, err := fmt.Fprintf(l.log, "report %s\n", filepath.Join(l.dir, "report.html"))
	return err
}
