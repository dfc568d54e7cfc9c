package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback"
)

func constitutionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "constitution check FILE | show FILE | sweep LABELS",
		Short: "Check a constitution, show what a judge is asked by it, or sweep its weights",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("constitution needs check or show, and a file or the name of a shipped constitution, or sweep and a directory of labels: "+strings.Join(configs.ConstitutionNames(), ", ")))
		},
	}
	cmd.AddCommand(constitutionCheckCommand(), constitutionShowCommand(), constitutionSweepCommand())
	return cmd
}

func constitutionCheckCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Validate a constitution and advise on it",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := configs.Constitution(args[0])
			if err != nil {
				return err
			}
			return printConstitution(cmd.OutOrStdout(), c, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printConstitution prints the principles with their weights, and the advice.
func printConstitution(out io.Writer, c *feedback.Constitution, asJSON bool) error {
	advice := feedback.Advise(c)
	if asJSON {
		return printJSON(out, struct {
			*feedback.Constitution
			Advice []feedback.Advice `json:"advice"`
		}{c, advice})
	}
	fmt.Fprintf(out, "%s: %d principles, total weight %.4g\n", c.Name, len(c.Principles), c.TotalWeight())
	for _, p := range c.Principles {
		fmt.Fprintf(out, "  %-44s %-5.3g %s\n", p.Name, p.Weight, strings.Repeat("#", int(20*p.Weight/c.TotalWeight()+0.5)))
	}
	if len(advice) == 0 {
		_, err := fmt.Fprintln(out, "no advice")
		return err
	}
	for _, a := range advice {
		if _, err := fmt.Fprintf(out, "advice (%s): %v\n", a.Kind, a); err != nil {
			return err
		}
	}
	return nil
}

func constitutionShowCommand() *cobra.Command {
	var s constitutionShow
	cmd := &cobra.Command{
		Use:   "show FILE [--data FILE --id ID] [--principle NAME] [--form reasoned|letter] [--swapped]",
		Short: "Print the exact prompt that a judge gets for a comparison",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.form != string(feedback.FormReasoned) && s.form != string(feedback.FormLetter) {
				return usage(cmd, fmt.Errorf("--form is %q, want reasoned or letter", s.form))
			}
			if s.file != "" {
				var err error
				if s.file, err = localFile(cmd.Context(), s.file, cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			return s.run(cmd.OutOrStdout(), args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.file, "data", "", "file of comparisons (default: a made-up one)")
	flags.StringVar(&s.id, "id", "", "id of the comparison (default: the first)")
	flags.StringToStringVar(&s.columns, "columns", nil, "field=column where the file's names differ")
	flags.StringVar(&s.principle, "principle", "", "one principle (default: all)")
	flags.StringVar(&s.form, "form", string(feedback.FormReasoned), "reasoned, or letter for log-probabilities")
	flags.BoolVar(&s.swapped, "swapped", false, "show response B first")
	return cmd
}

// constitutionShow is one run of the command.
type constitutionShow struct {
	file, id, principle, form string
	columns                   map[string]string
	swapped                   bool
}

func (s *constitutionShow) run(out io.Writer, name string) error {
	c, err := configs.Constitution(name)
	if err != nil {
		return err
	}
	if s.principle != "" {
		if c, err = c.Only([]string{s.principle}); err != nil {
			return err
		}
	}
	if err := c.ForComparison(); err != nil {
		return err
	}
	comparison, err := s.comparison()
	if err != nil {
		return err
	}
	for i := range c.Principles {
		p := &c.Principles[i]
		fmt.Fprintf(out, "== %s, weight %.3g, comparison %s\n", p.Name, p.Weight, comparison.ID)
		for _, m := range feedback.EvaluationPrompt(feedback.Question{Comparison: &comparison, Principle: p, Swapped: s.swapped}, feedback.Form(s.form)) {
			if _, err := fmt.Fprintf(out, "-- %s\n%s\n", m.Role, m.Content); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparison is the one asked for, else the file's first, else a made-up one.
func (s *constitutionShow) comparison() (data.Comparison, error) {
	if s.file == "" {
		return data.Comparison{ID: "made-up", Prompt: data.Text{Plain: "How do I learn programming?"},
			A: data.Text{Plain: "Start with Python, and practice daily with small projects."}, B: data.Text{Plain: "Just do it."}}, nil
	}
	var counts data.Counts
	for c, err := range data.ReadComparisons([]string{s.file}, data.ReadConfig{Columns: s.columns, OnBadRow: "skip"}, &counts) {
		if err != nil {
			return c, err
		}
		if s.id == "" || c.ID == s.id {
			return c, nil
		}
	}
	return data.Comparison{}, fmt.Errorf("%s: no comparison has the id %q (%s)", s.file, s.id, &counts)
}
