package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/feedback"
)

// promptRun is what the commands that have models write to prompts are called with.
type promptRun struct {
	path, dir       string
	files, settings []string
	columns         map[string]string
	dry, asJSON     bool
	overwrite       bool
	out, log        io.Writer

	shared   sharedStore
	resolved []byte // the config as YAML
}

// register adds the flags that all of them have; record is the file that --json prints.
func (p *promptRun) register(cmd *cobra.Command, record string) {
	flags := cmd.Flags()
	flags.StringVar(&p.path, "config", "", "YAML file of the run")
	flags.Float64("max-cost", 0, "dollars that all runs into --out may spend together")
	flags.Int("max-requests", 0, "requests that all runs into --out may send together")
	flags.String("on-bad-row", "", "fail or skip")
	flags.StringToStringVar(&p.columns, "columns", nil, "field=column where the file's names differ")
	overwriteFlag(cmd, &p.overwrite)
	flags.BoolVar(&p.dry, "dry-run", false, "say what the run would ask and cost")
	flags.BoolVar(&p.asJSON, "json", false, "print "+record)
}

// promptKeys are the keys that flags stand for, keys beside those that all have.
func promptKeys(keys map[string]string) map[string]string {
	keys["max-cost"], keys["max-requests"], keys["on-bad-row"] = "budget.max_cost", "budget.max_requests", "data.on_bad_row"
	return keys
}

// open checks the flags, has the config loaded with the settings that they stand for
// (turned gives those of further flags), and finds the files.
func (p *promptRun) open(cmd *cobra.Command, more []string, keys map[string]string, turned []flagSetting, load func(path string, settings []string) error) error {
	p.files = append(p.files, more...)
	needed := []string{"data", "out"}
	if p.dry {
		needed = needed[:1]
	}
	if err := required(cmd, needed...); err != nil {
		return err
	}
	settings := append(flagSettings(cmd.Flags(), promptKeys(keys)), columnSettings(p.columns)...)
	all, err := withSet(cmd, append(settings, turned...), p.settings)
	if err != nil {
		return err
	}
	if err := load(p.path, all); err != nil {
		return err
	}
	p.out, p.log = outputs(cmd, p.asJSON)
	p.files, err = localData(cmd.Context(), p.files, p.log)
	return err
}

// prompts reads the files as often as it is called, until Ctrl-C.
func (p *promptRun) prompts(ctx context.Context, d feedback.DataConfig) func(*data.Counts) iter.Seq2[data.Prompt, error] {
	cfg := data.ReadConfig{Columns: d.Columns, OnBadRow: d.OnBadRow}
	return func(counts *data.Counts) iter.Seq2[data.Prompt, error] {
		return untilDone(ctx, data.ReadPrompts(p.files, cfg, counts))
	}
}

// counted is a dry run's plan, its tokens counted with chat.tokenizer.
func counted[T any](tokenizer string, plan func(count func(data.Text) (int, error)) (T, error)) (planned T, err error) {
	counter, err := openTokenCounter(tokenizer)
	if err != nil {
		return planned, fmt.Errorf("chat.%w", err)
	}
	defer func() { err = errors.Join(err, counter.close()) }()
	return plan(counter.count)
}
