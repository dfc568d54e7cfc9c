package sweep

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// shownConflicts bounds the page; the JSON has all that are listed.
const shownConflicts = 20

// WriteHTML writes one self-contained page.
func (r *Report) WriteHTML(path, of string, facts ...draw.Fact) error {
	sections := r.sections()
	charts := r.charts()
	for i := range sections {
		figures, err := draw.Figures(charts[sections[i].Title])
		if err != nil {
			return fmt.Errorf("write report %s: %w", path, err)
		}
		sections[i].Figures = figures
		if sections[i].Title == sweepTitle {
			sections[i].Tables = append(sections[i].Tables, r.sweepTable())
		}
	}
	if len(r.Conflicts) > 0 {
		sections = append(sections, r.conflictSection())
	}
	p := draw.Page{Title: "What the principles do to the labels", Of: of, Headline: r.headline(), Warnings: r.Warnings,
		Sections: append(sections, draw.FactSection(facts...)), Definitions: definitions()}
	return p.Save(path)
}

func (r *Report) conflictSection() draw.Section {
	s := draw.Section{Title: "Conflicts", Note: "Comparisons whose principles name different sides, the strongest first."}
	for _, c := range r.Conflicts[:min(len(r.Conflicts), shownConflicts)] {
		e := draw.Example{Title: draw.Label(c.ID, 80), Note: c.verdict()}
		if c.texts != nil {
			e.Texts = []draw.Passage{{Name: "prompt", Text: draw.Words(c.texts.Prompt)}, {Name: "response a", Text: draw.Words(c.texts.A)}, {Name: "response b", Text: draw.Words(c.texts.B)}}
		}
		s.Examples = append(s.Examples, e)
	}
	return s
}

func (r *Report) headline() []draw.Card {
	most := r.mostDeciding()[0]
	out := []draw.Card{
		{Name: "Decided by one principle or more", Value: stats.Percent(1 - r.Deciding.None.Share), Note: fmt.Sprintf("of %s; the others stand without any one", stats.Plural(r.Labelled, "label")), Main: true},
		{Name: "Decides most", Value: draw.Label(most.Name, nameWidth), Note: most.Decides.Labels.String() + " of the labels"},
		{Name: "Principles in conflict", Value: stats.Percent(r.Conflicting.Share), Note: "of the comparisons"},
	}
	if r.Fit != nil {
		c := r.Fit.Candidates[len(r.Fit.Candidates)-1]
		out = append(out, draw.Card{Name: "Suggested weights", Value: r.Fit.Suggested, Note: "fitted to gold: agreement " + c.More.String() + " over shipped, held out"})
	}
	if r.Model != nil {
		out = append(out, draw.Card{Name: "Reward model on the labels", Value: stats.Percent(r.Model.Labels.Share), Note: draw.Label(r.Model.Name, nameWidth)})
	}
	return out
}

// mostDeciding are the principles, those that decide most first.
func (r *Report) mostDeciding() []Principle {
	out := slices.Clone(r.Principles)
	slices.SortStableFunc(out, func(a, b Principle) int {
		return b.Decides.Flips + b.Decides.Ties + b.Decides.Below - a.Decides.Flips - a.Decides.Ties - a.Decides.Below
	})
	return out
}

// charts are by the title of their section.
func (r *Report) charts() map[string][]draw.NamedChart {
	out := map[string][]draw.NamedChart{
		decidesTitle: {{Name: "decides.svg", Chart: r.decidesChart()}},
		sweepTitle: {{Name: "changed.svg", Chart: r.sweepChart("Labels that other weights change", "labels that flip or are lost (%)", func(s Step) stats.Value {
			return 100 * stats.Over(float64(s.Flips+s.Lost), float64(r.Labelled))
		})}},
		pairsTitle: {{Name: "kappa.svg", Chart: r.kappaChart()}},
	}
	if r.Match != nil {
		out[sweepTitle] = append(out[sweepTitle], draw.NamedChart{Name: "gold.svg", Chart: r.sweepChart("Agreement with gold by weight", "agreement with gold (%)", func(s Step) stats.Value {
			return 100 * s.Gold.Agreement.Share
		})})
	}
	if r.Model != nil {
		out[modelTitle] = []draw.NamedChart{{Name: "model.svg", Chart: r.Model.chart()}}
	}
	return out
}

func (r *Report) decidesChart() *draw.Chart {
	most := r.mostDeciding()
	c := draw.New("Labels that each principle decides", fmt.Sprintf("of %s; most: %s", stats.Plural(r.Labelled, "label"), draw.Label(most[0].Name, nameWidth)), "share of the labels (%)", "")
	var rows []draw.Level
	for _, p := range most {
		share := p.Decides.Labels.Share
		rows = append(rows, draw.Level{Name: p.Name, Label: stats.Percent(share), Value: 100 * defined(share), Color: draw.Tint(draw.Blue(), 0.2)})
	}
	c.Levels(rows)
	return c
}

// defined is 0 where the value is not.
func defined(v stats.Value) float64 {
	if !v.Defined() {
		return 0
	}
	return float64(v)
}

func colours() []color.Color {
	return []color.Color{draw.Blue(), draw.Vermillion(), draw.Green(), draw.Orange(), draw.Purple(), draw.Sky()}
}

// sweepChart draws the principles that decide most; the table has all.
func (r *Report) sweepChart(title, axis string, of func(Step) stats.Value) *draw.Chart {
	shown := r.mostDeciding()
	c := draw.New(title, fmt.Sprintf("one weight changed, %s as they are", stats.Plural(len(shown)-1, "other weight")), "factor of the weight", axis)
	if len(shown) > len(colours()) {
		shown = shown[:len(colours())]
		c.Facts += fmt.Sprintf("; the %d principles that decide most", len(shown))
	}
	low, high, far := math.Inf(1), math.Inf(-1), 0.0
	for i, p := range shown {
		var line plotter.XYs
		for _, s := range p.Sweep {
			v := of(s)
			if !v.Defined() {
				continue
			}
			line = append(line, plotter.XY{X: s.Factor, Y: float64(v)})
			low, high, far = min(low, float64(v)), max(high, float64(v)), max(far, s.Factor)
		}
		if len(line) > 0 {
			c.Line(line, colours()[i], 1.4)
			c.Dots(line, colours()[i], 2)
		}
		c.Legend = append(c.Legend, draw.Key{Label: draw.Label(p.Name, 66/len(shown)), Color: colours()[i]})
	}
	if low > high { // no label anywhere
		low, high = 0, 1
	}
	pad := 0.05*(high-low) + 0.01
	c.Frame(0, max(far, 1), low-pad, high+pad)
	return c
}

// kappaChart is a square for each two principles, by κ where both name a side.
func (r *Report) kappaChart() *draw.Chart {
	n := len(r.Principles)
	c := draw.New("Agreement of principles", "κ where both name a side; the table has the numbers", "principle, in the order of the left", "")
	c.Legend = []draw.Key{{Label: "the same side", Color: draw.Blue()}, {Label: "as by chance", Color: draw.Tint(draw.Grey(), 0.85)}, {Label: "opposite sides", Color: draw.Vermillion()}}
	number := map[string]int{}
	var ticks, below []plot.Tick
	for i, p := range r.Principles {
		number[p.Name] = i
		ticks = append(ticks, plot.Tick{Value: float64(n - 1 - i), Label: fmt.Sprintf("%d %s", i+1, draw.Label(p.Name, 32))})
		below = append(below, plot.Tick{Value: float64(i), Label: fmt.Sprint(i + 1)})
	}
	var cells draw.Bars
	cell := func(i, j int, kappa stats.Value) {
		x, y := float64(j), float64(n-1-i)
		cells = append(cells, draw.Bar{Left: x - 0.5, Right: x + 0.5, Bottom: y - 0.48, Top: y + 0.48, Color: shade(kappa)})
	}
	for i := range n {
		cell(i, i, 1)
	}
	for _, p := range r.Pairs {
		cell(number[p.A], number[p.B], p.Kappa.Kappa)
		cell(number[p.B], number[p.A], p.Kappa.Kappa)
	}
	c.Add(cells)
	c.Frame(-0.5, float64(n)-0.5, -0.6, float64(n)-0.4)
	c.Y.Tick.Marker, c.X.Tick.Marker = plot.ConstantTicks(ticks), plot.ConstantTicks(below)
	return c
}

// shade is a colour between blue at 1, pale grey at 0 or none, and vermillion at -1.
func shade(kappa stats.Value) color.Color {
	switch k := defined(kappa); {
	case k > 0.02:
		return draw.Tint(draw.Blue(), 0.9*(1-min(k, 1)))
	case k < -0.02:
		return draw.Tint(draw.Vermillion(), 0.9*(1-min(-k, 1)))
	}
	return draw.Tint(draw.Grey(), 0.85)
}

func (m *Model) chart() *draw.Chart {
	c := draw.New("The model on the labels that each principle decides", fmt.Sprintf("on all labels %s", m.Labels), "accuracy (%)", "")
	var rows []draw.Level
	for _, p := range m.Principles {
		rows = append(rows, draw.Level{Name: p.Name, Label: fmt.Sprintf("%s of %d", stats.Percent(p.Decided.Share), p.Decided.N), Value: 100 * defined(p.Decided.Share), Color: draw.Tint(draw.Blue(), 0.2)})
	}
	c.Levels(rows)
	return c
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Weights", Text: "Labels depend on the ratios of weights alone. A factor multiplies one principle's weight and leaves the others; 0 leaves the principle out, of the vote share too. Every label is made by the code that made the labels, of the answers that are kept; nothing is asked."},
		{Name: "Flip, lost, gained", Text: "Labels for the other side; labels that become abstentions; abstentions that become labels. Shares are of the labels as they are, gained of the abstentions. Identical responses are no part of it."},
		{Name: "Decides", Text: "A label that without the principle is for the other side, or none: because votes are even or none is left (tie), or a threshold is not met. Several principles may each decide a label."},
		{Name: "More than as it is", Text: "Agreement with gold less that of the labels as they are, each over the labels of its own; the interval is the linearised one over prompts, of both together. Score: 1 for gold's side, one half for an abstention, 0 for the other side."},
		{Name: "κ, redundant, conflicting", Text: "Cohen's κ where both principles name a side. Redundant: its interval lies above 0.8. Conflicting: below 0, so that they name opposite sides more often than two independent ones with their shares. Of 40 pairs about one has its interval beside the truth by chance."},
		{Name: "Variance explained", Text: "Of the principle's probability that a is better, by a linear regression on the other principles', on prompts that it was not fitted to (5 folds)."},
		{Name: "Weights fitted to gold", Text: "A logistic regression of gold's side on the principles' sides, without an intercept, weights of 0 or more, λ = 1; each prompt is measured with weights fitted to other prompts. Suggested only where the interval of the score over the shipped weights lies above 0."},
		{Name: "Strength of a conflict", Text: "The smaller of both sides' Σ weight (2 confidence - 1), over the weight of all votes."},
		{Name: "Intervals", Text: "95%, with the prompts as what was drawn."},
	}
}
