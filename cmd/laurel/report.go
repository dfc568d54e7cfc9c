package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"laurel/report"
)

func reportCommand() *cobra.Command {
	r := reporting{}
	cmd := &cobra.Command{
		Use:   "report RUN… --out FILE.html",
		Short: "Write one page of runs and their evaluations, side by side where there are several",
		Args:  usageArgs(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, runs []string) error {
			r.runs, r.out = runs, cmd.OutOrStdout()
			if err := r.check(cmd); err != nil {
				return err
			}
			return r.run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.file, "out", "", "HTML file to write")
	flags.IntVar(&r.examples, "examples", 10_000, "the list of examples holds so many at most, those that surprise most")
	overwriteFlag(cmd, &r.overwrite)
	return cmd
}

// reporting is one run of the command.
type reporting struct {
	runs      []string
	file      string
	examples  int
	overwrite bool
	out       io.Writer
}

func (r *reporting) check(cmd *cobra.Command) error {
	switch {
	case len(r.runs) == 0:
		return usage(cmd, errors.New("laurel report needs a run: the --out of laurel train or of laurel eval"))
	case r.examples < 0:
		return usage(cmd, fmt.Errorf("--examples is %d, want 0 or more", r.examples))
	}
	return cmp.Or(required(cmd, "out"), endsIn(cmd, "out", r.file, ".html", ".htm"))
}

func (r *reporting) run() error {
	if err := claimFile(r.file, r.overwrite, r.runs...); err != nil {
		return err
	}
	var opened []*report.Run
	for _, dir := range r.runs {
		run, err := report.Open(dir)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		opened = append(opened, run)
	}
	page, err := report.New(opened, r.examples)
	if err == nil {
		err = page.Write(r.file)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	fmt.Fprintln(r.out, page.Verdict())
	for _, warning := range page.Warnings() {
		fmt.Fprintf(r.out, "warning: %s\n", warning)
	}
	_, err = fmt.Fprintf(r.out, "\nreport  %s\n", r.file)
	return err
}
