package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/data"
	"laurel/eval"
	"laurel/eval/draw"
	"laurel/scoring"
	"laurel/trainer"
)

func evalCommand() *cobra.Command {
	var e evaluation
	var curve learningCurve
	var learns bool
	cmd := &cobra.Command{
		Use:   "eval --model DIR --data FILE… --out DIR | eval --scores FILE --out DIR | eval --learning-curve --model RUN --data FILE… --out DIR",
		Short: "Measure how well a model separates chosen from rejected",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			e.files = append(e.files, more...)
			needed := []string{"model", "data", "out"}
			if cmd.Flags().Changed("scores") {
				needed = []string{"out"}
			}
			if err := cmp.Or(required(cmd, needed...), positiveLength(cmd, e.maxLength)); err != nil {
				return err
			}
			if learns {
				return e.learningCurve(cmd, &curve)
			}
			if cmd.Flags().Changed("sizes") || cmd.Flags().Changed("seeds") {
				return usage(cmd, errors.New("--sizes and --seeds are of a learning curve: they need --learning-curve"))
			}
			if !(e.precision > 0 && e.precision < 1) {
				return usage(cmd, fmt.Errorf("--precision is %v, want above 0 and below 1", e.precision))
			}
			if e.scores != "" {
				if err := unused(cmd, "--scores has the rewards, and no model is opened", "revision", "max-length", "backend", "devices", "dtype", "shared-prefix"); err != nil {
					return err
				}
			}
			if len(e.compare) == 0 {
				if err := unused(cmd, "no model is compared: name one with --compare", "different-cuts"); err != nil {
					return err
				}
			}
			if err := e.canStore(); err != nil {
				return usage(cmd, err)
			}
			e.out, e.log = outputs(cmd, e.asJSON)
			var err error
			if e.files, err = localData(cmd.Context(), e.files, e.log); err != nil {
				return err
			}
			return e.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&e.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringArrayVar(&e.files, "data", nil, "files of pairs")
	flags.StringVar(&e.scores, "scores", "", "evaluate rewards computed elsewhere: a file with reward_chosen and reward_rejected; --data names its pairs where it has no texts")
	flags.StringVar(&e.dir, "out", "", "directory for report.json, report.html, pairs.jsonl, made.json and plots")
	flags.StringToStringVar(&e.columns, "columns", nil, "field=column where the file's names differ")
	flags.StringVar(&e.onBadRow, "on-bad-row", "fail", "fail or skip")
	flags.IntVar(&e.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&e.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&e.asJSON, "json", false, "print the report as JSON")
	flags.StringArrayVar(&e.compare, "compare", nil, "another model, scored on the same pairs and compared with --model; again for more (with --scores: another file of rewards)")
	flags.BoolVar(&e.otherCuts, "different-cuts", false, "compare models that cut sequences at different lengths; the report says so")
	flags.BoolVar(&e.fitTemperature, "fit-temperature", false, "store with the model the temperature that calibrates it on these pairs, for score --probability and judges")
	flags.Float64Var(&e.precision, "precision", 0.9, "find the margin that buys this share of pairs ranked right")
	flags.BoolVar(&learns, "learning-curve", false, "accuracy against data size: train anew as the run --model was trained, on nested subsets of its pairs, as laurel learning-curve does")
	curve.addFlags(flags)
	devicesFlag(cmd, &e.devices)
	dtypeFlag(cmd, &e.dtype)
	sharedPrefixFlag(cmd, &e.shares)
	overwriteFlag(cmd, &e.overwrite)
	return cmd
}

// learningCurve measures runs of the same configuration on fewer pairs.
func (e *evaluation) learningCurve(cmd *cobra.Command, l *learningCurve) (err error) {
	of := []string{"learning-curve", "model", "data", "out", "sizes", "seeds", "json"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(of, f.Name) {
			err = usage(cmd, fmt.Errorf("--%s is not of a learning curve, whose models are trained as the run was: --%s are", f.Name, strings.Join(of, ", --")))
		}
	})
	if err != nil {
		return err
	}
	l.path, l.dir, l.test, l.asJSON = filepath.Join(e.ref, "config.yaml"), e.dir, e.files, e.asJSON
	if _, err := os.Stat(l.path); err != nil {
		return fmt.Errorf("--learning-curve trains as a run was trained, and --model %s is none: %w (laurel learning-curve takes a configuration)", e.ref, err)
	}
	return l.start(cmd)
}

// evaluation is one run of the command.
type evaluation struct {
	ref, revision, scores, dir, onBadRow, backend, dtype string
	files, compare                                       []string
	columns                                              map[string]string
	maxLength, devices                                   int
	asJSON, overwrite, shares, otherCuts, fitTemperature bool
	precision                                            float64
	out, log                                             io.Writer

	everyPair bool // whether figures are of the pairs too that the model was trained on
	backends  backends
	measured  *eval.Report // what the run came to
	seen      int          // pairs that the model was trained on
}

func (e *evaluation) run(ctx context.Context) error {
	if err := checkPairs(e.files, data.ReadConfig{Columns: e.pairColumns(), OnBadRow: e.onBadRow}); err != nil {
		return err
	}
	if err := claimReports(e.dir, e.overwrite, slices.Concat(e.files, e.compare, []string{e.ref, e.scores}), "report.json", "report.html", eval.PairsFile, eval.MadeFile); err != nil {
		return err
	}
	if e.backends == nil {
		e.backends = backends{}
	}
	scored, err := e.scored(ctx)
	if err != nil {
		return err
	}
	report, err := e.measure(ctx, scored)
	if err != nil {
		return err
	}
	facts := append(scored.facts, madeBy()...)
	run, err := e.shown(report, facts)
	if err != nil {
		return err
	}
	if err := e.keep(scored.rows, facts); err != nil {
		return err
	}
	e.measured = report
	if err := e.write(run); err != nil || !e.fitTemperature {
		return err
	}
	if report.Seen.Whole() {
		return errors.New("--fit-temperature: the model was trained on all of the pairs, on which it is surer than on others: nothing is stored; name other pairs")
	}
	return e.store(scored, report.Calibration.Fitted)
}

// scoredPairs are the rewards of the pairs, and what gave them.
type scoredPairs struct {
	rows  []eval.Row
	facts []draw.Fact
	dir   string // of the model; "" of given rewards
	cut   int    // sequences
	cutAt string
}

func (e *evaluation) scored(ctx context.Context) (*scoredPairs, error) {
	if e.scores != "" {
		return e.givenRows(e.scores)
	}
	return e.scoredRows(ctx, e.ref, e.revision)
}

// measure evaluates the pairs beside rulers and other models.
func (e *evaluation) measure(ctx context.Context, scored *scoredPairs) (*eval.Report, error) {
	cfg := eval.Config{Precision: e.precision}
	var err error
	if cfg.Others, err = e.others(ctx, scored); err != nil {
		return nil, err
	}
	var seen *data.Seen
	if cfg.Rules, seen, err = e.textRules(ctx, scored.rows); err != nil {
		return nil, err
	}
	if seen != nil {
		rows, without := eval.WithoutSeen(scored.rows, cfg, seen.At)
		if e.seen = without.Seen.Pairs; !e.everyPair {
			scored.rows, cfg = rows, without
		}
	}
	e.noteSeen(ctx, cfg.Others, scored.rows)
	if cfg.Stored, err = e.storedFor(scored); err != nil {
		return nil, err
	}
	return eval.Evaluate(scored.rows, cfg)
}

// keep writes what laurel report makes a page of, beside report.json.
func (e *evaluation) keep(rows []eval.Row, facts []draw.Fact) error {
	files := e.files
	if e.scores != "" && len(files) == 0 {
		files = []string{e.scores}
	}
	if err := (eval.Made{Model: e.ref, Data: files, Facts: facts}).Write(e.dir); err != nil {
		return err
	}
	return eval.WritePairs(filepath.Join(e.dir, eval.PairsFile), rows, e.texts())
}

// shown is what was measured as its report shows it; of a run, with its training
// curve.
func (e *evaluation) shown(report *eval.Report, facts []draw.Fact) (run eval.Run, err error) {
	run = eval.Run{Report: report, Facts: facts, Data: e.scores}
	if run.Examples, err = report.Examples(e.texts()); err != nil || e.scores != "" {
		return run, err
	}
	run.Name, run.Model, run.Data = filepath.Base(e.ref), e.ref, strings.Join(e.files, ", ")
	metrics, err := trainer.ReadMetrics(e.ref)
	if err != nil {
		return run, err
	}
	run.Curve = trainer.Curve(metrics)
	best, err := trainer.Best(e.ref)
	if best != nil {
		run.Kept = best.Step
	}
	return run, err
}

// texts are the pairs that were evaluated, read again.
func (e *evaluation) texts() iter.Seq2[data.Pair, error] {
	if e.scores != "" {
		return e.textsOfScores()
	}
	return data.ReadPairs(e.files, e.dataConfig().Reading(nil), nil)
}

// textsOfScores are the pairs that given rewards are of: those of --data, or of
// the file of rewards where it has their texts, as laurel score writes it.
func (e *evaluation) textsOfScores() iter.Seq2[data.Pair, error] {
	cfg := e.dataConfig()
	cfg.Columns = e.pairColumns()
	if len(e.files) > 0 {
		return data.ReadPairs(e.files, cfg.Reading(nil), nil)
	}
	cfg.OnBadRow = "skip"
	return func(yield func(data.Pair, error) bool) {
		for pair, err := range data.ReadPairs([]string{e.scores}, cfg.Reading(nil), nil) {
			if err != nil || !yield(pair, nil) { // rewards alone are no pairs
				return
			}
		}
	}
}

// pairColumns are the columns named for pairs, without those of rewards.
func (e *evaluation) pairColumns() map[string]string {
	columns := maps.Clone(e.columns)
	maps.DeleteFunc(columns, func(field, _ string) bool {
		return strings.HasPrefix(field, "reward_") || strings.HasPrefix(field, "len_")
	})
	return columns
}

// dataConfig is how the files of pairs are read.
func (e *evaluation) dataConfig() data.Config {
	cfg := data.Default()
	cfg.Columns, cfg.OnBadRow, cfg.IdenticalPairs = e.columns, e.onBadRow, "keep" // a pair that no model can rank is a tie
	return cfg
}

// givenRows reads rewards that another program computed.
func (e *evaluation) givenRows(file string) (*scoredPairs, error) {
	scored, counts, err := data.ReadScores(file, data.ReadConfig{Columns: e.columns, OnBadRow: e.onBadRow})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(e.log, "%s: %s\n", file, &counts)
	rows := make([]eval.Row, len(scored))
	for i, s := range scored {
		rows[i] = eval.Row{ID: s.ID, Place: i, Prompt: s.Prompt, Subset: s.Subset, Chosen: s.RewardChosen, Rejected: s.RewardRejected, Confidence: s.Confidence}
		if s.LenChosen >= 0 && s.LenRejected >= 0 {
			rows[i].LenChosen, rows[i].LenRejected = int(s.LenChosen), int(s.LenRejected)
		}
	}
	return &scoredPairs{rows: rows, facts: []draw.Fact{{Name: "scores", Value: file}, {Name: "rows", Value: counts.String()}}}, nil
}

// scoredRows scores the pairs with the model.
func (e *evaluation) scoredRows(ctx context.Context, ref, revision string) (*scoredPairs, error) {
	backend, choice, err := e.backends.open(e.backend, e.log)
	if err != nil {
		return nil, err
	}
	dir, err := modelDir(ctx, ref, revision, e.log)
	if err != nil {
		return nil, err
	}
	scorer, err := openScorer(ctx, dir, "main", e.maxLength, backend, devicesFor(e.devices, choice, backend, e.log), e.log)
	if err != nil {
		return nil, err
	}
	defer scorer.Close()
	if err := errors.Join(sharePrefixes(scorer, e.shares), setDType(scorer, choice, e.dtype, e.log)); err != nil {
		return nil, err
	}
	store, counts, err := buildStore(ctx, scorer.Model, strings.Join(e.files, ", "), filepath.Join(e.dir, "pairs.tokens"), e.files, e.dataConfig(), scoring.Encoding{Say: noteOnce(e.log)}, e.log)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	bar := newProgress(e.log, "score", "pairs", store.Len())
	chosen, rejected, err := scorer.ScoreStore(ctx, store, func(n int) { bar.set(n, store.Len(), "") })
	bar.finish()
	if err != nil {
		return nil, err
	}
	facts := []draw.Fact{{Name: "model", Value: ref}, {Name: "checkpoint", Value: scorer.Dir}, {Name: "data", Value: strings.Join(e.files, ", ")},
		{Name: "rows", Value: counts.String()}, {Name: "max_length", Value: strconv.Itoa(scorer.MaxLength)},
		{Name: "sequences cut", Value: fmt.Sprintf("%d of %d", store.Stats.Truncated, 2*store.Stats.Pairs)},
		{Name: "backend", Value: choice.String()}, {Name: "matrix products", Value: e.dtype}}
	rows, err := eval.RowsOf(store, chosen, rejected)
	return &scoredPairs{rows: rows, facts: facts, dir: dir, cut: int(store.Stats.Truncated), cutAt: fmt.Sprintf("%d tokens on the %s", scorer.MaxLength, scorer.Side)}, err
}

func (e *evaluation) write(run eval.Run) error {
	if err := run.Report.WriteJSON(filepath.Join(e.dir, "report.json")); err != nil {
		return err
	}
	plots, html := filepath.Join(e.dir, "plots"), filepath.Join(e.dir, "report.html")
	if _, err := eval.WritePlots(plots, []eval.Run{run}); err != nil {
		return err
	}
	if err := eval.WriteHTML(html, []eval.Run{run}); err != nil {
		return err
	}
	if e.asJSON {
		return printJSON(e.out, run.Report)
	}
	if err := run.Report.Print(e.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.out, "\nreport  %s\nplots   %s\n", html, plots)
	return err
}
