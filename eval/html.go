package eval

import "fmt"

// maxPageSubsets bounds the page; report.json has the rest.
const maxPageSubsets = 200

// WriteHTML writes one self-contained page: no script, no outside link. The
// report is nil before the first evaluation, the curve where nothing was
// trained.
func WriteHTML(path string, r *Report, curve []Point, facts ...Fact) error {
	p := page{Title: "Reward model report", Facts: facts}
	evaluation, err := inline(reportCharts(r))
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	training, err := inline(curveCharts(curve))
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	if r == nil {
		p.Sections = append(p.Sections, section{Title: "Evaluation", Note: "No evaluation yet."})
	} else {
		p.Headline, p.Warnings, p.Definitions = r.headline(), r.Warnings, definitions()
		p.Sections = append(p.Sections, section{Title: "Evaluation", Figures: evaluation})
		if len(r.PerSubset) > 0 {
			p.Sections = append(p.Sections, r.subsetSection())
		}
	}
	if len(training) > 0 {
		p.Sections = append(p.Sections, section{Title: "Training", Figures: training})
	}
	if r != nil {
		p.Sections = append(p.Sections, section{Title: "All statistics", Tables: []table{r.summaryTable()}})
	}
	return p.save(path)
}

func (r *Report) summaryTable() table {
	t := table{Notes: true}
	for _, l := range r.summary() {
		t.Rows = append(t.Rows, []string{l.Name, l.Value, l.Note})
	}
	return t
}

// subsetSection lists the largest subsets.
func (r *Report) subsetSection() section {
	names := r.subsetNames()
	shown := names[:min(len(names), maxPageSubsets)]
	t := table{Columns: []string{"subset", "pairs", "accuracy", "95% interval", "always longer", "always shorter", "mean margin", "d, paired", "ROC AUC", "ECE"}}
	for _, name := range shown {
		m := r.PerSubset[name]
		t.Rows = append(t.Rows, []string{subsetLabel(name, 60), fmt.Sprint(m.N), m.AccuracyTiesHalf.String(), percentInterval(m.AccuracyInterval),
			m.AlwaysLongerAccuracy.String(), m.AlwaysShorterAccuracy.String(), m.MarginMean.String(), m.CohensDPaired.String(), m.ROCAUC.String(), m.ECESymmetric.String()})
		low, high := 100*float64(m.AccuracyInterval[0]), 100*float64(m.AccuracyInterval[1])
		t.Bars = append(t.Bars, intervalBar{low, high - low, 100 * float64(m.AccuracyTiesHalf)})
	}
	s := section{Title: "Subsets", Tables: []table{t}}
	if more := len(names) - len(shown); more > 0 {
		s.Note = fmt.Sprintf("And %d smaller subsets in report.json.", more)
	}
	return s
}

func (r *Report) headline() []headline {
	return []headline{
		{"Accuracy", percent(r.AccuracyTiesHalf), "95% interval " + percentInterval(r.AccuracyInterval), true},
		{"Always longer", percent(r.AlwaysLongerAccuracy), "picks the longer response", false},
		{"Always shorter", percent(r.AlwaysShorterAccuracy), "picks the shorter response", false},
		{"ROC AUC", r.ROCAUC.String(), "any chosen above any rejected", false},
		{"Cohen's d", r.CohensDPooled.String(), "pooled", false},
		{"Pairs", fmt.Sprint(r.N), "of " + plural(r.Prompts, "prompt") + "; " + plural(r.Ties, "tie") + ", counted one half", false},
	}
}

func definitions() []definition {
	return []definition{
		{"Margin", "Reward of the chosen response minus that of the rejected one; p = sigmoid(margin) is the predicted probability that the label is right."},
		{"Accuracy", "Share of pairs with a positive margin. A tie counts one half; in the strict accuracy it is wrong. The interval is Wilson's, at 95%. Where prompts repeat it is at the effective number of pairs, p(1-p) over the variance of a ratio of sums over prompts (Kish 1965), since the pairs of a prompt are not independent; report.json then has a bootstrap over prompts beside that over pairs."},
		{"Weighted, macro", "Accuracy weighted by the labels' confidence; mean of the subsets' accuracies."},
		{"Always longer, always shorter", "What choosing by length alone would score, equal lengths one half. A reward model should beat both. Lengths are of the responses, in characters."},
		{"Cohen's d", "Mean difference between chosen and rejected rewards over their pooled standard deviation; paired: mean margin over the standard deviation of margins."},
		{"ROC AUC", "Chance that a chosen reward is above a rejected one of any pair, so across prompts; ties one half."},
		{"Loss", "Bradley-Terry: mean of -log p. Weighted: by confidence, over the sum of weights. Soft: cross-entropy with the confidence as target."},
		{"Brier", "Mean of (1-p) squared."},
		{"ECE", "Expected calibration error over equal-width bins: how far predicted probability and observed share lie apart. Symmetric: every pair in both orders. Of confidence: max(p, 1-p) against ranking right."},
		{"Reward and length", "Correlations over all responses; margin and length: rank correlation of the margin with the difference in length."},
	}
}
