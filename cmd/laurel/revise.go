package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback"
	"laurel/feedback/chat"
)

func reviseCommand() *cobra.Command {
	var r revision
	cmd := &cobra.Command{
		Use:   "revise --data FILE… --out DIR [--config FILE] [--set key=value]…",
		Short: "Answer prompts, criticise and revise the answers under a constitution",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			keys := map[string]string{"constitution": "constitution", "rounds": "rounds", "principles-per-round": "principles_per_round", "order": "order", "pairs": "pairs"}
			load := func(path string, settings []string) (err error) {
				r.config, err = configs.LoadRevise(path, settings)
				return err
			}
			if err := r.open(cmd, more, keys, nil, load); err != nil {
				return err
			}
			return r.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&r.files, "data", nil, "files of prompts: prompt, and response where there is an answer to begin with")
	flags.StringVar(&r.dir, "out", "", "directory for messages, chains, pairs, revise.json and the answers")
	flags.StringArrayVar(&r.settings, "set", nil, "key=value over the file, such as chat.model=NAME")
	flags.String("constitution", "", "a shipped one by its name, or a YAML file")
	flags.Int("rounds", 0, "rounds of critique and revision")
	flags.Int("principles-per-round", 0, "principles that take their turns in a round")
	flags.String("order", "", "sequence or sample: how principles take their turns")
	flags.Bool("pairs", false, "also write the last revision and the first answer as pairs")
	r.register(cmd, reviseFile)
	return cmd
}

// revision is one run of the command.
type revision struct {
	promptRun
	config feedback.ReviseConfig

	constitution *feedback.Constitution
	left         []feedback.LeftOut
}

// run is the whole line: constitution, store, plan, chat, chains, report.
func (r *revision) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if r.constitution, err = openConstitution(r.config.Constitution, r.config.Principles); err != nil {
		return err
	}
	if err := cmp.Or(r.config.Fits(r.constitution), r.checkOutput()); err != nil {
		return err
	}
	store, err := openStore(r.dir, r.dry, r.log)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	c := r.config
	run := &feedback.Revising{Constitution: r.constitution, Model: c.Chat, Rounds: c.Rounds, PerRound: c.PerRound, Order: c.Order, Seed: c.Seed,
		Store: store, Prompts: r.prompts(ctx, c.Data)}
	if r.dry {
		return r.dryRun(run)
	}
	plan, err := run.Plan(nil)
	if err != nil {
		return err
	}
	r.printPlan(plan)
	client, err := chat.New(c.Chat, openBudget(c.Budget, store))
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	run.Complete = client.Complete
	quiet := announceInterrupt(ctx, r.log, c.Chat.GracePeriod)
	summary, err := r.revise(ctx, run, plan)
	quiet()
	if summary != nil {
		summary.FailedAttempts = client.FailedAttempts()
	}
	if err == nil {
		if err = r.finish(summary); err != nil {
			return err
		}
	}
	if summary != nil {
		err = cmp.Or(err, summary.Stopped)
	}
	if err != nil && summary != nil {
		err = stoppedError(err, r.dir, plan.Kept, summary.Received, summary.SpentNow.Cost)
	}
	return err
}

// checkOutput refuses to replace what is read, or the output of another run.
func (r *revision) checkOutput() (err error) {
	outputs := []string{feedback.MessagesFile + ".jsonl", feedback.ChainFile + ".jsonl", feedback.RevisionPairsFile + ".jsonl"}
	if err := apartFolder(r.dir, r.files, outputs...); err != nil {
		return err
	}
	if r.resolved, err = configs.YAML(r.config); err != nil || r.dry || r.overwrite {
		return err
	}
	now, err := newRunRecord(r.files, r.resolved, r.constitution)
	if err != nil {
		return err
	}
	return checkReplaced(r.dir, reviseFile, outputs, now, false)
}

// revise asks what must be asked and writes the files of chains.
func (r *revision) revise(ctx context.Context, run *feedback.Revising, plan *feedback.RevisionPlan) (*feedback.RevisionSummary, error) {
	writer, err := feedback.NewChainWriter(r.dir, r.config.Pairs)
	if err != nil {
		return nil, err
	}
	bar := newProgress(r.log, "revise", "prompts", plan.Rows.Kept)
	run.Progress = func(done int, spent chat.Spent) {
		bar.set(done, plan.Rows.Kept, fmt.Sprintf("$%.2f spent", spent.Cost))
	}
	leave := func(l feedback.LeftOut) error {
		r.left = append(r.left, l)
		return nil
	}
	summary, err := feedback.Revise(ctx, run, writer.Write, leave)
	bar.finish()
	if err != nil || summary.Useless() {
		return summary, errors.Join(err, writer.Abort())
	}
	return summary, writer.Close()
}

// finish writes what is said of the run.
func (r *revision) finish(summary *feedback.RevisionSummary) error {
	record, err := r.record(r.resolved, summary)
	if err != nil {
		return err
	}
	report := revisionReport(summary)
	leftOut := func() error { return writeLines(filepath.Join(r.dir, leftOutFile), r.left) }
	steps := []func() error{
		r.dropOldPairs, leftOut,
		func() error { return data.WriteFile(filepath.Join(r.dir, "config.yaml"), r.resolved) },
		func() error {
			return report.Write(r.dir, fmt.Sprintf("data %s · constitution %s · model %s", strings.Join(r.files, ", "), r.constitution.Name, r.config.Chat.Model), append(r.facts(summary), madeBy()...)...)
		},
	}
	if summary.Useless() {
		steps = []func() error{leftOut}
	}
	steps = append(steps, func() error { // last: it says that the run is finished
		return data.WriteAside(filepath.Join(r.dir, reviseFile), func(w io.Writer) error { return printJSON(w, record) })
	})
	for _, write := range steps {
		if err := write(); err != nil {
			return err
		}
	}
	switch {
	case r.asJSON:
		return printJSON(r.out, record)
	case summary.Useless():
		return nil // the error says it all
	}
	return r.printSummary(summary, report)
}

// dropOldPairs removes the pairs of an earlier run: they are not of this one's
// chains.
func (r *revision) dropOldPairs() error {
	if r.config.Pairs {
		return nil
	}
	for _, ext := range []string{".jsonl", ".parquet"} {
		path := filepath.Join(r.dir, feedback.RevisionPairsFile+ext)
		switch err := os.Remove(path); {
		case err == nil:
			fmt.Fprintf(r.log, "removed %s of an earlier run with --pairs\n", path)
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	return nil
}
