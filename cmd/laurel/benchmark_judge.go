package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/configs"
	"laurel/data"
	"laurel/eval/benchmarks"
	"laurel/feedback"
	"laurel/labels"
)

// judgeFlags are those of a benchmark of a judge, as laurel label has them.
func (b *benchmarking) judgeFlags(flags *pflag.FlagSet) {
	flags.StringVar(&b.judge, "judge", "", "measure a judge of this kind: heuristic, openai, or reward with --model")
	flags.StringVar(&b.judgeConfig, "config", "", "YAML file of judges, as for laurel label")
	flags.StringArrayVar(&b.settings, "set", nil, "key=value over the file, such as judges.0.openai.model=NAME")
	flags.String("constitution", "", "a shipped one by its name, or a YAML file")
	flags.Float64("max-cost", 0, "dollars that all runs into --out may spend together")
	flags.Int("max-requests", 0, "requests that all runs into --out may send together")
	flags.BoolVar(&b.dry, "dry-run", false, "say what a judge would be asked and what it would cost")
}

// judged tells whether a judge is measured.
func (b *benchmarking) judged(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("judge") || cmd.Flags().Changed("config")
}

// checkJudge refuses flags of judges where a model is measured.
func (b *benchmarking) checkJudge(cmd *cobra.Command) error {
	if b.judged(cmd) {
		return nil
	}
	for _, name := range []string{"set", "constitution", "max-cost", "max-requests", "dry-run"} {
		if cmd.Flags().Changed(name) {
			return usage(cmd, fmt.Errorf("--%s is of a judge: name one with --judge or --config", name))
		}
	}
	return nil
}

// asking is a label run that asks a judge about the benchmark's comparisons.
func (b *benchmarking) asking(cmd *cobra.Command) (*labelling, error) {
	settings := flagSettings(cmd.Flags(), map[string]string{"constitution": "constitution", "max-cost": "budget.max_cost", "max-requests": "budget.max_requests"})
	switch {
	case b.judge == "reward" && b.ref != "":
		settings = append(settings, flagSetting{"judge", "judges", fmt.Sprintf("[{kind: reward, reward: {model: %q, backend: %q}}]", b.ref, b.backend)})
	case b.judge != "":
		settings = append(settings, flagSetting{"judge", "judges", fmt.Sprintf("[{kind: %q}]", b.judge)})
	}
	all, err := withSet(cmd, settings, b.settings)
	if err != nil {
		return nil, err
	}
	config, err := configs.LoadLabel(b.judgeConfig, all)
	if err != nil {
		return nil, err
	}
	if config.Position == feedback.PositionOff {
		return nil, errors.New("position is off: a benchmark asks a judge in both orders; leave position out")
	}
	l := &labelling{config: config, dir: b.dir, files: b.files, dry: b.dry, asJSON: b.asJSON, out: b.out, log: b.log}
	return l, l.openConstitution()
}

// runJudge asks a judge about every comparison in both orders, and measures.
func (b *benchmarking) runJudge(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	l, err := b.asking(cmd)
	if err != nil {
		return err
	}
	set, err := b.read()
	if err != nil {
		return err
	}
	if !b.dry {
		if err := claimReports(b.dir, b.overwrite, append(slices.Clone(b.files), b.ref), benchmarkFile); err != nil {
			return err
		}
	}
	store, err := openStore(b.dir, b.dry, b.log)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	judges, err := l.openJudges(ctx, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, judges.close()) }()
	run := &feedback.Labelling{Constitution: l.constitution, Judges: judges.judges, Policy: l.config.Policy(), InFlight: l.config.OpenQuestions(), Store: store, Comparisons: asked(ctx, set)}
	if b.dry {
		return l.dryRun(ctx, run, judges.costs)
	}
	answers, err := b.ask(ctx, l, run, set)
	if err != nil {
		return err
	}
	result := answers.Measure()
	result.Model = b.called()
	if err := b.write(result); err != nil {
		return err
	}
	return b.tell(result, nil)
}

// asked gives the comparisons as the rows of a file are given.
func asked(ctx context.Context, set *benchmarks.Set) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	all := set.Comparisons()
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return untilDone(ctx, func(yield func(data.Comparison, error) bool) {
			for _, c := range all {
				if counts != nil {
					counts.Add(data.Counts{Read: 1, Kept: 1})
				}
				if !yield(c, nil) {
					return
				}
			}
		})
	}
}

// ask puts the questions, and says what became of them. Where it ends before all
// are answered nothing is measured; the same command goes on.
func (b *benchmarking) ask(ctx context.Context, l *labelling, run *feedback.Labelling, set *benchmarks.Set) (*benchmarks.Answers, error) {
	plan, err := run.Plan(nil)
	if err != nil {
		return nil, err
	}
	l.printPlan(plan, run)
	answers := benchmarks.NewAnswers(set)
	bar := newProgress(b.log, "ask", "questions", plan.Questions)
	run.Progress = func(p feedback.Progress) {
		bar.set(plan.Kept+p.Asked, plan.Questions, fmt.Sprintf("$%.2f spent", p.Spent.Cost))
	}
	quiet := announceInterrupt(ctx, b.log, l.config.GracePeriod())
	summary, err := feedback.Label(ctx, run, func(label labels.Label) error {
		answers.Add(label.ID, label.AFirst, label.BFirst)
		return nil
	})
	bar.finish()
	quiet()
	if err == nil && summary.Stopped != nil {
		err = l.whatIsLeft(summary)
	}
	if err != nil {
		if summary != nil {
			err = stoppedError(err, b.dir, plan.Kept, summary.Received, summary.SpentNow.Cost)
		}
		return nil, err
	}
	if err := l.printJudges(summary); err != nil {
		return nil, err
	}
	return answers, run.Store.Finish()
}
