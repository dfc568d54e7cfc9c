package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/scoring"
)

func ensembleCommand() *cobra.Command {
	var e ensembling
	cmd := &cobra.Command{
		Use:   "ensemble A B… --out DIR",
		Short: "Average the weights of several models, or score with all of them",
		Args:  usageArgs(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, refs []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			if cmd.Flags().Changed("center") && !e.scorer {
				return usage(cmd, fmt.Errorf("--center is for --scorer: averaged weights have one offset"))
			}
			if !e.scorer {
				if err := unused(cmd, "averaged weights have no spread, of which --scorer takes k", "k"); err != nil {
					return err
				}
			}
			if !(e.k >= 0) || math.IsInf(e.k, 0) {
				return usage(cmd, fmt.Errorf("--k is %v, want 0 or more", e.k))
			}
			e.refs, e.log = refs, cmd.OutOrStdout()
			return e.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.out, "out", "", "directory to write")
	flags.BoolVar(&e.scorer, "scorer", false, "keep the members apart: score gives their mean, standard deviation and lower bound")
	flags.Float64Var(&e.k, "k", 1, "with --scorer, reward_lower is mean - k·std")
	flags.StringVar(&e.center, "center", "", "with --scorer, a file whose mean reward becomes each member's zero")
	flags.StringVar(&e.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	overwriteFlag(cmd, &e.overwrite)
	return cmd
}

// ensembling is one run of the command.
type ensembling struct {
	refs                 []string
	out, center, backend string
	scorer, overwrite    bool
	k                    float64
	log                  io.Writer
}

func (e *ensembling) run(ctx context.Context) error {
	if err := claimModelFolder(e.out, e.overwrite, e.refs...); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	if e.scorer {
		return e.writeScorer(ctx)
	}
	return e.average(ctx)
}

// average writes the mean of the weights as one Hugging Face directory.
func (e *ensembling) average(ctx context.Context) error {
	options, finish := opening("main", 0, e.log)
	defer finish()
	m, err := scoring.Average(ctx, e.refs, options)
	if err != nil {
		return err
	}
	defer m.Close()
	backend, choice, err := openBackend(e.backend, e.log)
	if err != nil {
		return err
	}
	if err := m.Export(e.out, backend, choice.String(), version()); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	_, err = fmt.Fprintf(e.log, "wrote %s: the mean of %d models' weights\n", e.out, len(e.refs))
	return err
}

// writeScorer writes the directory that names the members.
func (e *ensembling) writeScorer(ctx context.Context) (err error) {
	options, finish := opening("main", 0, e.log)
	defer finish()
	together := scoring.Together{K: e.k, Center: e.center}
	if e.center != "" {
		if together.File, err = e.centreFile(ctx); err != nil {
			return fmt.Errorf("ensemble: --center: %w", err)
		}
		if together.On, _, err = openBackend(e.backend, e.log); err != nil {
			return err
		}
	}
	if err := scoring.WriteEnsemble(ctx, e.out, e.refs, together, options); err != nil {
		return err
	}
	if e.center == "" {
		fmt.Fprintln(e.log, "members are not centred: reward_std holds the constants by which separately trained rewards differ; --center FILE takes them off")
	}
	_, err = fmt.Fprintf(e.log, "wrote %s: %d members; score it with: laurel score --model %s\n", e.out, len(e.refs), e.out)
	return err
}

// centreFile finds the file of --center, and opens it for a moment: the models
// are loaded after it.
func (e *ensembling) centreFile(ctx context.Context) (string, error) {
	file, err := localFile(ctx, e.center, e.log)
	if err != nil {
		return "", err
	}
	table, err := data.OpenTable(file, nil)
	if err != nil {
		return "", err
	}
	return file, table.Close()
}
