package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback"
	"laurel/feedback/chat"
)

func generateCommand() *cobra.Command {
	var g generation
	var models, systems []string
	var temperatures []float64
	cmd := &cobra.Command{
		Use:   "generate --data PROMPTS… --out DIR [--config FILE] [--set key=value]…",
		Short: "Have chat models write several responses to each prompt",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			keys := map[string]string{"n": "n", "pairs-per-prompt": "pairs_per_prompt"}
			load := func(path string, settings []string) (err error) {
				g.config, err = configs.LoadGenerate(path, settings)
				return err
			}
			if err := g.open(cmd, more, keys, turns(models, temperatures, systems), load); err != nil {
				return err
			}
			return g.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&g.files, "data", nil, "files of prompts")
	flags.StringVar(&g.dir, "out", "", "directory for candidates, comparisons, generate.json and the answers")
	flags.StringArrayVar(&g.settings, "set", nil, "key=value over the file, such as chat.base_url=URL")
	flags.Int("n", 0, "responses a prompt")
	flags.StringArrayVar(&models, "model", nil, "a model at chat.base_url; several take turns")
	flags.Float64SliceVar(&temperatures, "temperature", nil, "temperatures, which take turns")
	flags.StringArrayVar(&systems, "system", nil, "a system message; several take turns, an empty one is none")
	flags.Int("pairs-per-prompt", 0, "comparisons a prompt, drawn by the seed (default: all pairs)")
	g.register(cmd, generateFile)
	return cmd
}

// turns are the flags of what takes turns, as settings.
func turns(models []string, temperatures []float64, systems []string) (settings []flagSetting) {
	list := func(flag, key string, values []string) {
		if len(values) > 0 {
			settings = append(settings, flagSetting{flag, key, "[" + strings.Join(values, ", ") + "]"})
		}
	}
	var each, degrees, messages []string
	for _, m := range models {
		each = append(each, fmt.Sprintf("{model: %q}", m))
	}
	for _, t := range temperatures {
		degrees = append(degrees, fmt.Sprint(t))
	}
	for _, s := range systems {
		messages = append(messages, fmt.Sprintf("%q", s))
	}
	list("model", "models", each)
	list("temperature", "temperatures", degrees)
	list("system", "systems", messages)
	return settings
}

// generation is one run of the command.
type generation struct {
	promptRun
	config feedback.GenerateConfig

	summary *feedback.GenerationSummary // what the run came to

	left   []feedback.LeftResponse
	failed []func() map[string]int // the attempts of each client without a reply, by reason
}

// run is the whole line: store, plan, chats, responses, files.
func (g *generation) run(ctx context.Context) (err error) {
	if err := g.checkOutput(); err != nil {
		return err
	}
	store, end, err := g.shared.open(g.dir, g.dry, g.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	run := &feedback.Generating{Config: g.config, Store: store, Prompts: g.prompts(ctx, g.config.Data)}
	if g.dry {
		return g.dryRun(run)
	}
	plan, err := run.Plan(nil)
	if err != nil {
		return err
	}
	g.printPlan(plan)
	if run.Complete, err = g.openChats(store); err != nil {
		return err
	}
	quiet := announceInterrupt(ctx, g.log, g.config.Chat.GracePeriod)
	summary, err := g.generate(ctx, run, plan)
	g.summary = summary
	quiet()
	if err == nil {
		if err = g.finish(summary); err != nil {
			return err
		}
	}
	if summary != nil {
		if err = cmp.Or(err, summary.Stopped); err != nil {
			err = stoppedError(err, g.shared.in(g.dir), plan.Kept, summary.Received, summary.SpentNow.Cost)
		}
	}
	return err
}

// openChats opens a client for each writer, on one budget.
func (g *generation) openChats(store *feedback.Store) (complete []func(context.Context, chat.Request) (chat.Reply, error), err error) {
	budget := openBudget(g.config.Budget, store)
	for _, writer := range g.config.Writers() {
		client, err := chat.New(writer, budget)
		if err != nil {
			return nil, fmt.Errorf("chat with %s: %w", writer.Model, err)
		}
		complete, g.failed = append(complete, client.Complete), append(g.failed, client.FailedAttempts)
	}
	return complete, nil
}

// checkOutput refuses to replace what is read, or the output of another run.
func (g *generation) checkOutput() (err error) {
	outputs := []string{feedback.CandidatesFile + ".jsonl", feedback.ComparisonsFile + ".jsonl"}
	if err := apartFolder(g.dir, g.files, outputs...); err != nil {
		return err
	}
	if g.resolved, err = configs.YAML(g.config); err != nil || g.dry || g.overwrite {
		return err
	}
	now, err := newRunRecord(g.files, g.resolved, nil)
	if err != nil {
		return err
	}
	return checkReplaced(g.dir, generateFile, outputs, now, false)
}

// generate asks what must be asked and writes the files of responses.
func (g *generation) generate(ctx context.Context, run *feedback.Generating, plan *feedback.GenerationPlan) (*feedback.GenerationSummary, error) {
	writer, err := feedback.NewResponseWriter(g.dir, g.config)
	if err != nil {
		return nil, err
	}
	total := plan.Rows.Kept - plan.RepeatedPrompts
	bar := newProgress(g.log, "generate", "prompts", total)
	run.Progress = func(done int, spent chat.Spent) {
		bar.set(done, total, fmt.Sprintf("$%.2f spent", spent.Cost))
	}
	summary, err := feedback.Generate(ctx, run, func(r feedback.Responses) error {
		g.left = append(g.left, r.Left...)
		return writer.Write(r)
	})
	bar.finish()
	summary.FailedAttempts = map[string]int{}
	for _, failed := range g.failed {
		for reason, n := range failed() {
			summary.FailedAttempts[reason] += n
		}
	}
	if err != nil || summary.Useless() {
		return summary, errors.Join(err, writer.Abort())
	}
	return summary, writer.Close()
}

// finish writes what is said of the run.
func (g *generation) finish(summary *feedback.GenerationSummary) error {
	record, err := newRunRecord(g.files, g.resolved, nil)
	if err != nil {
		return err
	}
	if err := writeLines(filepath.Join(g.dir, leftOutFile), g.left); err != nil {
		return err
	}
	if !summary.Useless() {
		if err := data.WriteFile(filepath.Join(g.dir, "config.yaml"), g.resolved); err != nil {
			return err
		}
	}
	whole := generateRecord{record, summary}
	if err := data.WriteAside(filepath.Join(g.dir, generateFile), func(w io.Writer) error { return printJSON(w, whole) }); err != nil {
		return err
	}
	switch {
	case g.asJSON:
		return printJSON(g.out, whole)
	case summary.Useless():
		return nil // the error says it all
	}
	return g.printSummary(summary)
}
