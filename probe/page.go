package probe

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// WriteHTML writes one self-contained page. of says which model and data.
func (r *Report) WriteHTML(path, of string, facts ...draw.Fact) error {
	changes, err := r.Section()
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	examples := r.examples()
	p := draw.Page{Title: "Probes of a reward model", Of: of, Headline: r.headline(), Warnings: r.Warnings, Definitions: definitions(),
		Sections: []draw.Section{changes, edits()}}
	if len(examples.Examples) > 0 {
		p.Sections = append(p.Sections, examples)
	}
	p.Sections = append(p.Sections, draw.FactSection(facts...))
	return p.Save(path)
}

func (r *Report) headline() []draw.Card {
	count := map[string]int{}
	for _, p := range r.Probes {
		count[p.Verdict]++
	}
	return []draw.Card{
		{Name: "Edits preferred", Value: fmt.Sprintf("%d of %d", count[VerdictPrefers], len(r.Probes)), Note: "kinds of edit that raise the reward, none of which makes a response better", Main: true},
		{Name: "As a good model does", Value: fmt.Sprint(count[VerdictGood]), Note: "the edit lowers the reward"},
		{Name: "Not distinguishable", Value: fmt.Sprint(count[VerdictNeither]), Note: "the interval holds 0"},
		{Name: "Rewards", Value: r.Mean.String(), Note: "mean; standard deviation " + r.Std.String()},
		{Name: "Responses", Value: fmt.Sprint(r.Responses), Note: "to " + stats.Plural(r.Prompts, "prompt")},
	}
}

// Section is what the probes come to: chart and tables.
func (r *Report) Section() (s draw.Section, err error) {
	s = r.section()
	s.Figures, err = draw.Figures([]draw.NamedChart{{Name: "probes.svg", Chart: r.chart()}})
	return s, err
}

// section has the table of changes, and that of what was cut.
func (r *Report) section() draw.Section {
	t := draw.Table{Columns: []string{"probe", "responses", "change", "95% interval", "in std", "95% interval", "raised", "nothing to edit", "cut", "verdict"}, Notes: true}
	for _, p := range r.Probes {
		t.Rows = append(t.Rows, []string{p.Probe, fmt.Sprint(p.N), p.Change.String(), p.Interval.String(), p.ChangeStd.String(), p.IntervalStd.String(),
			stats.Percent(p.Raised.Share), fmt.Sprint(p.NothingToEdit), fmt.Sprint(p.Cut.N), p.Verdict})
	}
	s := draw.Section{Title: "Change of the reward by an edit", Tables: []draw.Table{t}}
	if cut := r.cutTable(); len(cut.Rows) > 0 {
		s.Tables = append(s.Tables, cut)
	}
	return s
}

// cutTable is of what the model has not seen all of.
func (r *Report) cutTable() draw.Table {
	t := draw.Table{Caption: "Cut to max_length, before the edit or by it, and left out above", Columns: []string{"probe", "responses", "change"}}
	for _, p := range r.Probes {
		if p.Cut.N > 0 {
			t.Rows = append(t.Rows, []string{p.Probe, fmt.Sprint(p.Cut.N), p.Cut.Change.String()})
		}
	}
	return t
}

// edits says what the probes are.
func edits() draw.Section {
	t := draw.Table{Columns: []string{"probe", "what is edited", "what a good model does"}, Prose: true}
	for _, p := range Probes() {
		t.Rows = append(t.Rows, []string{p.Name, p.Edit, p.Good})
	}
	return draw.Section{Title: "The edits", Tables: []draw.Table{t}}
}

// examples are those edits that raise a reward most.
func (r *Report) examples() draw.Section {
	s := draw.Section{Title: "Edits that raise a reward most", Note: "One of each probe; probe.jsonl has all."}
	for _, p := range r.Probes {
		if p.most == nil {
			continue
		}
		m := p.most
		s.Examples = append(s.Examples, draw.Example{Title: p.Probe, Note: fmt.Sprintf("row %d: the reward rises from %v to %v", m.Row, stats.Value(m.Reward), stats.Value(m.RewardOfEdit)),
			Texts: []draw.Passage{{Name: "Prompt", Text: m.Prompt}, {Name: "Response", Text: m.Original}, {Name: "Edited", Text: m.Edited}}})
	}
	return s
}

// chart has each probe's change in standard deviations, with its interval.
func (r *Report) chart() *draw.Chart {
	c := draw.New("Change of the reward by an edit", "mean, and 95% interval over prompts; a good model raises no reward",
		"change, in standard deviations of the rewards", "")
	c.Legend = []draw.Key{{Label: VerdictGood, Color: colourOf(VerdictGood)}, {Label: VerdictNeither, Color: colourOf(VerdictNeither)}, {Label: VerdictPrefers, Color: colourOf(VerdictPrefers)}}
	var names []plot.Tick
	low, high := 0.0, 0.0
	for i, p := range r.Probes {
		y := float64(len(r.Probes) - 1 - i)
		names = append(names, plot.Tick{Value: y, Label: p.Probe})
		if !p.ChangeStd.Defined() {
			continue
		}
		colour := colourOf(p.Verdict)
		c.Dots(plotter.XYs{{X: float64(p.ChangeStd), Y: y}}, colour, 2.5)
		low, high = math.Min(low, float64(p.ChangeStd)), math.Max(high, float64(p.ChangeStd))
		if p.IntervalStd[0].Defined() {
			a, b := float64(p.IntervalStd[0]), float64(p.IntervalStd[1])
			c.Line(plotter.XYs{{X: a, Y: y}, {X: b, Y: y}}, colour, 1.6)
			low, high = math.Min(low, a), math.Max(high, b)
		}
	}
	top := float64(len(r.Probes)) - 0.5
	c.Line(plotter.XYs{{X: 0, Y: -0.5}, {X: 0, Y: top}}, draw.Ink(), 0.8)
	pad := 0.03 * (high - low)
	c.Frame(low-pad, high+pad, -0.5, top)
	c.Y.Tick.Marker = plot.ConstantTicks(names)
	return c
}

func colourOf(verdict string) color.Color {
	switch verdict {
	case VerdictGood:
		return draw.Blue()
	case VerdictPrefers:
		return draw.Vermillion()
	}
	return draw.Grey()
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Change", Text: "Reward of the edited response minus that of the response itself, the mean over all responses that the probe edits. In std: over the standard deviation of the rewards of all responses as they are, which is taken as known."},
		{Name: "Interval", Text: "95%, by the percentile bootstrap over prompts, whose responses are drawn together. With so many probes one in twenty intervals misses by chance."},
		{Name: "Raised", Text: "Share of the responses whose reward rises."},
		{Name: "Verdict", Text: "As a good model does: the interval lies below 0. Prefers the edit: it lies above 0. Not distinguishable: it holds 0, which is as it should be where a good model does not raise the reward, and too little where it lowers it. Of fewer than " + strconv.Itoa(leastPrompts) + " prompts there is no verdict."},
		{Name: "Nothing to edit", Text: "Responses that the edit leaves as they are, such as one sentence of which the last is to be cut off. They are left out."},
		{Name: "Cut", Text: "Responses that max_length cuts, before the edit or after it. They are left out of the other columns; a table of their own has their mean change."},
	}
}
