package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"laurel/eval/audit"
	"laurel/eval/draw"
	"laurel/feedback"
)

func estimateCommand() *cobra.Command {
	e := estimation{rates: feedback.DefaultRates(), scales: feedback.Scales()}
	cmd := &cobra.Command{
		Use:   "estimate",
		Short: "What labels cost and take, of people and of a judge",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.check(); err != nil {
				return usage(cmd, err)
			}
			return e.run(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.IntSliceVar(&e.scales, "comparisons", e.scales, "numbers of comparisons")
	flags.Float64Var(&e.rates.HumanCost, "human-cost", e.rates.HumanCost, "dollars a comparison, of people")
	flags.Float64Var(&e.rates.HumanPerHour, "human-per-hour", e.rates.HumanPerHour, "comparisons an hour, of one person")
	flags.Float64Var(&e.rates.HoursPerDay, "hours-per-day", e.rates.HoursPerDay, "hours of a working day")
	flags.Float64Var(&e.rates.AICost, "ai-cost", e.rates.AICost, "dollars a comparison, of a judge")
	flags.Float64Var(&e.rates.AIPerHour, "ai-per-hour", e.rates.AIPerHour, "comparisons an hour, of a judge")
	flags.StringVar(&e.dir, "out", "", "directory for cost.svg, time.svg and costs.html")
	flags.BoolVar(&e.asJSON, "json", false, "print JSON")
	overwriteFlag(cmd, &e.overwrite)
	return cmd
}

// estimation is one run of the command.
type estimation struct {
	rates  feedback.Rates
	scales []int
	dir    string

	asJSON, overwrite bool
}

func (e *estimation) check() error {
	for _, n := range e.scales {
		if n < 1 {
			return fmt.Errorf("--comparisons holds %d, want at least 1", n)
		}
	}
	return e.rates.Validate()
}

func (e *estimation) run(out io.Writer) error {
	estimates := e.rates.Estimates(e.scales...)
	if e.dir != "" {
		if err := claimReports(e.dir, e.overwrite, nil, "costs.html"); err != nil {
			return err
		}
		if err := audit.WriteCosts(e.dir, feedback.EstimateColumns(), costs(estimates), append(e.facts(), madeBy()...)...); err != nil {
			return err
		}
	}
	if e.asJSON {
		return printJSON(out, map[string]any{"rates": e.rates, "estimates": estimates})
	}
	if err := feedback.PrintEstimates(out, estimates); err != nil || e.dir == "" {
		return err
	}
	_, err := fmt.Fprintf(out, "\npage  %s\n", filepath.Join(e.dir, "costs.html"))
	return err
}

func costs(estimates []feedback.Estimate) []audit.Cost {
	out := make([]audit.Cost, len(estimates))
	for i, e := range estimates {
		out[i] = audit.Cost{Comparisons: e.Comparisons, HumanCost: e.HumanCost, AICost: e.AICost,
			HumanHours: e.HumanHours, AIHours: e.AIHours, Cells: e.Cells()}
	}
	return out
}

func (e *estimation) facts() []draw.Fact {
	r := e.rates
	return []draw.Fact{
		{Name: "people", Value: fmt.Sprintf("$%v a comparison, %v an hour, %v hours a day", r.HumanCost, r.HumanPerHour, r.HoursPerDay)},
		{Name: "judge", Value: fmt.Sprintf("$%v a comparison, %v an hour", r.AICost, r.AIPerHour)},
	}
}
