package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/labels"
	"laurel/triage"
)

// Files of a triage's directory, beside those of package triage.
const (
	triageReport = "triage.json"
	triagePage   = "triage.html"
)

func triageCommand() *cobra.Command {
	t := triaging{config: triage.Default()}
	cmd := &cobra.Command{
		Use:   "triage --data FILE… --out DIR [--model DIR]… [--budget N]",
		Short: "Rank pairs by how probably their label is wrong, and list what is worth judging again",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) (err error) {
			t.files = append(t.files, more...)
			if err := cmp.Or(required(cmd, "data", "out"), positiveLength(cmd, t.maxLength), t.check(cmd)); err != nil {
				return err
			}
			t.out, t.log = outputs(cmd, t.asJSON)
			if t.files, err = localData(cmd.Context(), t.files, t.log); err != nil {
				return err
			}
			return t.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&t.files, "data", nil, "files of pairs; the pairs.parquet of laurel label among them")
	flags.StringVar(&t.dir, "out", "", "directory for triage.jsonl, groups.jsonl, triage.json, triage.html and, with --budget, the list")
	flags.StringArrayVar(&t.refs, "model", nil, "judge labels by the rewards of this model, an ensemble too, in place of words; may be given again")
	flags.StringVar(&t.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.IntVar(&t.config.Folds, "folds", t.config.Folds, "parts of the prompts, each judged by what was learnt from the others")
	flags.IntVar(&t.config.Budget, "budget", 0, "list so many pairs at most for laurel label or people to judge again")
	flags.Float64Var(&t.config.JudgeError, "judge-error", t.config.JudgeError, "the share of judgements anew that are wrong: less probably mislabelled pairs are not listed")
	flags.Float64Var(&t.config.Similarity, "similarity", t.config.Similarity, "Jaccard similarity of shingles from which texts are alike")
	flags.Uint64Var(&t.config.Seed, "seed", t.config.Seed, "of the labels turned on purpose, of resamples, and of which response the list calls A")
	flags.StringToStringVar(&t.columns, "columns", nil, "field=column where the file's names differ")
	flags.StringVar(&t.onBadRow, "on-bad-row", "fail", "fail or skip")
	flags.IntVar(&t.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&t.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&t.asJSON, "json", false, "print the report as JSON")
	devicesFlag(cmd, &t.devices)
	dtypeFlag(cmd, &t.dtype)
	overwriteFlag(cmd, &t.overwrite)
	return cmd
}

// triaging is one run of the command.
type triaging struct {
	files, refs                             []string
	dir, revision, onBadRow, backend, dtype string
	columns                                 map[string]string
	config                                  triage.Config
	maxLength, devices                      int
	asJSON, overwrite                       bool
	out, log                                io.Writer
	say                                     func(file, note string)
}

func (t *triaging) check(cmd *cobra.Command) error {
	c := t.config
	if len(t.refs) == 0 {
		if err := unused(cmd, "labels are judged by words, as there is no --model", "revision", "max-length", "backend", "devices", "dtype"); err != nil {
			return err
		}
	}
	if c.Budget == 0 {
		if err := unused(cmd, "nothing is listed without --budget", "judge-error"); err != nil {
			return err
		}
	}
	switch {
	case c.Folds < 2:
		return usage(cmd, fmt.Errorf("--folds is %d, want at least 2", c.Folds))
	case cmd.Flags().Changed("budget") && c.Budget < 1:
		return usage(cmd, fmt.Errorf("--budget is %d, want at least 1", c.Budget))
	case !(c.JudgeError >= 0 && c.JudgeError < 0.5):
		return usage(cmd, fmt.Errorf("--judge-error is %v, want at least 0 and below 0.5", c.JudgeError))
	case !(c.Similarity > 0.5 && c.Similarity <= 1):
		return usage(cmd, fmt.Errorf("--similarity is %v, want above 0.5 and at most 1", c.Similarity))
	}
	return nil
}

func (t *triaging) run(ctx context.Context) error {
	t.say = noteOnce(t.log)
	if err := cmp.Or(checkPairs(t.files, t.reading(nil)), t.claim()); err != nil {
		return err
	}
	var counts data.Counts
	margins, facts, err := t.margins(ctx)
	if err != nil {
		return err
	}
	t.config.Scratch = t.dir
	first := &counts // of the first reading: the others are the same
	result, err := triage.Run(ctx, func() iter.Seq2[data.Pair, error] {
		into := first
		first = nil
		return data.ReadPairs(t.files, t.reading(t.say), into)
	}, margins, t.config)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.log, "%s: %s\n", strings.Join(t.files, ", "), &counts)
	return t.write(ctx, result, append(facts, draw.Fact{Name: "rows", Value: counts.String()}))
}

func (t *triaging) reading(say func(file, note string)) data.ReadConfig {
	return data.ReadConfig{Columns: t.columns, OnBadRow: t.onBadRow, Say: say}
}

// pairs reads the files, until ctx ends.
func (t *triaging) pairs(ctx context.Context) triage.Source {
	return func() iter.Seq2[data.Pair, error] {
		return func(yield func(data.Pair, error) bool) {
			for p, err := range data.ReadPairs(t.files, t.reading(t.say), nil) {
				if !yield(p, cmp.Or(err, ctx.Err())) || err != nil || ctx.Err() != nil {
					return
				}
			}
		}
	}
}

// claim readies the folder; what an earlier run left there goes first, so that no
// file of it stands beside those of this one.
func (t *triaging) claim() error {
	lists := []string{triage.ComparisonsFile, triage.SheetFiles + ".csv", triage.SheetFiles + ".parquet",
		filepath.Join(triage.LabelsFolder, labels.PairsFile), filepath.Join(triage.LabelsFolder, labels.AbstainedFile)}
	all := append([]string{triage.LinesFile, triage.GroupsFile, triageReport, triagePage}, lists...)
	if err := cmp.Or(claimReports(t.dir, t.overwrite, slices.Concat(t.files, t.refs), all...), t.keepAnswers()); err != nil {
		return err
	}
	for _, name := range all {
		if err := os.Remove(filepath.Join(t.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("output: %w", err)
		}
	}
	return cmp.Or(data.RemovePartial(t.dir), data.RemovePartial(filepath.Join(t.dir, triage.LabelsFolder)))
}

// keepAnswers refuses to write over what people have filled in.
func (t *triaging) keepAnswers() error {
	return checkUnanswered("--overwrite", filepath.Join(t.dir, triage.SheetFiles))
}

func (t *triaging) write(ctx context.Context, r *triage.Result, facts []draw.Fact) error {
	source := t.pairs(ctx)
	if t.config.Budget > 0 {
		if err := r.WriteRejudge(t.dir, source, t.labelled()); err != nil {
			return err
		}
	}
	examples, err := r.Examples(source)
	if err != nil {
		return err
	}
	if err := r.Write(t.dir); err != nil {
		return err
	}
	facts = append([]draw.Fact{{Name: "data", Value: strings.Join(t.files, ", ")}, {Name: "models", Value: strings.Join(t.refs, ", ")}}, facts...)
	page := func(path string) error {
		return r.WriteHTML(path, "data "+strings.Join(t.files, ", "), examples, append(facts, madeBy()...)...)
	}
	if err := publish(r, t.dir, triageReport, triagePage, page, t.asJSON, t.out); err != nil || t.asJSON {
		return err
	}
	return t.next(r)
}

// labelsDir is the directory of labels that the pairs are of; "" of other pairs.
func (t *triaging) labelsDir() string {
	if len(t.files) == 1 && filepath.Base(t.files[0]) == labels.PairsFile && labels.HoldsLabels(t.files[0]) {
		return filepath.Dir(t.files[0])
	}
	return ""
}

// labelled reads the labels that the pairs are of; nil of other pairs.
func (t *triaging) labelled() iter.Seq2[labels.Label, error] {
	if t.labelsDir() == "" {
		return nil
	}
	return labels.ReadLabels(t.files[0])
}

// next says what can be done with the list, where there is anything in it.
func (t *triaging) next(r *triage.Result) error {
	fmt.Fprintf(t.out, "pairs   %s\n", filepath.Join(t.dir, triage.LinesFile))
	if t.config.Budget == 0 || r.Report.Rejudge.Listed == 0 {
		return nil
	}
	into := cmp.Or(t.labelsDir(), filepath.Join(t.dir, triage.LabelsFolder))
	list := filepath.Join(t.dir, triage.ComparisonsFile)
	_, err := fmt.Fprintf(t.out, `list    %s
judge   laurel label --data %s --judge … --out JUDGED, then laurel merge %s JUDGED --out MERGED
people  laurel review --data %s.csv --out ANSWERS.jsonl, then laurel merge %s ANSWERS.jsonl --out MERGED
`, list, list, into, filepath.Join(t.dir, triage.SheetFiles), into)
	return err
}
