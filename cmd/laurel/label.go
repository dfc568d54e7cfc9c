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
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/eval/audit"
	"laurel/feedback"
	"laurel/feedback/chat"
	"laurel/labels"
)

func labelCommand() *cobra.Command {
	var l labelling
	cmd := &cobra.Command{
		Use:   "label --data FILE… --out DIR [--config FILE] [--set key=value]…",
		Short: "Label comparisons by AI judgement under a constitution",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			l.files = append(l.files, more...)
			needed := []string{"data", "out"}
			if l.dry {
				needed = needed[:1]
			}
			if err := cmp.Or(required(cmd, needed...), l.exclusive(cmd), l.checkShard(cmd)); err != nil {
				return err
			}
			settings, err := l.overrides(cmd)
			if err != nil {
				return err
			}
			if l.config, err = configs.LoadLabel(l.path, settings); err != nil {
				return err
			}
			l.out, l.log = outputs(cmd, l.asJSON)
			if l.files, err = localData(cmd.Context(), l.files, l.log); err != nil {
				return err
			}
			return l.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&l.files, "data", nil, "files of comparisons: prompt, response_a, response_b")
	flags.StringVar(&l.dir, "out", "", "directory for pairs.parquet, abstained.parquet, label.json and the answers")
	flags.StringVar(&l.path, "config", "", "YAML file of the run")
	flags.StringArrayVar(&l.settings, "set", nil, "key=value over the file, such as judges.0.weight=2")
	flags.String("constitution", "", "a shipped one by its name, or a YAML file")
	flags.String("judge", "", "one judge of this kind, in place of the config's")
	flags.Float64("max-cost", 0, "dollars that all runs into --out may spend together")
	flags.Int("max-requests", 0, "requests that all runs into --out may send together")
	flags.String("on-bad-row", "", "fail or skip")
	flags.StringToStringVar(&l.columns, "columns", nil, "field=column where the file's names differ")
	flags.BoolVar(&l.reaggregate, "reaggregate", false, "make labels of the answers in --out anew, and ask nothing")
	shardFlags(cmd, &l.part, &l.merge)
	overwriteFlag(cmd, &l.overwrite)
	flags.BoolVar(&l.dry, "dry-run", false, "say what the run would ask and cost")
	flags.StringVar(&l.goldFile, "gold", "", "measure the labels against this file of gold, as laurel agree does")
	flags.StringVar(&l.reviewFile, "review-out", "", "write the comparisons least certain or disputed for people: .csv, .parquet, or both without an ending")
	flags.Float64Var(&l.reviewFraction, "review-fraction", 0.1, "share of the comparisons that go to people")
	flags.BoolVar(&l.asJSON, "json", false, "print label.json")
	return cmd
}

// labelling is one run of the command.
type labelling struct {
	config           feedback.Config
	path, dir        string
	goldFile         string
	reviewFile       string
	reviewFraction   float64
	files, settings  []string
	columns          map[string]string
	reaggregate, dry bool
	overwrite        bool
	asJSON           bool
	part             string // --shard
	merge            bool
	out, log         io.Writer

	shard          *labelShard // nil: all comparisons
	failedInShards int         // questions that got no reply, of the shards that are merged
	constitution   *feedback.Constitution
	resolved       []byte        // the config as YAML
	gold           []labels.Gold // nil: none

	shared   sharedStore
	backends backends
	planned  func(*feedback.Plan) error // called before anything is asked; nil outside of a loop
	summary  *feedback.Summary          // what the run came to
	measured *audit.Report              // of its labels

	forPeople int // comparisons that were written for people
}

// exclusive refuses flags that make no sense together.
func (l *labelling) exclusive(cmd *cobra.Command) error {
	if l.reaggregate && l.dry {
		return usage(cmd, errors.New("--reaggregate asks nothing: there is nothing for --dry-run to tell"))
	}
	if !(l.reviewFraction > 0 && l.reviewFraction <= 1) {
		return usage(cmd, fmt.Errorf("--review-fraction is %v, want above 0 and at most 1", l.reviewFraction))
	}
	if l.reviewFile == "" && cmd.Flags().Changed("review-fraction") {
		return usage(cmd, errors.New("--review-fraction needs --review-out"))
	}
	return nil
}

// overrides are the settings of the command line, flags as settings first.
func (l *labelling) overrides(cmd *cobra.Command) ([]string, error) {
	out := flagSettings(cmd.Flags(), map[string]string{"constitution": "constitution", "max-cost": "budget.max_cost", "max-requests": "budget.max_requests", "on-bad-row": "data.on_bad_row"})
	if f := cmd.Flags().Lookup("judge"); f.Changed {
		out = append(out, flagSetting{"judge", "judges", fmt.Sprintf("[{kind: %q}]", f.Value)})
	}
	return withSet(cmd, append(out, columnSettings(l.columns)...), l.settings)
}

// run is the whole line: constitution, store, judges, plan, labels, report.
func (l *labelling) run(ctx context.Context) (err error) {
	if err := l.openShard(); err != nil {
		return err
	}
	if err := errors.Join(l.openConstitution(), l.checkFiles(), l.readGold(), l.checkReview(), l.checkAnswers(), l.checkOutput()); err != nil {
		return err
	}
	if err := l.mergeShards(); err != nil {
		return err
	}
	store, end, err := l.shared.open(l.dir, l.dry, l.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	judges, err := l.openJudges(ctx, store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, judges.close()) }()
	run := &feedback.Labelling{Constitution: l.constitution, Judges: judges.judges, Policy: l.config.Policy(), InFlight: l.config.OpenQuestions(),
		Store: store, OnlyKept: l.keptOnly(), Comparisons: l.comparisons(ctx)}
	if l.dry {
		return l.dryRun(ctx, run, judges.costs)
	}
	plan, err := run.Plan(nil)
	if err != nil {
		return err
	}
	l.printPlan(plan, run)
	if l.reaggregate {
		if err := plan.NeverAsked(run); err != nil {
			return err
		}
	}
	if err := l.checkMerged(plan); err != nil {
		return err
	}
	if l.planned != nil {
		if err := l.planned(plan); err != nil {
			return err
		}
	}
	quiet := announceInterrupt(ctx, l.log, l.config.GracePeriod())
	summary, err := l.label(ctx, run, plan)
	l.summary = summary
	quiet()
	if err != nil {
		if summary != nil {
			err = stoppedError(err, l.shared.in(l.dir), plan.Kept, summary.Received, summary.SpentNow.Cost)
		}
		return err
	}
	if err := l.finish(run, summary); err != nil || summary.Stopped == nil {
		return err
	}
	return stoppedError(l.whatIsLeft(summary), l.shared.in(l.dir), plan.Kept, summary.Received, summary.SpentNow.Cost)
}

// whatIsLeft adds to a budget's end what a further run needs.
func (l *labelling) whatIsLeft(s *feedback.Summary) error {
	if !errors.Is(s.Stopped, chat.ErrBudget) {
		return s.Stopped
	}
	said := fmt.Sprintf("%d of %d questions are still to be asked, in %d requests where none fails (--max-requests %d in all)", s.Unasked, s.Questions, s.RequestsLeft, s.Spent.Requests+s.RequestsLeft)
	if s.Useless() {
		each := s.Questions / max(s.Rows.Kept, 1) // identical responses apart
		said = fmt.Sprintf("no comparison was answered in full, so there are no labels yet: each takes about %d questions, and %s", max(each, 1), said)
	}
	return fmt.Errorf("%w: %s", s.Stopped, said)
}

func (l *labelling) openConstitution() (err error) {
	if l.constitution, err = openConstitution(l.config.Constitution, l.config.Principles); err != nil {
		return err
	}
	return l.constitution.ForComparison()
}

// checkFiles opens the files of comparisons before a judge's model is loaded.
func (l *labelling) checkFiles() error {
	return data.CheckComparisons(l.files, data.ReadConfig{Columns: l.config.Data.Columns, OnBadRow: l.config.Data.OnBadRow})
}

// checkOutput refuses to replace what is read, or the labels of another run. Labels that are
// aggregated anew are asked for with other settings.
func (l *labelling) checkOutput() (err error) {
	outputs := []string{labels.PairsFile, labels.AbstainedFile}
	if err := apartFolder(l.dir, append(slices.Clone(l.files), l.goldFile), outputs...); err != nil {
		return err
	}
	if l.resolved, err = configs.YAML(l.config); err != nil || l.dry || l.overwrite || l.constitution == nil {
		return err
	}
	now, err := newRunRecord(l.files, l.resolved, l.constitution)
	if err != nil {
		return err
	}
	return checkReplaced(l.dir, labelFile, outputs, now, l.reaggregate)
}

// checkAnswers refuses to aggregate the answers of a run that never was.
func (l *labelling) checkAnswers() error {
	if !l.reaggregate {
		return nil
	}
	if _, err := os.Stat(filepath.Join(l.dir, answersFile)); err != nil {
		return fmt.Errorf("--reaggregate needs the answers of an earlier run: %w", err)
	}
	return nil
}

// comparisons reads the files as often as it is called, until Ctrl-C.
func (l *labelling) comparisons(ctx context.Context) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	cfg := data.ReadConfig{Columns: l.config.Data.Columns, OnBadRow: l.config.Data.OnBadRow, Say: noteOnce(l.log)}
	all := func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return untilDone(ctx, data.ReadComparisons(l.files, cfg, counts))
	}
	if l.shard != nil {
		return feedback.OfShard(all, l.shard.Shard)
	}
	return all
}

// keptOnly tells whether labels are made of answers that are there, and nothing is
// asked.
func (l *labelling) keptOnly() bool { return l.reaggregate || l.merge }

// label asks what must be asked and writes both files of labels.
func (l *labelling) label(ctx context.Context, run *feedback.Labelling, plan *feedback.Plan) (*feedback.Summary, error) {
	writer, err := labels.NewLabelWriter(l.dir, plan.Chat)
	if err != nil {
		return nil, err
	}
	bar := newProgress(l.log, "label", "questions", plan.Questions)
	run.Progress = func(p feedback.Progress) {
		bar.set(plan.Kept+p.Asked, plan.Questions, fmt.Sprintf("$%.2f spent", p.Spent.Cost))
	}
	summary, err := feedback.Label(ctx, run, writer.Write)
	bar.finish()
	if err != nil || summary.Useless() {
		return summary, errors.Join(err, writer.Abort())
	}
	return summary, writer.Close()
}

// finish writes what is said of the run, then that it is finished.
func (l *labelling) finish(run *feedback.Labelling, summary *feedback.Summary) (err error) {
	record, err := l.record(l.resolved, summary)
	if err != nil {
		return err
	}
	if !summary.Useless() {
		if err := data.WriteFile(filepath.Join(l.dir, "config.yaml"), l.resolved); err != nil {
			return err
		}
		if l.shard == nil { // a report is of all comparisons
			if l.measured, err = l.report(summary); err != nil {
				return err
			}
		}
		if err := l.review(); err != nil {
			return err
		}
	}
	path := filepath.Join(l.dir, labelFile)
	if err := data.WriteAside(path, func(w io.Writer) error { return printJSON(w, record) }); err != nil {
		return err
	}
	if !l.keptOnly() && summary.Stopped == nil && l.shared.Store == nil { // a loop says so once a round is finished
		if err := run.Store.Finish(); err != nil {
			return err
		}
	}
	if l.asJSON {
		return printJSON(l.out, record)
	}
	if summary.Useless() {
		return l.printJudges(summary)
	}
	if err := l.printSummary(summary); err != nil || l.measured == nil {
		return err
	}
	return l.printReport(l.measured)
}

// printSummary prints what became of the comparisons.
func (l *labelling) printSummary(s *feedback.Summary) error {
	rows := s.Rows.Kept
	fmt.Fprintf(l.log, "labelled %d of %d comparisons (%.1f%%): %s\n", s.Labelled, rows, 100*float64(s.Labelled)/float64(max(rows, 1)), filepath.Join(l.dir, labels.PairsFile))
	fmt.Fprintf(l.log, "abstained on %d%s: %s\n", s.Abstentions(), reasons(s.Abstained), filepath.Join(l.dir, labels.AbstainedFile))
	if s.NotAsked > 0 {
		fmt.Fprintf(l.log, "not asked in full: %d comparisons, which are in neither file\n", s.NotAsked)
	}
	return l.printJudges(s)
}

// printJudges says what the judges answered, and what it took.
func (l *labelling) printJudges(s *feedback.Summary) error {
	for _, j := range s.Judges {
		fmt.Fprintf(l.log, "judge %s: %d answers preferred a response, %d called a tie, %d were unparseable, %d questions failed\n", j.Name,
			j.Outcomes[feedback.Preferred], j.Outcomes[feedback.Tie], j.Outcomes[feedback.Unparseable], j.Outcomes[feedback.Failed])
		if j.Clamped > 0 {
			fmt.Fprintf(l.log, "judge %s: the probabilities of %d answers were clamped\n", j.Name, j.Clamped)
		}
		if j.Unstated > 0 {
			fmt.Fprintf(l.log, "judge %s: %d verdicts have no confidence, and count with unstated_confidence\n", j.Name, j.Unstated)
		}
		if len(j.FailedAttempts) > 0 {
			fmt.Fprintf(l.log, "judge %s: attempts without a reply%s\n", j.Name, reasons(j.FailedAttempts))
		}
		if !s.Useless() { // else it is the error that ends the run
			printReasons(l.log, "judge "+j.Name+": unparseable", j.UnparseableReasons)
			printReasons(l.log, "judge "+j.Name+": failed", j.FailedReasons)
		}
	}
	if s.Missing > 0 {
		without := "--reaggregate"
		if l.merge {
			without = "--merge"
		}
		fmt.Fprintf(l.log, "%d answers are missing and count as failed: a run without %s asks for them\n", s.Missing, without)
	} else if failed := s.Outcomes(feedback.Failed); failed > 0 {
		fmt.Fprintf(l.log, "the same command asks the %d questions that failed again\n", failed)
	}
	_, err := fmt.Fprintf(l.log, "asked %d questions now: %s; all runs into %s: %s\n", s.Asked, spent(s.SpentNow), l.shared.in(l.dir), spent(s.Spent))
	return err
}

func reasons[R ~string](counts map[R]int) string {
	if len(counts) == 0 {
		return ""
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b R) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(string(a), string(b)))
	})
	parts := make([]string, len(keys))
	for i, reason := range keys {
		parts[i] = fmt.Sprintf("%s %d", reason, counts[reason])
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
