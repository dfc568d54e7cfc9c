package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/feedback"
	"laurel/loop"
)

func loopCommand() *cobra.Command {
	var l looping
	cmd := &cobra.Command{
		Use:   "loop --config FILE --out DIR [--set key=value]…",
		Short: "Rounds of AI feedback: generate, label, train, evaluate, ask people",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			needed := []string{"config", "out"}
			if l.dry {
				needed = needed[:1]
			}
			if err := required(cmd, needed...); err != nil {
				return err
			}
			settings, err := withSet(cmd, flagSettings(cmd.Flags(), map[string]string{"max-cost": "budget.max_cost", "max-requests": "budget.max_requests", "rounds": "rounds"}), l.settings)
			if err != nil {
				return err
			}
			if l.rounds, err = loop.Load(l.path, settings); err != nil {
				return err
			}
			l.out, l.log = outputs(cmd, l.asJSON)
			return l.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&l.path, "config", "", "YAML file of the loop")
	flags.StringVar(&l.dir, "out", "", "directory for the rounds, the answers, loop.json and loop.html; a loop that is there goes on")
	flags.StringArrayVar(&l.settings, "set", nil, "key=value over the file, such as label.min_confidence=0.7, for all rounds")
	flags.Int("rounds", 0, "rounds in all")
	flags.Float64("max-cost", 0, "dollars that all steps of all rounds may spend together")
	flags.Int("max-requests", 0, "requests that all steps of all rounds may send together")
	flags.BoolVar(&l.dry, "dry-run", false, "say what all rounds would ask and cost")
	flags.BoolVar(&l.asJSON, "json", false, "print loop.json")
	return cmd
}

// looping is one run of the command.
type looping struct {
	path, dir   string
	settings    []string
	dry, asJSON bool
	out, log    io.Writer

	rounds   []loop.Config
	files    []string // of prompts
	split    *loop.Split
	store    sharedStore
	state    *loop.State
	backends backends
	models   map[string]loop.Inputs // the files of the models that rounds start from, by folder
	loop     *loop.Loop
}

// run is the whole line: prompts, store, state, rounds.
func (l *looping) run(ctx context.Context) (err error) {
	if l.files, err = localData(ctx, l.first().Prompts, l.log); err != nil {
		return err
	}
	if l.split, err = loop.NewSplit(l.prompts(ctx), l.first()); err != nil {
		return err
	}
	fmt.Fprintf(l.log, "%s: %d prompts are held out, %d are of each of %d rounds, %d of none\n", strings.Join(l.files, ", "), l.split.HeldOut, l.split.PerRound, len(l.rounds), l.split.Unused)
	store, err := openStore(l.dir, l.dry, l.log)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	l.store, l.backends, l.models = sharedStore{store, l.dir}, backends{}, map[string]loop.Inputs{}
	if l.dry {
		return l.dryRun(ctx)
	}
	if l.state, err = loop.LoadState(l.dir); err != nil {
		return err
	}
	l.loop = &loop.Loop{Dir: l.dir, Rounds: l.rounds, Split: l.split, State: l.state, Spent: store.Spent, Steps: l.steps, Finish: l.finish, Log: l.log}
	if err := l.loop.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintf(l.log, "\nall rounds: %s\n", spent(store.Spent()))
	return l.report()
}

func (l *looping) first() loop.Config { return l.rounds[0] }

// prompts reads all prompts, until Ctrl-C.
func (l *looping) prompts(ctx context.Context) iter.Seq2[data.Prompt, error] {
	d := l.first().Generate.Data
	return untilDone(ctx, data.ReadPrompts(l.files, data.ReadConfig{Columns: d.Columns, OnBadRow: d.OnBadRow}, nil))
}

// finish says that nothing of a round is under way any more, and what it came to.
func (l *looping) finish(int) error {
	return errors.Join(l.store.Finish(), l.write())
}

// write writes what changed from round to round.
func (l *looping) write() error {
	report := loop.NewReport(l.state)
	if err := data.WriteAside(filepath.Join(l.dir, "loop.json"), func(w io.Writer) error { return printJSON(w, report) }); err != nil {
		return err
	}
	return report.WriteHTML(filepath.Join(l.dir, "loop.html"), l.first())
}

// report prints what all rounds came to.
func (l *looping) report() error {
	if err := l.write(); err != nil { // a killed loop may have finished a round and not written it
		return err
	}
	report := loop.NewReport(l.state)
	if l.asJSON {
		return printJSON(l.out, report)
	}
	if err := report.Print(l.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(l.out, "report %s\n", filepath.Join(l.dir, "loop.html"))
	return err
}

// budgeted are a round's sections that ask, each with the loop's budget and reading
// what the loop itself wrote.
func budgeted(c loop.Config) (feedback.GenerateConfig, feedback.Config) {
	own := feedback.DataConfig{Columns: map[string]string{}, OnBadRow: "fail"}
	c.Generate.Budget, c.Label.Budget = c.Budget, c.Budget
	c.Generate.Data, c.Label.Data = own, own
	return c.Generate, c.Label
}
