package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"laurel/configs"
	"laurel/data"
	"laurel/eval/draw"
	"laurel/feedback"
	"laurel/labels"
	"laurel/sweep"
)

// Files of a sweep's directory.
const (
	sweepReport    = "sweep.json"
	sweepPage      = "sweep.html"
	sweepDecisions = "decisions.jsonl"
	sweepConflicts = "conflicts" // .csv and .parquet, as label --review-out writes
	sweepSuggested = "suggested.yaml"
)

func constitutionSweepCommand() *cobra.Command {
	s := sweeping{config: sweep.Default()}
	cmd := &cobra.Command{
		Use:   "sweep LABELS [--gold FILE] [--model DIR | --scores FILE] [--constitution FILE] [--out DIR]",
		Short: "From the answers of a label run: what each principle and its weight do to the labels",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s.labels = args[0]
			if err := cmp.Or(s.check(cmd), positiveLength(cmd, s.maxLength)); err != nil {
				return err
			}
			s.out, s.log = outputs(cmd, s.asJSON)
			if s.files, err = localData(cmd.Context(), s.files, s.log); err != nil {
				return err
			}
			if s.settings, err = withSet(cmd, flagSettings(cmd.Flags(), map[string]string{"constitution": "constitution"}), s.settings); err != nil {
				return err
			}
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.dir, "out", "", "directory for sweep.json, sweep.html, decisions.jsonl, conflicts.csv, conflicts.parquet and suggested.yaml")
	flags.String("constitution", "", "other weights, or others of the principles that were asked (default: the labels')")
	flags.StringArrayVar(&s.settings, "set", nil, "key=value over the labels' config, such as min_confidence=0.7")
	flags.StringArrayVar(&s.files, "data", nil, "the files of comparisons, where they are no longer where the labels say")
	flags.StringVar(&s.answers, "answers", "", "the answers (default: answers.jsonl in LABELS; those of a loop are in its --out)")
	flags.StringVar(&s.gold, "gold", "", "gold, as laurel agree reads it")
	flags.StringVar(&s.model, "model", "", "measure this reward model: run directory, Hugging Face directory or hub name")
	flags.StringVar(&s.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&s.scores, "scores", "", "measure the rewards of a file that laurel score wrote, in place of --model")
	flags.Float64SliceVar(&s.config.Factors, "factors", s.config.Factors, "what each weight is multiplied by in turn; 0 leaves the principle out")
	flags.IntVar(&s.config.Conflicts, "conflicts", s.config.Conflicts, "list so many comparisons whose principles name different sides, the strongest")
	flags.Uint64Var(&s.config.Seed, "seed", s.config.Seed, "of folds, resamples and the order of the conflicts")
	flags.IntVar(&s.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&s.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&s.asJSON, "json", false, "print the report as JSON")
	devicesFlag(cmd, &s.devices)
	overwriteFlag(cmd, &s.overwrite)
	return cmd
}

// sweeping is one run of the command.
type sweeping struct {
	labels, dir, answers, gold, scores string
	model, revision, backend           string
	files, settings                    []string
	config                             sweep.Config
	maxLength, devices                 int
	asJSON, overwrite                  bool
	out, log                           io.Writer
}

func (s *sweeping) check(cmd *cobra.Command) error {
	if s.model != "" && s.scores != "" {
		return usage(cmd, errors.New("--model computes rewards and --scores reads them: give one"))
	}
	if s.model == "" {
		if err := unused(cmd, "no model is measured: name one with --model", "revision", "max-length", "backend", "devices"); err != nil {
			return err
		}
	}
	if err := s.config.Validate(); err != nil {
		return usage(cmd, err)
	}
	return nil
}

func (s *sweeping) run(ctx context.Context) (err error) {
	if err := s.claim(); err != nil {
		return err
	}
	l, err := s.labelling()
	if err != nil {
		return err
	}
	store, err := s.store()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	judges, err := l.openJudges(ctx, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, judges.close()) }()
	run := &feedback.Labelling{Constitution: l.constitution, Judges: judges.judges, Policy: l.config.Policy(), InFlight: l.config.OpenQuestions(),
		Store: store, OnlyKept: true, Comparisons: l.comparisons(ctx)}
	set, err := sweep.Read(ctx, run, l.gold)
	if err != nil {
		return fmt.Errorf("constitution sweep %s: %w", s.labels, err)
	}
	if err := s.reward(ctx, set); err != nil {
		return err
	}
	report, err := sweep.Measure(set, s.config, cmp.Or(s.model, s.scores))
	if err != nil {
		return err
	}
	return s.write(report, l)
}

// claim readies the places of the outputs. Conflicts that people have begun to answer
// are not written over.
func (s *sweeping) claim() error {
	if s.dir == "" {
		return nil
	}
	if err := claimReports(s.dir, s.overwrite, append(slices.Clone(s.files), s.labels, s.answers, s.gold, s.model, s.scores), sweepReport, sweepPage, sweepDecisions, sweepConflicts+".csv", sweepConflicts+".parquet", sweepSuggested); err != nil {
		return err
	}
	return checkUnanswered("--out", filepath.Join(s.dir, sweepConflicts))
}

// labelling is the run that made the labels, of which nothing is asked any more.
func (s *sweeping) labelling() (*labelling, error) {
	path := filepath.Join(s.labels, labelFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name a directory that laurel label wrote", err)
	}
	var record struct {
		Files []string    `json:"files"`
		Shard *labelShard `json:"shard"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		return nil, fmt.Errorf("read %s: %w: run laurel label --reaggregate to write it anew", path, err)
	}
	if record.Shard != nil {
		return nil, fmt.Errorf("%s is one shard of several: merge them, and sweep over that", s.labels)
	}
	l := &labelling{files: record.Files, reaggregate: true, goldFile: s.gold, log: s.log}
	if len(s.files) > 0 {
		l.files = s.files
	}
	if l.config, err = configs.LoadLabel(filepath.Join(s.labels, "config.yaml"), s.settings); err != nil {
		return nil, err
	}
	if err := l.checkFiles(); err != nil && len(s.files) == 0 {
		return nil, fmt.Errorf("the comparisons of %s: %w: name them by --data", s.labels, err)
	} else if err != nil {
		return nil, err
	}
	return l, errors.Join(l.openConstitution(), l.readGold())
}

// store opens the answers, which are only read.
func (s *sweeping) store() (*feedback.Store, error) {
	path := cmp.Or(s.answers, filepath.Join(s.labels, answersFile))
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("constitution sweep needs the answers of the label run: %w: name them by --answers", err)
	}
	return feedback.OpenStore(path)
}

// reward gives the comparisons the rewards of --model or --scores.
func (s *sweeping) reward(ctx context.Context, set *sweep.Set) (err error) {
	switch {
	case s.scores != "":
		return set.ReadScores(s.scores)
	case s.model == "":
		return nil
	}
	scorer, _, err := backends{}.scorer(ctx, s.model, s.revision, s.maxLength, s.backend, s.devices, s.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scorer.Close()) }()
	bar := newProgress(s.log, "score", "comparisons", set.Rows.Kept)
	defer bar.finish()
	err = set.Score(ctx, scorer.Score, func(n int) { bar.set(n, set.Rows.Kept, "") })
	warnUnread(scorer.Model, s.log)
	return err
}

func (s *sweeping) write(report *sweep.Report, l *labelling) error {
	if s.dir != "" {
		if err := s.writeRows(report); err != nil {
			return err
		}
	}
	page := func(path string) error {
		facts := []draw.Fact{{Name: "labels", Value: s.labels}, {Name: "data", Value: strings.Join(l.files, ", ")}, {Name: "constitution", Value: l.constitution.Name}, {Name: "position", Value: l.config.Position},
			{Name: "min_confidence", Value: fmt.Sprint(l.config.MinConfidence)}, {Name: "min_vote_share", Value: fmt.Sprint(l.config.MinVoteShare)}, {Name: "gold", Value: cmp.Or(s.gold, "none")}, {Name: "reward model", Value: cmp.Or(s.model, s.scores, "none")}, {Name: "seed", Value: fmt.Sprint(s.config.Seed)}}
		return report.WriteHTML(path, fmt.Sprintf("labels %s · constitution %s · %s", s.labels, l.constitution.Name, l.judgeNames()), append(facts, madeBy()...)...)
	}
	if err := publish(report, s.dir, sweepReport, sweepPage, page, s.asJSON, s.out); err != nil || s.asJSON || s.dir == "" {
		return err
	}
	fmt.Fprintf(s.out, "decided by %s\n", filepath.Join(s.dir, sweepDecisions))
	_, err := fmt.Fprintf(s.out, "conflicts  %s.csv, for laurel review\n", filepath.Join(s.dir, sweepConflicts))
	if err == nil && report.Suggestion() != nil {
		suggested := filepath.Join(s.dir, sweepSuggested)
		_, err = fmt.Fprintf(s.out, "suggested  %s; labels by it: laurel label --reaggregate --constitution %s, with the files, config and --out of these\n", suggested, suggested)
	}
	return err
}

// writeRows writes what decides each label, the conflicts for people, and the
// constitution with the suggested weights.
func (s *sweeping) writeRows(report *sweep.Report) error {
	if err := writeLines(filepath.Join(s.dir, sweepDecisions), report.Decisions()); err != nil {
		return err
	}
	if err := labels.WriteReview(filepath.Join(s.dir, sweepConflicts), report.Reviews()); err != nil {
		return err
	}
	path := filepath.Join(s.dir, sweepSuggested)
	suggested := report.Suggestion()
	if suggested == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	raw, err := yaml.Marshal(suggested)
	if err != nil {
		return err
	}
	return data.WriteFile(path, raw)
}
