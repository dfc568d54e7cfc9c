package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/scoring"
)

func scoreCommand() *cobra.Command {
	var s scoreRun
	cmd := &cobra.Command{
		Use:   "score --model DIR --data FILE --out scores.parquet",
		Short: "Score texts, responses, conversations or pairs",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(required(cmd, "model", "data", "out"), positiveLength(cmd, s.maxLength)); err != nil {
				return err
			}
			s.log = cmd.OutOrStdout()
			var err error
			if s.file, err = localFile(cmd.Context(), s.file, s.log); err != nil {
				return err
			}
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&s.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&s.file, "data", "", "Parquet, JSON lines or CSV with text, or prompt and response, or messages, or pairs")
	flags.StringVar(&s.out, "out", "", "file to write, .parquet, .jsonl or .csv: the input's columns and the rewards")
	flags.StringToStringVar(&s.columns, "columns", nil, "field=column where the file's names differ")
	flags.IntVar(&s.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&s.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	devicesFlag(cmd, &s.devices)
	sharedPrefixFlag(cmd, &s.shares)
	overwriteFlag(cmd, &s.overwrite)
	return cmd
}

// scoreRun is one run of the command.
type scoreRun struct {
	ref, revision, file, out, backend string
	columns                           map[string]string
	maxLength, devices                int
	overwrite, shares                 bool
	log                               io.Writer
}

func (s *scoreRun) run(ctx context.Context) error {
	table, err := data.OpenTable(s.file, s.columns)
	if err != nil {
		return err
	}
	defer table.Close()
	for _, note := range table.Notes() {
		fmt.Fprintf(s.log, "%s: %s\n", s.file, note)
	}
	if err := claimFile(s.out, s.overwrite); err != nil {
		return err
	}
	backend, choice, err := openBackend(s.backend, s.log)
	if err != nil {
		return err
	}
	scorer, err := openScorer(ctx, s.ref, s.revision, s.maxLength, backend, devicesFor(s.devices, choice, backend, s.log), s.log)
	if err != nil {
		return err
	}
	defer scorer.Close()
	if err := sharePrefixes(scorer, s.shares); err != nil {
		return err
	}
	writer, err := data.NewScoreWriter(s.out, table, scorer.IsEnsemble())
	if err != nil {
		return err
	}
	bar := newProgress(s.log, "score", "rows", int(table.NumRows()))
	tally, err := scorer.ScoreTable(ctx, table, writer.Write, func(rows int) { bar.set(rows, int(table.NumRows()), "") })
	bar.finish()
	if err != nil {
		return errors.Join(err, writer.Abort())
	}
	if err := writer.Close(); err != nil {
		return err
	}
	warnUnread(scorer.Model, s.log)
	return s.print(tally, scorer.MaxLength, writer.Replaced())
}

func (s *scoreRun) print(tally scoring.Tally, maxLength int, replaced []string) error {
	for _, reason := range slices.Sorted(maps.Keys(tally.Unscored)) {
		fmt.Fprintf(s.log, "no reward for %d rows: %s\n", tally.Unscored[reason], reason)
	}
	if tally.Unscored[string(data.ReasonReward)] > 0 {
		fmt.Fprintf(s.log, "warning: the model gives rewards that are no finite numbers: its weights are damaged, or too large for float32; laurel verify --model %s tells more\n", s.ref)
	}
	for _, name := range replaced {
		fmt.Fprintf(s.log, "column %s of the input gave way to the new one\n", name)
	}
	if tally.Truncated > 0 {
		fmt.Fprintf(s.log, "%d sequences cut to max_length %d\n", tally.Truncated, maxLength)
	}
	scored := tally.Rows - tally.UnscoredRows()
	if _, err := fmt.Fprintf(s.log, "scored %d of %d rows: %s\n", scored, tally.Rows, s.out); err != nil {
		return err
	}
	if scored == 0 && tally.Rows > 0 {
		return fmt.Errorf("no row of %s could be scored: %s has the reason of each", s.file, s.out)
	}
	return nil
}
