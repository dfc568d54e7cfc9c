package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/eval/audit"
	"laurel/eval/draw"
	"laurel/feedback"
	"laurel/labels"
)

func mergeCommand() *cobra.Command {
	m := merging{confidence: 0.95}
	cmd := &cobra.Command{
		Use:   "merge LABELS REVIEWED… --out DIR",
		Short: "Take people's answers, or labels of judges asked anew, into labels, and list the conflicts",
		Args:  usageArgs(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			if !(m.confidence > 0.5 && m.confidence <= 1) {
				return usage(cmd, fmt.Errorf("--human-confidence is %v, want above 0.5 and at most 1", m.confidence))
			}
			m.labels, m.reviewed = args[0], args[1:]
			m.out, m.log = outputs(cmd, m.asJSON)
			return m.run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&m.dir, "out", "", "directory for pairs.parquet, abstained.parquet, conflicts.jsonl, merge.json and the report")
	flags.Float64Var(&m.confidence, "human-confidence", m.confidence, "that a person's answer is right: the confidence of a label on which people agree")
	flags.StringToStringVar(&m.columns, "columns", nil, "field=column where the names of the reviewed files differ")
	flags.StringVar(&m.onBadRow, "on-bad-row", "fail", "fail or skip, for rows of reviewed files")
	flags.BoolVar(&m.asJSON, "json", false, "print merge.json")
	overwriteFlag(cmd, &m.overwrite)
	return cmd
}

// merging is one run of the command.
type merging struct {
	labels, dir, onBadRow string
	reviewed              []string // as given: of these
	answers, judged       []string // files of people's answers, directories of labels
	columns               map[string]string
	confidence            float64
	asJSON, overwrite     bool
	out, log              io.Writer

	conflicts []feedback.Conflict
	summary   *feedback.MergeSummary // what the run came to
}

// conflictsFile lists what people do not agree on.
const conflictsFile = "conflicts.jsonl"

// sort tells what people answered from what judges labelled anew: directories.
func (m *merging) sort() {
	for _, path := range m.reviewed {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			m.judged = append(m.judged, path)
		} else {
			m.answers = append(m.answers, path)
		}
	}
}

func (m *merging) run() error {
	m.sort()
	if err := m.checkOutput(); err != nil {
		return err
	}
	var counts data.Counts
	answers, err := labels.ReadReviewed(m.answers, labels.ReadLabels(m.labels), data.ReadConfig{Columns: m.columns, OnBadRow: m.onBadRow}, &counts)
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(m.dir, 0o755), clearOutput(m.dir)); err != nil {
		return err
	}
	summary, err := m.merge(answers)
	if err != nil {
		return err
	}
	summary.Rows, m.summary = counts, summary
	if err := m.finish(summary); err != nil {
		return err
	}
	if m.asJSON {
		return printJSON(m.out, summary)
	}
	return m.printSummary(summary)
}

// checkOutput refuses to read labels and write over them.
func (m *merging) checkOutput() error {
	from, err := os.Stat(m.labels)
	if err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	if !from.IsDir() {
		return fmt.Errorf("labels %s is a file: give the directory that laurel label wrote, with %s and %s", m.labels, labels.PairsFile, labels.AbstainedFile)
	}
	outputs := []string{labels.PairsFile, labels.AbstainedFile, conflictsFile, "merge.json", "report.json", "report.html"}
	return cmp.Or(apartFolder(m.dir, append([]string{m.labels}, m.reviewed...), outputs...), keepFiles(m.dir, m.overwrite, outputs...))
}

// merge writes both files of labels.
func (m *merging) merge(answers []labels.Reviewed) (*feedback.MergeSummary, error) {
	var writer *labels.LabelWriter // opened by the first label, which is text or messages
	write := func(l labels.Label) (err error) {
		if writer == nil {
			if writer, err = labels.NewLabelWriter(m.dir, l.Chat()); err != nil {
				return err
			}
		}
		return writer.Write(l)
	}
	conflict := func(c feedback.Conflict) error {
		m.conflicts = append(m.conflicts, c)
		return nil
	}
	merge := feedback.Merging{Labels: labels.ReadLabels(m.labels), Reviewed: answers, Confidence: m.confidence}
	for _, dir := range m.judged {
		merge.Rejudged = append(merge.Rejudged, labels.ReadLabels(dir))
	}
	summary, err := merge.Merge(write, conflict)
	switch {
	case err != nil && writer != nil:
		return nil, errors.Join(err, writer.Abort())
	case err != nil:
		return nil, err
	}
	return summary, writer.Close() // ReadReviewed fails where there is no label
}

// finish writes what is said of the merge.
func (m *merging) finish(summary *feedback.MergeSummary) error {
	if err := writeLines(filepath.Join(m.dir, conflictsFile), m.conflicts); err != nil {
		return err
	}
	report, err := audit.Labels(labels.ReadLabels(m.dir), audit.Config{})
	if err != nil {
		return err
	}
	facts := []draw.Fact{{Name: "labels", Value: m.labels}, {Name: "answers of people", Value: strings.Join(m.reviewed, ", ")}, {Name: "rows of these", Value: summary.Rows.String()},
		{Name: "confidence in a person", Value: fmt.Sprint(m.confidence)}}
	if err := writeLabelReport(m.dir, "labels "+m.labels+" · answers of people "+strings.Join(m.reviewed, ", "), report, facts...); err != nil {
		return err
	}
	return data.WriteAside(filepath.Join(m.dir, "merge.json"), func(w io.Writer) error { return printJSON(w, summary) })
}

// shownConflicts are printed; the file has all.
const shownConflicts = 10

// printPeople says what people answered.
func (m *merging) printPeople(s *feedback.MergeSummary) {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(s.Annotators)) {
		each = append(each, fmt.Sprintf("%s %d", name, s.Annotators[name]))
	}
	later := ""
	if s.Superseded > 0 {
		later = fmt.Sprintf(", %d superseded by what the same person said later", s.Superseded)
	}
	by := ""
	if len(each) > 0 {
		by = " (" + strings.Join(each, ", ") + ")"
	}
	fmt.Fprintf(m.out, "%s: %s; %d answers%s, %d rows without one%s\n", strings.Join(m.answers, ", "), s.Rows, s.Answers, by, s.Blank, later)
	if s.Answers == 0 {
		fmt.Fprintln(m.out, "warning: nobody has answered: the column answer (A, B or tie) is empty in every row, and people's answers change no label")
	}
	fmt.Fprintf(m.out, "%d comparisons answered: %d labels confirmed, %d overturned, %d withdrawn; %d abstentions decided, %d still open\n", s.Answered, s.Confirmed, s.Overturned, s.Withdrawn, s.Decided, s.StillOpen)
}

func (m *merging) printSummary(s *feedback.MergeSummary) error {
	if len(m.answers) > 0 {
		m.printPeople(s)
	}
	if r := s.Rejudged; r.Judged > 0 {
		fmt.Fprintf(m.out, "%d comparisons judged again: %d labels confirmed, %d overturned, %d withdrawn; %d abstentions decided, %d still open; %d without an answer stay as they were\n",
			r.Judged, r.Confirmed, r.Overturned, r.Withdrawn, r.Decided, r.StillOpen, r.Unanswered)
	}
	fmt.Fprintf(m.out, "labelled %d of %d comparisons (%d before): %s\n", s.Labelled, s.Labels, s.LabelledBefore, filepath.Join(m.dir, labels.PairsFile))
	fmt.Fprintf(m.out, "conflicts: %d between people, %d with the judges' labels: %s\n", s.PeopleDisagree, s.AgainstJudges, filepath.Join(m.dir, conflictsFile))
	for i, c := range m.conflicts {
		if i == shownConflicts {
			fmt.Fprintf(m.out, "  and %d more\n", len(m.conflicts)-i)
			break
		}
		var said []string
		for _, a := range c.Answers {
			said = append(said, a.Annotator+" "+a.Answer)
		}
		fmt.Fprintf(m.out, "  %s: people %s (%s), judges %s\n", c.ID, c.People, strings.Join(said, ", "), c.Judges)
	}
	_, err := fmt.Fprintf(m.out, "report %s\n", filepath.Join(m.dir, "report.html"))
	return err
}
