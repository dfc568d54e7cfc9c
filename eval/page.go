package eval

import (
	"fmt"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// maxPageSubsets bounds the page; report.json has the rest.
const maxPageSubsets = 200

// WriteHTML writes one self-contained page of one run or several: no script,
// no outside link.
func WriteHTML(path string, runs []Run) error {
	p, err := pageOf(runs)
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return p.Save(path)
}

func pageOf(runs []Run) (p draw.Page, err error) {
	p = Headed(runs)
	for _, r := range runs {
		sections, err := r.Evaluated(len(runs) > 1)
		if err != nil {
			return p, err
		}
		p.Sections = append(p.Sections, sections...)
	}
	training, err := Training(runs)
	if err != nil {
		return p, err
	}
	p.Sections = append(p.Sections, training...)
	p.Sections = append(p.Sections, Statistics(runs)...)
	p.Sections = append(p.Sections, factSections(runs)...)
	return p, nil
}

// Headed is a page that has its title, its figures atop and, of several runs, the
// table that sets them side by side.
func Headed(runs []Run) draw.Page {
	p := draw.Page{Title: "Reward model report", Definitions: definitions()}
	if len(runs) > 1 {
		p.Sections = []draw.Section{sideBySide(runs)}
		return p
	}
	r := runs[0]
	p.Title, p.Of = r.titled(p.Title), r.of()
	if r.Report != nil {
		p.Headline, p.Warnings = r.headline(), r.Report.Warnings
	}
	return p
}

// Training has the runs' curves; none where no run has any.
func Training(runs []Run) ([]draw.Section, error) {
	s := draw.Section{Title: "Training", Note: trainingNote(runs)}
	var err error
	if s.Figures, err = draw.Figures(curveCharts(runs)); err != nil || len(s.Figures) == 0 {
		return nil, err
	}
	return []draw.Section{s}, nil
}

// Statistics are all figures of the runs' reports.
func Statistics(runs []Run) (out []draw.Section) {
	for _, r := range runs {
		if r.Report != nil {
			out = append(out, draw.Section{Title: r.heading("All statistics", len(runs) > 1), Tables: []draw.Table{r.Report.summaryTable()}})
		}
	}
	return out
}

// Evaluated is what the run's report has to draw and to show; several says whether
// headings name the run.
func (r Run) Evaluated(several bool) ([]draw.Section, error) {
	s := draw.Section{Title: r.heading("Evaluation", several)}
	if r.Report == nil {
		s.Note = "No evaluation yet."
		return []draw.Section{s}, nil
	}
	var err error
	if s.Figures, err = draw.Figures(r.charts()); err != nil {
		return nil, err
	}
	out := []draw.Section{s}
	if len(r.Report.Rulers) > 0 {
		rulers := r.Report.rulerSection()
		rulers.Title = r.heading(rulers.Title, several)
		out = append(out, rulers)
	}
	if len(r.Report.Comparisons) > 0 {
		others := r.Report.comparisonSection()
		others.Title = r.heading(others.Title, several)
		out = append(out, others)
	}
	if len(r.Report.PerSubset) > 0 {
		subsets := r.Report.subsetSection()
		subsets.Title = r.heading(subsets.Title, several)
		out = append(out, subsets)
	}
	if len(r.Examples) > 0 {
		shown := r.Examples[:min(len(r.Examples), maxExamples)]
		out = append(out, draw.Section{Title: r.heading("Worst ranked pairs", several), Examples: shown,
			Note: "Pairs whose rejected response has the higher reward, the lowest margin first. Some labels are wrong: read both."})
	}
	return out, nil
}

// maxExamples bounds the page; report.json has a few more, without texts.
const maxExamples = 10

// heading names the run where there are several.
func (r Run) heading(title string, several bool) string {
	if several {
		return title + ": " + r.Name
	}
	return title
}

// trainingNote says what the curves compare.
func trainingNote(runs []Run) string {
	note := "Training and validation have the same loss, over the same span: training is the mean over the steps since the validation before, with dropout where the model has some and with weights that still move; validation is without dropout."
	for _, r := range runs {
		if r.Loss != "" && len(runs) == 1 {
			note += " It is the " + r.Loss + "; the Bradley-Terry loss of the tables counts every pair alike, without margins."
		}
		if r.Kept > 0 && len(runs) == 1 {
			note += fmt.Sprintf(" Marked is step %d, the checkpoint that is kept: it has the best validation, and is what this report measures.", r.Kept)
		}
	}
	return note
}

// sideBySide compares runs, a row each.
func sideBySide(runs []Run) draw.Section {
	t := draw.Table{Columns: []string{"run", "model", "data", "pairs", "accuracy", "95% interval", "Bradley-Terry loss", "ROC AUC", "ECE", "kept step"}}
	for _, r := range runs {
		row := []string{draw.Label(r.Name, 60), draw.Label(r.Model, 60), draw.Label(r.Data, 60)}
		bar := draw.IntervalBar{}
		if m := r.Report; m != nil {
			row = append(row, fmt.Sprint(m.N), m.AccuracyTiesHalf.String(), m.AccuracyInterval.Percent(), m.BTLossMean.String(), m.ROCAUC.String(), m.ECESymmetric.String())
			bar = accuracyBar(&m.Metrics)
		} else {
			row = append(row, "", "not yet", "", "", "", "")
		}
		kept := ""
		if r.Kept > 0 {
			kept = fmt.Sprint(r.Kept)
		}
		t.Rows, t.Bars = append(t.Rows, append(row, kept)), append(t.Bars, bar)
	}
	return draw.Section{Title: "Runs", Tables: []draw.Table{t}}
}

// factSections say what the runs were made with.
func factSections(runs []Run) (out []draw.Section) {
	for _, r := range runs {
		if len(r.Facts) > 0 {
			s := draw.FactSection(r.Facts...)
			s.Title = r.heading(s.Title, len(runs) > 1)
			out = append(out, s)
		}
	}
	return out
}

func accuracyBar(m *Metrics) draw.IntervalBar {
	low, high := 100*float64(m.AccuracyInterval[0]), 100*float64(m.AccuracyInterval[1])
	return draw.IntervalBar{Low: low, Width: high - low, At: 100 * float64(m.AccuracyTiesHalf)}
}

func (r *Report) summaryTable() draw.Table {
	t := draw.Table{Notes: true}
	for _, l := range r.summary() {
		t.Rows = append(t.Rows, []string{l.Name, l.Value, l.Note})
	}
	return t
}

// subsetSection lists the largest subsets.
func (r *Report) subsetSection() draw.Section {
	names := r.subsetNames()
	shown := names[:min(len(names), maxPageSubsets)]
	t := draw.Table{Columns: []string{"subset", "pairs", "accuracy", "95% interval", "length-controlled", "always longer", "always shorter", "mean margin", "d, paired", "ROC AUC", "ECE"}}
	for _, name := range shown {
		m := r.PerSubset[name]
		t.Rows = append(t.Rows, []string{draw.Label(name, 60), fmt.Sprint(m.N), m.AccuracyTiesHalf.String(), m.AccuracyInterval.Percent(),
			m.LengthControlled.accuracy(), m.AlwaysLongerAccuracy.String(), m.AlwaysShorterAccuracy.String(), m.MarginMean.String(), m.CohensDPaired.String(), m.ROCAUC.String(), m.ECESymmetric.String()})
		t.Bars = append(t.Bars, accuracyBar(m))
	}
	s := draw.Section{Title: "Subsets", Tables: []draw.Table{t}}
	if more := len(names) - len(shown); more > 0 {
		s.Note = fmt.Sprintf("And %d smaller subsets in report.json.", more)
	}
	return s
}

// headline leads with the checkpoint that is kept.
func (run Run) headline() []draw.Card {
	r := run.Report
	accuracy := draw.Card{Name: "Accuracy", Value: stats.Percent(r.AccuracyTiesHalf), Note: "95% interval " + r.AccuracyInterval.Percent(), Main: true}
	if run.Kept > 0 && r.Step == run.Kept {
		accuracy.Name = fmt.Sprintf("Accuracy of the kept checkpoint, step %d", run.Kept)
		if step, last, ok := run.last(); ok && step != run.Kept {
			accuracy.Note += fmt.Sprintf("; after the last step, %d, it is %s", step, stats.Percent(last))
		}
	}
	if r.Seen.Whole() {
		accuracy.Name = "Accuracy on training pairs"
	}
	loss := draw.Card{Name: "Bradley-Terry loss", Value: r.BTLossMean.String(), Note: "every pair alike"}
	if c, ok := run.compare(func(p Point) float64 { return p.Loss }); ok && r.Step == run.Kept { // else the report is of other pairs
		loss = draw.Card{Name: "Validation loss", Value: c.validation.String(),
			Note: fmt.Sprintf("training: %v, over steps %d to %d", c.training, c.after+1, c.step)}
	}
	return []draw.Card{
		accuracy,
		r.rulerCard(),
		loss,
		{Name: "ROC AUC", Value: r.ROCAUC.String(), Note: "any chosen above any rejected"},
		{Name: "Cohen's d", Value: r.CohensDPooled.String(), Note: "pooled"},
		{Name: "Pairs", Value: fmt.Sprint(r.N), Note: "of " + stats.Plural(r.Prompts, "prompt") + "; " + stats.Plural(r.Ties, "tie") + ", counted one half"},
	}
}

// last is the accuracy of the last validation.
func (run Run) last() (step int, accuracy stats.Value, ok bool) {
	validated := series(sorted(run.Curve), true, func(p Point) float64 { return p.Accuracy })
	if len(validated) == 0 {
		return 0, 0, false
	}
	end := validated[len(validated)-1]
	return int(end.X), stats.Value(end.Y), true
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Margin", Text: "Reward of the chosen response minus that of the rejected one; p = sigmoid(margin) is the predicted probability that the label is right."},
		{Name: "Accuracy", Text: "Share of pairs with a positive margin. A tie counts one half; in the strict accuracy it is wrong. The interval is Wilson's, at 95%. Where prompts repeat it is at the effective number of pairs, p(1-p) over the variance of a ratio of sums over prompts (Kish 1965), since the pairs of a prompt are not independent, and it is never narrower than that of unanimous pairs of these prompts; report.json then has a bootstrap over prompts beside that over pairs."},
		{Name: "Weighted, macro", Text: "Accuracy weighted by the labels' confidence; mean of the subsets' accuracies."},
		{Name: "Always longer, always shorter", Text: "What choosing by length alone would score, equal lengths one half. A reward model should beat both. Lengths are of the responses, in characters."},
		{Name: "Rulers", Text: "What can be had without the model: picking by a property of the texts that can be counted, or by a bag of words (a logistic regression on the difference of word counts). Pairs that a ruler does not decide count one half. The interval of model minus ruler is the paired bootstrap's over prompts; McNemar's test is exact, two-sided, and takes pairs as independent. A model that is not above its best ruler has not been shown to have learnt more than it."},
		{Name: "Length-controlled accuracy", Text: "What is left of the accuracy where both responses are as long: the prediction at equal length of a logistic regression of ranking right on tanh(difference in length over its standard deviation), as in length-controlled AlpacaEval (Dubois et al. 2024). The length effect is its slope, in logits."},
		{Name: "Cohen's d", Text: "Mean difference between chosen and rejected rewards over their pooled standard deviation; paired: mean margin over the standard deviation of margins."},
		{Name: "ROC AUC", Text: "Chance that a chosen reward is above a rejected one of any pair, so across prompts; ties one half."},
		{Name: "Bradley-Terry loss", Text: "Mean of -log p. Weighted: by confidence, over the sum of weights. Soft: cross-entropy with the confidence as target."},
		{Name: "Brier", Text: "Mean of (1-p) squared."},
		{Name: "ECE", Text: "Expected calibration error over equal-width bins: how far predicted probability and observed share lie apart. Symmetric: every pair in both orders. Of confidence: max(p, 1-p) against ranking right."},
		{Name: "Temperature", Text: "σ(margin/T) is the calibrated probability that the label is right. T is fitted by the Bradley-Terry loss; figures at a temperature are only of pairs that it was not fitted on."},
		{Name: "Risk and coverage", Text: "The share of pairs ranked wrong among those of the widest margins, by how many are kept. AURC is its mean. The margin that buys a precision is set on half of the prompts and measured on the others."},
		{Name: "Reward and length", Text: "Correlations over all responses; margin and length: rank correlation of the margin with the difference in length."},
	}
}
