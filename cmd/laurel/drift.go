package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/drift"
	"laurel/eval/draw"
)

// Files of a drift directory.
const (
	driftReport = "drift.json"
	driftPage   = "drift.html"
)

func driftCommand() *cobra.Command {
	d := driftRun{config: drift.Default()}
	cmd := &cobra.Command{
		Use:   "drift --reference FILE --data FILE [--out DIR]",
		Short: "Compare two sets of prompts and responses: what a reward model has not seen",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := required(cmd, "reference", "data"); err != nil {
				return err
			}
			if d.config.Most < 1 {
				return usage(cmd, fmt.Errorf("--prompts is %d, want at least 1", d.config.Most))
			}
			var log io.Writer
			d.out, log = outputs(cmd, d.asJSON)
			if d.reference, err = localFile(cmd.Context(), d.reference, log); err != nil {
				return err
			}
			if d.file, err = localFile(cmd.Context(), d.file, log); err != nil {
				return err
			}
			return d.run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&d.reference, "reference", "", "what the reward model learnt from: pairs, prompt and response, messages, or prompts alone")
	flags.StringVar(&d.file, "data", "", "what is compared with it, in any of these forms")
	flags.StringVar(&d.dir, "out", "", "directory for drift.json and drift.html")
	flags.StringToStringVar(&d.columns, "columns", nil, "field=column where the files' names differ")
	flags.StringArrayVar(&d.rewards, "reward", nil, "a column of rewards that both files have, as laurel score writes it; of pairs name two")
	flags.StringVar(&d.onBadRow, "on-bad-row", "fail", "fail or skip; what is skipped is counted")
	flags.IntVar(&d.config.Most, "prompts", d.config.Most, "compare so many prompts of a file at most, drawn")
	flags.Uint64Var(&d.config.Seed, "seed", d.config.Seed, "of which prompts are drawn")
	flags.BoolVar(&d.asJSON, "json", false, "print the report as JSON")
	overwriteFlag(cmd, &d.overwrite)
	return cmd
}

// driftRun is one run of the command.
type driftRun struct {
	reference, file, dir, onBadRow string
	columns                        map[string]string
	rewards                        []string
	config                         drift.Config
	asJSON, overwrite              bool
	out                            io.Writer
}

func (d *driftRun) run() error {
	if d.dir != "" {
		if err := claimReports(d.dir, d.overwrite, []string{d.reference, d.file}, driftReport, driftPage); err != nil {
			return err
		}
	}
	read := data.ReadConfig{Columns: d.columns, OnBadRow: d.onBadRow}
	reference, err := drift.Read(d.reference, read, d.rewards)
	if err != nil {
		return err
	}
	of, err := drift.Read(d.file, read, d.rewards)
	if err != nil {
		return err
	}
	report, err := drift.Between(reference, of, d.config)
	if err != nil {
		return err
	}
	return d.write(report)
}

func (d *driftRun) write(report *drift.Report) error {
	facts := []draw.Fact{{Name: "reference", Value: d.reference}, {Name: "data", Value: d.file}, {Name: "rewards", Value: strings.Join(d.rewards, ", ")}}
	page := func(path string) error { return report.WriteHTML(path, append(facts, madeBy()...)...) }
	return publish(report, d.dir, driftReport, driftPage, page, d.asJSON, d.out)
}
