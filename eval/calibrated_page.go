package eval

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// calibrationLines are those of the summary.
func (r *Report) calibrationLines() []line {
	ece := line{"ECE", r.ECESymmetric.String(), fmt.Sprintf("symmetric; of confidence %v", r.ECEConfidence)}
	c := r.Calibration
	if c == nil { // a report of an earlier version
		return []line{ece}
	}
	ece.Note = fmt.Sprintf("95%% %v, symmetric; of confidence %v (%v)", c.ECE, r.ECEConfidence, c.ECEConfidence)
	out := []line{ece}
	if k := c.Calibrated; k != nil {
		out = append(out, line{"calibrated ECE", k.ECE.Model.String(), k.says()},
			line{"calibrated BT loss", k.Loss.Model.String(), "change " + k.Loss.change()})
	}
	if c.Note != "" {
		out = append(out, line{"stored temperature", "", c.Note})
	}
	if c.Fitted != nil {
		out = append(out, line{"temperature", c.Fitted.Value.String(), fmt.Sprintf("95%% %v, what would fit these pairs", c.Fitted.Interval)})
	}
	return append(out, line{"margin AUROC", c.AUROC.String(), fmt.Sprintf("95%% %v, of its size for ranking right", c.AUROCIn)},
		line{"precise margin", c.Risk.Threshold.String(), c.Risk.note()})
}

// says of what temperature the figures are.
func (k *Calibrated) says() string {
	how := fmt.Sprintf("at the stored temperature %v", k.Temperatures[0])
	if k.Source == CrossFitted {
		how = fmt.Sprintf("cross-fitted: each half of the prompts at the temperature of the other (%v, %v)", k.Temperatures[0], k.Temperatures[1])
	}
	return fmt.Sprintf("change %s, %s", k.ECE.change(), how)
}

// change is the difference with its interval.
func (c Change) change() string { return fmt.Sprintf("%v (%v)", c.Difference, c.Interval) }

// note says what the threshold buys, on pairs that did not set it.
func (m MarginRisk) note() string {
	if !m.Threshold.Defined() {
		return fmt.Sprintf("no margin buys a precision of %v", stats.Value(m.Wanted))
	}
	return fmt.Sprintf("wanted precision %v; on the half that did not set it %v at coverage %v", stats.Value(m.Wanted), m.Precision, m.Coverage)
}

func (r *Report) riskChart() *draw.Chart {
	m := r.Calibration.Risk
	facts := fmt.Sprintf("%s, AURC %v", stats.Plural(r.N, "pair"), m.AURC)
	if m.Threshold.Defined() {
		facts += fmt.Sprintf("; from margin %v on, precision %s at coverage %s", m.Threshold, stats.Percent(m.Precision.Share), stats.Percent(m.Coverage.Share))
	}
	return draw.RiskChart(facts, "coverage: share of the pairs kept, the widest margins first", "risk: share of pairs ranked wrong", m.Curve, m.Wanted)
}

// comparisonSection sets the model beside others, a row a figure.
func (r *Report) comparisonSection() draw.Section {
	s := draw.Section{Title: "Other models on the same pairs",
		Note: "Differences are this model minus the other, with intervals over prompts. McNemar's test takes pairs as independent."}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		caption := "Beside " + draw.Label(c.Other, 80)
		if c.Note != "" {
			caption += ": " + c.Note
		}
		s.Tables = append(s.Tables, draw.Table{Caption: caption, Columns: comparisonColumns(), Rows: r.comparisonRows(c), Notes: true})
		if c.Won.Count+c.Lost.Count > 0 {
			s.Tables = append(s.Tables, c.flipTable())
		}
	}
	return s
}

func comparisonColumns() []string {
	return []string{"figure", "model", "other", "model minus other", "95% interval", "note"}
}

func (r *Report) comparisonRows(c *Comparison) [][]string {
	row := func(name string, x Change) []string {
		return []string{name, x.Model.String(), x.Other.String(), x.Difference.String(), x.Interval.String(), ""}
	}
	return [][]string{
		{"accuracy", r.AccuracyTiesHalf.String(), c.Accuracy.String(), c.Model.Difference.String(), c.Model.Interval.String(),
			fmt.Sprintf("better on %s, worse on %d; McNemar p %v", stats.Plural(c.Won.Count, "pair"), c.Lost.Count, c.Model.McNemar.Exact)},
		row("BT loss", c.Loss), row("ECE", c.ECE),
	}
}

// maxShownFlips bounds the page, in either direction; report.json has more.
const maxShownFlips = 20

func (c *Comparison) flipTable() draw.Table {
	t := draw.Table{Caption: fmt.Sprintf("Pairs that flip: %d ranked better by the model, %d by the other; the widest apart", c.Won.Count, c.Lost.Count),
		Columns: []string{"pair", "better", "model's margin", "other's margin", "subset"}, Notes: true}
	for _, side := range []struct {
		name string
		Flips
	}{{"model", c.Won}, {"other", c.Lost}} {
		for _, f := range side.Listed[:min(len(side.Listed), maxShownFlips)] {
			name := fmt.Sprintf("pair %d", f.Place+1)
			if f.ID != "" {
				name += ", " + draw.Label(f.ID, 60)
			}
			t.Rows = append(t.Rows, []string{name, side.name, stats.Value(f.Margin).String(), stats.Value(f.OtherMargin).String(), draw.Label(f.Subset, 40)})
		}
	}
	return t
}

// printComparisons prints the same.
func (r *Report) printComparisons(b *strings.Builder) {
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		fmt.Fprintf(b, "\ncompared with %s on the same pairs\n", c.Other)
		if c.Note != "" {
			fmt.Fprintf(b, "warning: %s\n", c.Note)
		}
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, strings.Join(comparisonColumns(), "\t"))
		for _, row := range r.comparisonRows(c) {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
		t.Flush()
	}
}
