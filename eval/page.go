package eval

import (
	"fmt"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// maxPageSubsets bounds the page; report.json has the rest.
const maxPageSubsets = 200

// WriteHTML writes one self-contained page: no script, no outside link. The
// report is nil before the first evaluation, the curve where nothing was
// trained.
func WriteHTML(path string, r *Report, curve []Point, facts ...draw.Fact) error {
	p := draw.Page{Title: "Reward model report", Facts: facts}
	evaluation, err := draw.Inline(reportCharts(r))
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	training, err := draw.Inline(curveCharts(curve))
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	if r == nil {
		p.Sections = append(p.Sections, draw.Section{Title: "Evaluation", Note: "No evaluation yet."})
	} else {
		p.Headline, p.Warnings, p.Definitions = r.headline(), r.Warnings, definitions()
		p.Sections = append(p.Sections, draw.Section{Title: "Evaluation", Figures: evaluation})
		if len(r.PerSubset) > 0 {
			p.Sections = append(p.Sections, r.subsetSection())
		}
	}
	if len(training) > 0 {
		p.Sections = append(p.Sections, draw.Section{Title: "Training", Figures: training})
	}
	if r != nil {
		p.Sections = append(p.Sections, draw.Section{Title: "All statistics", Tables: []draw.Table{r.summaryTable()}})
	}
	return p.Save(path)
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
	t := draw.Table{Columns: []string{"subset", "pairs", "accuracy", "95% interval", "always longer", "always shorter", "mean margin", "d, paired", "ROC AUC", "ECE"}}
	for _, name := range shown {
		m := r.PerSubset[name]
		t.Rows = append(t.Rows, []string{draw.Label(name, 60), fmt.Sprint(m.N), m.AccuracyTiesHalf.String(), m.AccuracyInterval.Percent(),
			m.AlwaysLongerAccuracy.String(), m.AlwaysShorterAccuracy.String(), m.MarginMean.String(), m.CohensDPaired.String(), m.ROCAUC.String(), m.ECESymmetric.String()})
		low, high := 100*float64(m.AccuracyInterval[0]), 100*float64(m.AccuracyInterval[1])
		t.Bars = append(t.Bars, draw.IntervalBar{Low: low, Width: high - low, At: 100 * float64(m.AccuracyTiesHalf)})
	}
	s := draw.Section{Title: "Subsets", Tables: []draw.Table{t}}
	if more := len(names) - len(shown); more > 0 {
		s.Note = fmt.Sprintf("And %d smaller subsets in report.json.", more)
	}
	return s
}

func (r *Report) headline() []draw.Card {
	return []draw.Card{
		{Name: "Accuracy", Value: stats.Percent(r.AccuracyTiesHalf), Note: "95% interval " + r.AccuracyInterval.Percent(), Main: true},
		{Name: "Always longer", Value: stats.Percent(r.AlwaysLongerAccuracy), Note: "picks the longer response"},
		{Name: "Always shorter", Value: stats.Percent(r.AlwaysShorterAccuracy), Note: "picks the shorter response"},
		{Name: "ROC AUC", Value: r.ROCAUC.String(), Note: "any chosen above any rejected"},
		{Name: "Cohen's d", Value: r.CohensDPooled.String(), Note: "pooled"},
		{Name: "Pairs", Value: fmt.Sprint(r.N), Note: "of " + stats.Plural(r.Prompts, "prompt") + "; " + stats.Plural(r.Ties, "tie") + ", counted one half"},
	}
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Margin", Text: "Reward of the chosen response minus that of the rejected one; p = sigmoid(margin) is the predicted probability that the label is right."},
		{Name: "Accuracy", Text: "Share of pairs with a positive margin. A tie counts one half; in the strict accuracy it is wrong. The interval is Wilson's, at 95%. Where prompts repeat it is at the effective number of pairs, p(1-p) over the variance of a ratio of sums over prompts (Kish 1965), since the pairs of a prompt are not independent; report.json then has a bootstrap over prompts beside that over pairs."},
		{Name: "Weighted, macro", Text: "Accuracy weighted by the labels' confidence; mean of the subsets' accuracies."},
		{Name: "Always longer, always shorter", Text: "What choosing by length alone would score, equal lengths one half. A reward model should beat both. Lengths are of the responses, in characters."},
		{Name: "Cohen's d", Text: "Mean difference between chosen and rejected rewards over their pooled standard deviation; paired: mean margin over the standard deviation of margins."},
		{Name: "ROC AUC", Text: "Chance that a chosen reward is above a rejected one of any pair, so across prompts; ties one half."},
		{Name: "Loss", Text: "Bradley-Terry: mean of -log p. Weighted: by confidence, over the sum of weights. Soft: cross-entropy with the confidence as target."},
		{Name: "Brier", Text: "Mean of (1-p) squared."},
		{Name: "ECE", Text: "Expected calibration error over equal-width bins: how far predicted probability and observed share lie apart. Symmetric: every pair in both orders. Of confidence: max(p, 1-p) against ranking right."},
		{Name: "Reward and length", Text: "Correlations over all responses; margin and length: rank correlation of the margin with the difference in length."},
	}
}
