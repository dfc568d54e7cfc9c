package eval

import "fmt"

// page is what report.html.tmpl shows.
type page struct {
	Title       string
	Report      *Report
	Headline    []headline
	Summary     []line
	Subsets     []subsetLine
	MoreSubsets int
	Evaluation  []figure
	Training    []figure
	Facts       []Fact
	Definitions []definition
}

type subsetLine struct {
	Name     string
	Interval string
	Bar      intervalBar
	*Metrics
}

// intervalBar places an interval on a scale of 0 to 100.
type intervalBar struct{ Low, Width, At float64 }

// maxPageSubsets bounds the page; report.json has the rest.
const maxPageSubsets = 200

// WriteHTML writes one self-contained page: no script, no outside link. The
// report is nil before the first evaluation, the curve where nothing was
// trained.
func WriteHTML(path string, r *Report, curve []Point, facts ...Fact) error {
	p := page{Title: "Reward model report", Report: r, Facts: facts}
	var err error
	if p.Evaluation, err = inline(reportCharts(r)); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	if p.Training, err = inline(curveCharts(curve)); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	if r != nil {
		p.Headline, p.Summary, p.Definitions = r.headline(), r.summary(), definitions()
		names := r.subsetNames()
		shown := names[:min(len(names), maxPageSubsets)]
		p.MoreSubsets = len(names) - len(shown)
		for _, name := range shown {
			p.Subsets = append(p.Subsets, subsetOnPage(name, r.PerSubset[name]))
		}
	}
	return savePage(path, "report.html.tmpl", p)
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

func percent(v Value) string {
	if !v.Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(v))
}

func percentInterval(i [2]Value) string {
	if !i[0].Defined() {
		return "n/a"
	}
	return percent(i[0]) + " to " + percent(i[1])
}

func subsetOnPage(name string, m *Metrics) subsetLine {
	low, high := 100*float64(m.AccuracyInterval[0]), 100*float64(m.AccuracyInterval[1])
	return subsetLine{
		Name: subsetLabel(name, 60), Interval: percentInterval(m.AccuracyInterval), Metrics: m,
		Bar: intervalBar{low, high - low, 100 * float64(m.AccuracyTiesHalf)},
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
