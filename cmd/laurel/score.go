package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/scoring"
	"laurel/selection"
)

func scoreCommand() *cobra.Command {
	var s scoreRun
	cmd := &cobra.Command{
		Use:   "score --model DIR --data FILE --out scores.parquet",
		Short: "Score texts, responses, conversations or pairs",
		Args:  usageArgs(cobra.ArbitraryArgs), // shards of --merge
		RunE: func(cmd *cobra.Command, shards []string) error {
			s.shards = shards
			if err := s.check(cmd); err != nil {
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
	dtypeFlag(cmd, &s.dtype)
	sharedPrefixFlag(cmd, &s.shares)
	shardFlags(cmd, &s.part, &s.merge)
	flags.IntVar(&s.groupRows, "group-rows", scoring.GroupRows, "rows that are scored and kept together; a shard has whole groups")
	flags.BoolVar(&s.probability, "probability", false, "of pairs: also the probability that chosen is the better one, at the temperature stored with the model")
	s.selectFlags(flags)
	overwriteFlag(cmd, &s.overwrite)
	return cmd
}

// scoreRun is one run of the command.
type scoreRun struct {
	ref, revision, file, out, backend, dtype string
	part                                     string // --shard
	shards                                   []string
	columns                                  map[string]string
	maxLength, devices, groupRows            int
	overwrite, shares, merge, probability    bool
	log                                      io.Writer

	choice         selection.Config
	sftOut, dpoOut string // "" where nothing is selected
	chooser        *selection.Selection
	backends       backends
}

// check refuses flags that are missing or make no sense together.
func (s *scoreRun) check(cmd *cobra.Command) error {
	needed := []string{"model", "data", "out"}
	if s.merge {
		needed = needed[1:]
	}
	if err := cmp.Or(required(cmd, needed...), positiveLength(cmd, s.maxLength)); err != nil {
		return err
	}
	if s.merge {
		if err := unused(cmd, "--merge scores nothing, and writes what the shards hold", "revision", "max-length", "backend", "devices", "dtype", "shared-prefix", "group-rows"); err != nil {
			return err
		}
	}
	switch {
	case s.merge && (s.part != "" || s.ref != ""):
		return usage(cmd, errors.New("--merge scores nothing: leave --model and --shard out"))
	case s.merge && s.probability:
		return usage(cmd, errors.New("--probability belongs to the commands that score the shards: --merge writes what they were asked for"))
	case !s.merge && len(s.shards) > 0:
		return usage(cmd, fmt.Errorf("score takes one --data, and %s stands beside it: score each file by itself (behind the flags of --merge stand shards)", strings.Join(s.shards, ", ")))
	case s.groupRows < 1:
		return usage(cmd, fmt.Errorf("--group-rows is %d, want at least 1", s.groupRows))
	}
	folder, _ := os.Stat(s.out)
	if err := data.CheckScoreName(s.out); err != nil && (folder == nil || !folder.IsDir()) { // of which claimOutputs tells
		return usage(cmd, fmt.Errorf("--out %w", err))
	}
	return s.checkSelection(cmd)
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
	if s.probability && !table.Pairs() {
		return fmt.Errorf("--probability: %s has no pairs: a probability compares two responses", s.file)
	}
	if s.selects() {
		if s.chooser, err = selection.New(s.file, s.columns, s.choice); err != nil {
			return err
		}
		defer s.chooser.Close()
	}
	switch {
	case s.merge:
		return s.mergeShards(table)
	case s.part != "":
		return s.runShard(ctx, table)
	}
	if err := s.claimOutputs(); err != nil {
		return err
	}
	path, err := s.scoreShard(ctx, table, data.Whole)
	if err != nil {
		return err
	}
	whole, err := scoring.OpenShards([]string{path})
	if err == nil {
		err = s.write(whole, table)
	}
	if err != nil {
		return err
	}
	return whole.Remove()
}

// scoreShard scores what is not yet kept of a shard, into the file that it gives.
func (s *scoreRun) scoreShard(ctx context.Context, table *data.Table, shard data.Shard) (path string, err error) {
	scorer, task, err := s.open(ctx, table)
	if err != nil {
		return "", err
	}
	defer scorer.Close()
	path = shardPath(s.out, shard)
	kept, err := scoring.OpenShard(path, task, shard, s.overwrite)
	if errors.Is(err, scoring.ErrOtherTask) {
		err = fmt.Errorf("%w: go on with that run's command, or add --overwrite to score anew, or name another --out", err)
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if kept.Repaired != "" {
		fmt.Fprintln(s.log, kept.Repaired)
	}
	if kept.Kept > 0 {
		fmt.Fprintf(s.log, "%d groups of %d rows are scored already: %s\n", kept.Kept, s.groupRows, path)
	}
	bar := newProgress(s.log, "score", "rows", int(table.NumRows()))
	err = scorer.ScoreShard(ctx, table, kept, func(rows int) { bar.set(rows, int(table.NumRows()), "") })
	bar.finish()
	warnUnread(scorer.Model, s.log)
	if err == nil && kept.Groups.From == 0 && kept.Rows > 0 {
		fmt.Fprintf(s.log, "shard %v has no rows (the file has %d, in groups of %d): smaller --group-rows give every shard some\n", shard, kept.Rows, s.groupRows)
	}
	if errors.Is(err, context.Canceled) && kept.Groups.From > 0 {
		err = fmt.Errorf("interrupted: what is scored is kept in %s, and the same command goes on", path)
	}
	return path, err
}

// open opens the model, and says what decides the scores that it gives the table.
func (s *scoreRun) open(ctx context.Context, table *data.Table) (scorer *scoring.Scorer, task scoring.Task, err error) {
	backend, choice, err := s.backends.open(s.backend, s.log)
	if err != nil {
		return nil, task, err
	}
	dir, err := modelDir(ctx, s.ref, s.revision, s.log)
	if err != nil {
		return nil, task, err
	}
	if scorer, err = openScorer(ctx, dir, "main", s.maxLength, backend, devicesFor(s.devices, choice, backend, s.log), s.log); err != nil {
		return nil, task, err
	}
	task = scoring.Task{GroupRows: s.groupRows, Pairs: table.Pairs(), Ensemble: scorer.IsEnsemble(), Settings: map[string]string{
		"max-length": fmt.Sprint(scorer.MaxLength), "truncation side": scorer.Side.String(), "template date": scorer.TemplateDate(),
		"shared-prefix": fmt.Sprint(s.shares), "backend": choice.Name}}
	if s.dtype != "float32" {
		task.Settings["dtype"] = s.dtype
	}
	for field, column := range s.columns {
		task.Settings["columns "+field] = column
	}
	err = errors.Join(sharePrefixes(scorer, s.shares), setDType(scorer, choice, s.dtype, s.log))
	if err == nil && s.probability {
		task.Temperature, err = temperatureFor(dir, "probability", s.log)
	}
	if err == nil {
		scorer.Prepare(table, s.groupRows)
		task.Model, err = modelHash(ctx, dir, s.log)
	}
	if err == nil {
		task.Input, err = scoring.InputHash(s.file)
	}
	if err != nil {
		return nil, task, errors.Join(err, scorer.Close())
	}
	return scorer, task, nil
}

// write writes the scores beside the input's columns, and what is selected by them.
func (s *scoreRun) write(shards *scoring.Shards, table *data.Table) error {
	var each func([]data.Score) error
	if s.chooser != nil {
		each = s.chooser.Take
	}
	tally, replaced, err := shards.Write(s.out, table, each)
	if err != nil {
		return err
	}
	if err := s.print(tally, shards.Task.Settings["max-length"], replaced); err != nil || s.chooser == nil {
		return err
	}
	summary, err := s.chooser.Write(s.sftOut, s.dpoOut)
	if err != nil {
		return err
	}
	return s.printSelection(summary)
}

func (s *scoreRun) print(tally scoring.Tally, maxLength string, replaced []string) error {
	for _, reason := range slices.Sorted(maps.Keys(tally.Unscored)) {
		fmt.Fprintf(s.log, "no reward for %d rows: %s\n", tally.Unscored[reason], reason)
	}
	if tally.Unscored[string(data.ReasonReward)] > 0 {
		fmt.Fprintf(s.log, "warning: the model gives rewards that are no finite numbers: its weights are damaged, or too large for float32; laurel verify --model %s tells more\n", cmp.Or(s.ref, "DIR"))
	}
	for _, name := range replaced {
		fmt.Fprintf(s.log, "column %s of the input gave way to the new one\n", name)
	}
	if tally.Truncated > 0 {
		fmt.Fprintf(s.log, "%d sequences cut to max_length %s\n", tally.Truncated, maxLength)
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
