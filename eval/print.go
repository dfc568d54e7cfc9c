package eval

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// maxPrintedSubsets bounds the table; report.json has the rest.
const maxPrintedSubsets = 30

// Print writes the report as a table for a terminal.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	first := r.first()
	for _, warning := range first {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	if len(first) > 0 {
		b.WriteString("\n")
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range r.summary() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", l.Name, l.Value, l.Note)
	}
	t.Flush()
	r.printRulers(&b)
	r.printComparisons(&b)
	r.printSubsets(&b)
	others := slices.DeleteFunc(slices.Clone(r.Warnings), func(w string) bool { return slices.Contains(first, w) })
	if len(others) > 0 {
		b.WriteString("\n")
	}
	for _, warning := range others {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	for text := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(text, " \n")); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	return nil
}

// line is one statistic of the summary, in print and on the page.
type line struct{ Name, Value, Note string }

func (r *Report) summary() []line {
	q := r.MarginQuantiles
	lines := []line{
		{"pairs", fmt.Sprint(r.N), stats.Plural(r.Ties, "tie")},
		{"accuracy", r.AccuracyTiesHalf.String(), "95% " + r.AccuracyInterval.String() + ", ties one half" + r.promptNote()},
		{"always longer", r.AlwaysLongerAccuracy.String(), r.longerNote()},
		{"always shorter", r.AlwaysShorterAccuracy.String(), ""},
		{"accuracy, strict", r.AccuracyStrict.String(), "95% " + r.StrictInterval.String() + ", ties wrong"},
		{"accuracy, weighted", r.WeightedAccuracyTiesHalf.String(), fmt.Sprintf("by confidence, mean %v", r.ConfidenceMean)},
		{"accuracy, macro", r.MacroAccuracy.String(), "mean over subsets"},
		{"length-controlled", r.LengthControlled.accuracy(), r.LengthControlled.note()},
		{"accuracy by length", r.AccuracyWhereChosenLonger.String() + " / " + r.AccuracyWhereChosenShorter.String(), "where chosen is longer / shorter"},
		{"margin, mean", r.MarginMean.String(), fmt.Sprintf("median %v, sd %v, 5-95%% %v to %v", r.MarginMedian, r.MarginStd, q.Q05, q.Q95)},
		{"Cohen's d", r.CohensDPooled.String(), fmt.Sprintf("pooled; paired %v", r.CohensDPaired)},
		{"ROC AUC", r.ROCAUC.String(), "any chosen above any rejected"},
		{"BT loss", r.BTLossMean.String(), fmt.Sprintf("Bradley-Terry, every pair alike; weighted %v, soft labels %v", r.BTLossWeighted, r.LogLossSoft)},
		{"Brier", r.Brier.String(), ""},
	}
	lines = append(lines, r.calibrationLines()...)
	lines = append(lines, []line{
		{"reward~length", r.SpearmanRewardLength.String(), fmt.Sprintf("Spearman; Pearson %v, Kendall %v", r.PearsonRewardLength, r.KendallTauBRewardLength)},
		{"margin~length", r.SpearmanMarginLengthDifference.String(), "Spearman, with the difference in length"},
		{"margin~confidence", r.SpearmanMarginConfidence.String(), "Spearman"},
	}...)
	if r.RewardBench != nil {
		lines = append(lines, r.RewardBench.line())
	}
	return lines
}

// promptNote says where the interval is over prompts.
func (r *Report) promptNote() string {
	if r.Prompts == r.N {
		return ""
	}
	return fmt.Sprintf("; over %s", stats.Plural(r.Prompts, "prompt"))
}

func (r *Report) longerNote() string {
	if !r.LongerChosenShare.Defined() {
		return "lengths unknown, or equal in every pair"
	}
	return fmt.Sprintf("longer is chosen in %v of the pairs of unequal length", r.LongerChosenShare)
}

// subsetNames are the subsets' names, largest first.
func (r *Report) subsetNames() []string {
	names := make([]string, 0, len(r.PerSubset))
	for name := range r.PerSubset {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := r.PerSubset[b].N - r.PerSubset[a].N; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

// printRulers compares the model with what needs none.
func (r *Report) printRulers(b *strings.Builder) {
	if len(r.Rulers) == 0 {
		return
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ruler\taccuracy\t95%\tdecides\tmodel minus ruler\tMcNemar p")
	for i := range r.Rulers {
		fmt.Fprintln(t, strings.Join(r.Rulers[i].row(), "\t"))
	}
	t.Flush()
}

// row is the ruler's line of a table.
func (r *Ruler) row() []string {
	return []string{r.Name, r.Accuracy.String(), r.Interval.String(), stats.Percent(r.Coverage), fmt.Sprintf("%v (%v)", r.Model.Difference, r.Model.Interval), r.Model.McNemar.Exact.String()}
}

func (r *Report) printSubsets(b *strings.Builder) {
	names := r.subsetNames()
	if len(names) == 0 {
		return
	}
	const gap = 2
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, gap, ' ', tabwriter.AlignRight)
	shown := names[:min(len(names), maxPrintedSubsets)]
	width := len("subset")
	for _, name := range shown {
		width = max(width, len([]rune(draw.Label(name, 24))))
	}
	fmt.Fprintf(t, "%-*s\tpairs\taccuracy\t95%%\tlonger\tmargin\td\tAUC\tECE\t\n", width, "subset")
	for _, name := range shown {
		m := r.PerSubset[name]
		fmt.Fprintf(t, "%-*s\t%d\t%v\t%s\t%v\t%v\t%v\t%v\t%v\t\n", width, draw.Label(name, 24), m.N,
			m.AccuracyTiesHalf, m.AccuracyInterval.String(), m.AlwaysLongerAccuracy,
			m.MarginMean, m.CohensDPaired, m.ROCAUC, m.ECESymmetric)
	}
	t.Flush()
	b.WriteString("\n")
	for text := range strings.Lines(table.String()) {
		b.WriteString(text[gap:]) // AlignRight pads the first column too
	}
	if len(shown) < len(names) {
		fmt.Fprintf(b, "and %d smaller subsets in report.json\n", len(names)-len(shown))
	}
}
