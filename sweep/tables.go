package sweep

import (
	"fmt"
	"strings"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Titles of the sections that have charts.
const (
	decidesTitle = "Without a principle"
	sweepTitle   = "Weights"
	pairsTitle   = "Principles two by two"
	modelTitle   = "Reward model"
)

// nameWidth of a principle in tables.
const nameWidth = 40

func (r *Report) sections() []draw.Section {
	out := []draw.Section{
		{Title: "Labels", Tables: []draw.Table{r.labelTable()}},
		{Title: decidesTitle, Tables: []draw.Table{r.leftOutTable(), r.decidesTable()}},
		{Title: sweepTitle, Tables: []draw.Table{r.factorTable()}},
		{Title: pairsTitle, Tables: []draw.Table{r.pairTable(), r.explainedTable()}},
	}
	if r.Fit != nil {
		out = append(out, draw.Section{Title: "Weights fitted to gold", Tables: []draw.Table{r.Fit.table(), r.Fit.weightTable()}})
	}
	if r.Model != nil {
		out = append(out, draw.Section{Title: modelTitle, Tables: r.Model.tables()})
	}
	return out
}

func (r *Report) labelTable() draw.Table {
	t := draw.Table{Columns: []string{"labels", "n", "share", "95%"}}
	row := func(name string, s stats.Share) {
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(s.N), stats.Percent(s.Share), s.Interval.Percent()})
	}
	row("decided by no one principle", r.Deciding.None)
	row("decided by one", r.Deciding.One)
	row("decided by each of several", r.Deciding.Several)
	row("comparisons with principles in conflict", r.Conflicting)
	if g := r.Shipped.Gold; g != nil {
		row("agreement with gold", g.Agreement)
		row("coverage of gold", g.Coverage)
	}
	return t
}

// changeColumns are of a Change.
func (r *Report) changeColumns(first ...string) []string {
	columns := append(first, "flip", "share", "lost", "gained", "labelled", "confidence")
	if r.Match != nil {
		columns = append(columns, "gold", "more than as it is")
	}
	return columns
}

func (c Change) cells() []string {
	cells := []string{fmt.Sprint(c.Flips), c.Flipped.String(), fmt.Sprint(c.Lost), fmt.Sprint(c.Gained), fmt.Sprint(c.Labelled), c.Confidence.String()}
	if c.Gold != nil {
		cells = append(cells, stats.Percent(c.Gold.Agreement.Share), c.Gold.More.String())
	}
	return cells
}

func (r *Report) leftOutTable() draw.Table {
	t := draw.Table{Caption: "Labels that flip, are lost and gained", Columns: r.changeColumns("left out", "weight")}
	t.Rows = append(t.Rows, append([]string{"(none)", stats.Value(r.constitution.TotalWeight()).String()}, r.Shipped.cells()...))
	for _, p := range r.Principles {
		t.Rows = append(t.Rows, append([]string{draw.Label(p.Name, nameWidth), stats.Value(p.Weight).String()}, p.LeftOut.cells()...))
	}
	return t
}

func (r *Report) decidesTable() draw.Table {
	t := draw.Table{Caption: "Labels that a principle decides", Columns: []string{"principle", "names a side", "decides", "flip", "tie", "below threshold", "alone"}}
	if r.Match != nil {
		t.Columns = append(t.Columns, "gold, of those")
	}
	for _, p := range r.Principles {
		d := p.Decides
		row := []string{draw.Label(p.Name, nameWidth), stats.Percent(p.Says.Share), d.Labels.String(), fmt.Sprint(d.Flips), fmt.Sprint(d.Ties), fmt.Sprint(d.Below), fmt.Sprint(d.Alone)}
		if d.Agreement != nil {
			row = append(row, d.Agreement.OfN())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// factorTable is the sweep in short; the page has sweepTable besides.
func (r *Report) factorTable() draw.Table {
	t := draw.Table{Caption: "Labels that flip or are lost + gained, one weight times", Columns: []string{"principle"}}
	for _, s := range r.Principles[0].Sweep {
		t.Columns = append(t.Columns, fmt.Sprintf("%g", s.Factor))
	}
	for _, p := range r.Principles {
		row := []string{draw.Label(p.Name, nameWidth)}
		for _, s := range p.Sweep {
			row = append(row, fmt.Sprintf("%d + %d", s.Flips+s.Lost, s.Gained))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r *Report) sweepTable() draw.Table {
	t := draw.Table{Caption: "One weight times a factor, the others as they are", Columns: r.changeColumns("principle", "factor", "share of weight")}
	for _, p := range r.Principles {
		for _, s := range p.Sweep {
			t.Rows = append(t.Rows, append([]string{draw.Label(p.Name, nameWidth), fmt.Sprintf("%g", s.Factor), stats.Percent(stats.Value(s.Share))}, s.cells()...))
		}
	}
	return t
}

func (r *Report) pairTable() draw.Table {
	t := draw.Table{Caption: "Where both name a side", Columns: []string{"principles", "n", "same side", "opposite", "by chance", "κ", "95%", "correlation of p", "verdict"}, Notes: true}
	for _, p := range r.Pairs {
		t.Rows = append(t.Rows, []string{draw.Label(p.A, nameWidth) + " and " + draw.Label(p.B, nameWidth), fmt.Sprint(p.Same.N), p.Same.String(), stats.Percent(p.Opposite.Share), stats.Percent(p.Expected),
			p.Kappa.Kappa.String(), p.Kappa.Interval.String(), p.Correlation.String(), p.Verdict})
	}
	return t
}

func (r *Report) explainedTable() draw.Table {
	t := draw.Table{Caption: "What the other principles foretell", Columns: []string{"principle", "n", "variance explained", "95%"}}
	for _, p := range r.Principles {
		t.Rows = append(t.Rows, []string{draw.Label(p.Name, nameWidth), fmt.Sprint(p.Explained.N), p.Explained.Mean.String(), p.Explained.Interval.String()})
	}
	return t
}

func (f *Fit) table() draw.Table {
	t := draw.Table{Caption: fmt.Sprintf("%s of %s; fitted weights on prompts they were not fitted to, %d folds; suggested: %s", stats.Plural(f.Rows, "comparison"), stats.Plural(f.Prompts, "prompt"), f.Folds, f.Suggested),
		Columns: []string{"weights", "agreement", "coverage", "score", "score over shipped", "agreement over shipped"}}
	for _, c := range f.Candidates {
		row := []string{c.Name, c.Agreement.String(), stats.Percent(c.Coverage.Share), c.Score.String(), c.Over.String(), c.More.String()}
		if c.Name == ShippedWeights {
			row[4], row[5] = "", ""
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (f *Fit) weightTable() draw.Table {
	t := draw.Table{Caption: "Each weight", Columns: []string{"principle", "shipped", "fitted", "least of a fold", "most of a fold"}}
	for _, w := range f.Weights {
		t.Rows = append(t.Rows, []string{draw.Label(w.Name, nameWidth), stats.Value(w.Shipped).String(), stats.Value(w.Fitted).String(), stats.Value(w.Least).String(), stats.Value(w.Most).String()})
	}
	return t
}

func (m *Model) tables() []draw.Table {
	all := draw.Table{Caption: "Accuracy, equal rewards one half", Columns: []string{"on", "n", "accuracy", "95%"}}
	row := func(name string, s stats.Share) {
		all.Rows = append(all.Rows, []string{name, fmt.Sprint(s.N), stats.Percent(s.Share), s.Interval.Percent()})
	}
	row("labels", m.Labels)
	if m.Gold != nil {
		row("gold", *m.Gold)
	}
	decided := draw.Table{Caption: "By what a principle decides", Columns: []string{"principle", "labels it decides", "other labels", "difference"}}
	follows := draw.Table{Caption: "With what a principle says", Columns: []string{"principle", "follows it", "where it says a", "where it says b", "where the label overrules it"}}
	for _, p := range m.Principles {
		name := draw.Label(p.Name, nameWidth)
		decided.Rows = append(decided.Rows, []string{name, p.Decided.OfN(), p.Others.OfN(), p.Less.String()})
		follows.Rows = append(follows.Rows, []string{name, p.Follow.OfN(), p.SaidA.String(), p.SaidB.String(), p.Overruled.OfN()})
	}
	return []draw.Table{all, decided, follows}
}

// verdict says what the principles say on a conflict.
func (c Conflict) verdict() string {
	said := "abstained"
	if c.Label != "" {
		said = fmt.Sprintf("label %s, confidence %v", c.Label, c.Confidence)
	}
	if c.Gold != "" {
		said += fmt.Sprintf("; gold %s", c.Gold)
	}
	said += fmt.Sprintf("; a: %s; b: %s; strength %v", strings.Join(c.ForA, ", "), strings.Join(c.ForB, ", "), stats.Value(c.Strength))
	if len(c.Decides) > 0 {
		said += "; decided by " + strings.Join(c.Decides, ", ")
	}
	return said
}
