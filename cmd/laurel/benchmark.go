package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/eval/benchmarks"
	"laurel/scoring"
)

func benchmarkCommand() *cobra.Command {
	var b benchmarking
	cmd := &cobra.Command{
		Use:   "benchmark --name NAME --model DIR --data FILE… --out DIR | benchmark --name NAME --judge KIND --data FILE… --out DIR",
		Short: "Measure a model or a judge on the benchmarks that people quote",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			b.files = append(b.files, more...)
			if err := b.check(cmd); err != nil {
				return err
			}
			b.out, b.log = outputs(cmd, b.asJSON)
			var err error
			if b.files, err = localData(cmd.Context(), b.files, b.log); err != nil {
				return err
			}
			if b.judged(cmd) {
				return b.runJudge(cmd)
			}
			return b.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.name, "name", "", strings.Join(benchmarks.Names(), ", "))
	flags.StringVar(&b.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&b.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringArrayVar(&b.files, "data", nil, "the benchmark's files as they are published, or hf://ORG/NAME")
	flags.StringVar(&b.dir, "out", "", "directory for benchmark.json, and the leaderboard's files where the benchmark is whole")
	flags.StringVar(&b.modelName, "model-name", "", "what the leaderboard's files call the model, ORG/NAME (default: --model)")
	flags.StringToStringVar(&b.columns, "columns", nil, "field=column where a copy's names differ from the published ones")
	flags.StringVar(&b.onBadRow, "on-bad-row", "fail", "fail or skip; without a row the benchmark is partial")
	flags.StringVar(&b.specials, "special-tokens", specialsOnce, "once: each special token once, as laurel trains; added: added to what the chat template writes and cut at the end, as RewardBench's scripts do")
	flags.IntVar(&b.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&b.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&b.asJSON, "json", false, "print benchmark.json")
	devicesFlag(cmd, &b.devices)
	dtypeFlag(cmd, &b.dtype)
	sharedPrefixFlag(cmd, &b.shares)
	overwriteFlag(cmd, &b.overwrite)
	b.judgeFlags(flags)
	return cmd
}

// The ways of --special-tokens.
const (
	specialsOnce  = "once"
	specialsAdded = "added"
)

// benchmarkFile is what was measured.
const benchmarkFile = "benchmark.json"

// benchmarking is one run of the command.
type benchmarking struct {
	name, ref, revision, dir, modelName string
	onBadRow, specials, backend, dtype  string
	files                               []string
	columns                             map[string]string
	maxLength, devices                  int
	asJSON, overwrite, shares, dry      bool
	judge, judgeConfig                  string
	settings                            []string
	out, log                            io.Writer
	benchmark                           *benchmarks.Benchmark
}

// check refuses flags that are missing or make no sense together.
func (b *benchmarking) check(cmd *cobra.Command) (err error) {
	needed := []string{"name", "data", "out"}
	switch {
	case !b.judged(cmd):
		needed = append(needed, "model")
	case b.dry:
		needed = needed[:2]
	}
	if err := cmp.Or(required(cmd, needed...), positiveLength(cmd, b.maxLength), b.checkJudge(cmd)); err != nil {
		return err
	}
	if b.specials != specialsOnce && b.specials != specialsAdded {
		return usage(cmd, fmt.Errorf("--special-tokens is %q, want %s or %s", b.specials, specialsOnce, specialsAdded))
	}
	if b.benchmark, err = benchmarks.Find(b.name); err != nil {
		return usage(cmd, fmt.Errorf("--name: %w", err))
	}
	return nil
}

// read reads the benchmark's files, and says what they lack.
func (b *benchmarking) read() (*benchmarks.Set, error) {
	set, err := benchmarks.Read(b.benchmark, b.files, benchmarks.Config{Columns: b.columns, OnBadRow: b.onBadRow})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(b.log, "%s: %s\n", strings.Join(b.files, ", "), &set.Rows)
	for _, what := range set.Partial {
		fmt.Fprintf(b.log, "partial: %s\n", what)
	}
	return set, nil
}

// run scores the responses with a model, and measures.
func (b *benchmarking) run(ctx context.Context) error {
	set, err := b.read()
	if err != nil {
		return err
	}
	if err := claimReports(b.dir, b.overwrite, append(slices.Clone(b.files), b.ref), benchmarkFile); err != nil {
		return err
	}
	scorer, choice, err := backends{}.scorer(ctx, b.ref, b.revision, b.maxLength, b.backend, b.devices, b.log)
	if err != nil {
		return err
	}
	defer scorer.Close()
	if err := errors.Join(sharePrefixes(scorer, b.shares), setDType(scorer, choice, b.dtype, b.log)); err != nil {
		return err
	}
	rewards, tally, err := b.rewards(ctx, scorer, set)
	if err != nil {
		return err
	}
	scores := benchmarks.Scores{Rewards: rewards}
	result := set.Measure(scores)
	result.Model, result.Cut, result.MaxLength = b.called(), tally.cut, scorer.MaxLength
	result.Template, result.Specials, result.Unscored, result.DType = templateOf(scorer), b.specials, tally.unscored, b.dtype
	warnUnread(scorer.Model, b.log)
	if err := b.write(result); err != nil {
		return err
	}
	files, err := set.WriteLeaderboard(b.dir, result, scores, benchmarks.Leaderboard{Model: b.called(), Tokenizer: scorer.Dir, ChatTemplate: result.Template,
		Texts: func(i, response int) string { return textOf(scorer, &set.Items[i], response) }})
	if err != nil {
		return err
	}
	return b.tell(result, files)
}

// called is the model's name in what is written.
func (b *benchmarking) called() string { return cmp.Or(b.modelName, filepath.ToSlash(b.ref), b.judge) }

// templateOf says how conversations become text, as RewardBench's files do.
func templateOf(s *scoring.Scorer) string {
	if s.Tokenizer.HasTemplate() {
		return "tokenizer"
	}
	return "hh transcript" // "\n\nHuman: …\n\nAssistant: …"
}

// benchmarkTally is what became of the responses.
type benchmarkTally struct {
	cut      int
	unscored map[string]int // by why
}

// scoredAtOnce are the responses that are encoded and scored together.
const scoredAtOnce = 2048

// rewards are those of every response, [item][response]; NaN where there is none.
func (b *benchmarking) rewards(ctx context.Context, scorer *scoring.Scorer, set *benchmarks.Set) (rewards [][]float64, tally benchmarkTally, err error) {
	completions, err := b.completions(scorer, set)
	if err != nil {
		return nil, tally, err
	}
	var flat []float64
	bar := newProgress(b.log, "score", "texts", len(completions))
	defer bar.finish()
	for block := range slices.Chunk(completions, scoredAtOnce) {
		scores, err := scorer.Score(ctx, block)
		if err != nil {
			return nil, tally, err
		}
		for _, s := range scores {
			flat = append(flat, tally.of(s))
		}
		bar.set(len(flat), len(completions), "")
	}
	for i := range set.Items {
		n := len(set.Items[i].Responses)
		rewards, flat = append(rewards, flat[:n]), flat[n:]
	}
	if len(tally.unscored) > 0 && allNaN(rewards) {
		return nil, tally, errors.New("no response has a reward: laurel verify --model DIR tells more")
	}
	return rewards, tally, nil
}

func allNaN(rewards [][]float64) bool {
	return !slices.ContainsFunc(rewards, func(r []float64) bool { return !slices.ContainsFunc(r, math.IsNaN) })
}

// of counts a score and gives its reward.
func (t *benchmarkTally) of(s data.Score) float64 {
	if s.Truncated {
		t.cut++
	}
	if s.Reason == "" {
		return float64(s.Reward)
	}
	if t.unscored == nil {
		t.unscored = map[string]int{}
	}
	t.unscored[s.Reason]++
	return math.NaN()
}

// completions are the texts to score, item by item.
func (b *benchmarking) completions(scorer *scoring.Scorer, set *benchmarks.Set) (out []data.Completion, err error) {
	for i := range set.Items {
		it := &set.Items[i]
		for _, response := range it.Responses {
			c := data.Completion{Prompt: it.Prompt, Response: response}
			if b.specials == specialsAdded {
				text, err := scorer.Tokenizer.RenderIn(it.Prompt.Context, conversation(c), false)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", it.File, it.Place, err)
				}
				c = data.Completion{Response: data.Text{Plain: text}, IsText: true}
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func conversation(c data.Completion) []data.Message {
	return slices.Concat(c.Prompt.Messages, c.Response.Messages)
}

// textOf is a response as it was tokenized; "" where the template refuses it, as then
// it has no reward.
func textOf(scorer *scoring.Scorer, it *benchmarks.Item, response int) string {
	text, err := scorer.Tokenizer.RenderIn(it.Prompt.Context, conversation(data.Completion{Prompt: it.Prompt, Response: it.Responses[response]}), false)
	if err != nil {
		return ""
	}
	return text
}

// write writes what was measured.
func (b *benchmarking) write(r *benchmarks.Result) error {
	return data.WriteAside(filepath.Join(b.dir, benchmarkFile), func(w io.Writer) error { return printJSON(w, r) })
}

// tell prints it.
func (b *benchmarking) tell(r *benchmarks.Result, files []string) error {
	if b.asJSON {
		return printJSON(b.out, r)
	}
	if err := r.Print(b.out); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\nresult       %s\n", filepath.Join(b.dir, benchmarkFile))
	for _, file := range files {
		fmt.Fprintf(b.out, "leaderboard  %s\n", file)
	}
	if len(r.Partial) > 0 {
		_, err := fmt.Fprintln(b.out, "no file for a leaderboard is written of a partial benchmark")
		return err
	}
	return nil
}
