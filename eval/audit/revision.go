package audit

import (
	"fmt"
	"io"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// RevisionReport says what critique and revision did to the answers.
type RevisionReport struct {
	Prompts    int             // read and kept
	Written    int             // whole chains
	Given      int             // of them with the file's own first answer
	Unchanged  int             // of them whose last answer is the first
	LeftOut    []StageCount    // prompts without a whole chain, by where it broke
	Rounds     []RoundRates    // from 0, the first answers
	Principles []RevisionRates // by the constitution's order
	Examples   []draw.Example  // chains to look at
}

// StageCount is a number of prompts by the stage of their chain.
type StageCount struct {
	Stage string
	N     int
}

// RoundRates describe the answers after a round.
type RoundRates struct {
	Texts       int
	Refusals    float64
	Boilerplate float64
	Unchanged   float64 // the answers of the round before
	MeanChars   float64
	MeanChange  float64 // in characters, from the round before
}

// RevisionRates describe the revisions by one principle.
type RevisionRates struct {
	Name       string
	Revisions  int
	Unchanged  float64
	MeanChange float64
}

// Write writes report.html and the plots into dir. of says what was revised, and
// by which model.
func (r *RevisionReport) Write(dir, of string, facts ...draw.Fact) error {
	if _, err := draw.Write(filepath.Join(dir, "plots"), r.charts()); err != nil {
		return err
	}
	return r.writeHTML(filepath.Join(dir, "report.html"), of, facts)
}

func (r *RevisionReport) writeHTML(path, of string, facts []draw.Fact) error {
	p := draw.Page{Title: "Revision report", Of: of, Headline: r.headline(), Warnings: r.Warnings(), Sections: append(r.pageSections(), draw.FactSection(facts...)), Definitions: revisionDefinitions()}
	var err error
	if p.Sections[0].Figures, err = draw.Figures(r.charts()); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return p.Save(path)
}

// Print writes the report's tables for a terminal.
func (r *RevisionReport) Print(w io.Writer) error {
	return draw.Print(w, r.sections(), r.Warnings())
}

// Warnings are what to look at before training on the revisions.
func (r *RevisionReport) Warnings() (out []string) {
	if r.Written == 0 {
		return []string{"no prompt got a whole chain: the files have no rows"}
	}
	last := r.Rounds[len(r.Rounds)-1]
	// beyond these shares the data teach the habit itself
	if last.Boilerplate > 0.05 {
		out = append(out, fmt.Sprintf("%s of the last answers have words about themselves, such as \"Here is the revised response\": a model tuned on them learns to write that; another model or a constitution that asks for the answer alone may help", stats.Percent(stats.Value(last.Boilerplate))))
	}
	if last.Refusals > r.Rounds[0].Refusals+0.1 {
		out = append(out, fmt.Sprintf("revision made refusals of answers: %s refuse, %s did at first", stats.Percent(stats.Value(last.Refusals)), stats.Percent(stats.Value(r.Rounds[0].Refusals))))
	}
	if share := stats.Over(float64(r.Unchanged), float64(r.Written)); share > 0.5 {
		out = append(out, fmt.Sprintf("%s of the answers came out as they went in", stats.Percent(share)))
	}
	return out
}

func (r *RevisionReport) headline() []draw.Card {
	first, last := r.Rounds[0], r.Rounds[len(r.Rounds)-1]
	return []draw.Card{
		{Name: "Revised", Value: stats.Percent(stats.Over(float64(r.Written-r.Unchanged), float64(r.Prompts))), Note: fmt.Sprintf("%d of %s changed", r.Written-r.Unchanged, stats.Plural(r.Prompts, "prompt")), Main: true},
		{Name: "Refusals", Value: stats.Percent(stats.Value(last.Refusals)), Note: stats.Percent(stats.Value(first.Refusals)) + " of the first answers"},
		{Name: "Boilerplate", Value: stats.Percent(stats.Value(last.Boilerplate)), Note: stats.Percent(stats.Value(first.Boilerplate)) + " of the first answers"},
		{Name: "Mean length", Value: fmt.Sprintf("%.0f", last.MeanChars), Note: fmt.Sprintf("characters, %.0f at first", first.MeanChars)},
		{Name: "Unchanged", Value: stats.Percent(stats.Over(float64(r.Unchanged), float64(r.Written))), Note: "last answer as the first"},
		{Name: "Left out", Value: fmt.Sprint(r.Prompts - r.Written), Note: "left-out.jsonl says why"},
	}
}

// pageSections are the sections with texts, which a terminal has no room for.
func (r *RevisionReport) pageSections() []draw.Section {
	sections := r.sections()
	if len(r.Examples) > 0 {
		sections = append(sections, draw.Section{Title: "Changed most in length", Examples: r.Examples})
	}
	return sections
}

func (r *RevisionReport) sections() []draw.Section {
	return []draw.Section{
		{Title: "Rounds", Tables: []draw.Table{r.roundTable()}},
		{Title: "Principles", Tables: []draw.Table{r.principleTable()}},
		{Title: "Prompts", Tables: []draw.Table{r.promptTable()}},
	}
}

func (r *RevisionReport) roundTable() draw.Table {
	t := draw.Table{Columns: []string{"after round", "answers", "refusals", "95%", "boilerplate", "95%", "unchanged", "mean length", "change"}}
	for i, round := range r.Rounds {
		name, unchanged, change := fmt.Sprint(i), stats.Percent(stats.Value(round.Unchanged)), fmt.Sprintf("%+.1f", round.MeanChange)
		if i == 0 {
			name, unchanged, change = "first answers", "", "" // nothing comes before
		}
		n := float64(round.Texts)
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(round.Texts), stats.Percent(stats.Value(round.Refusals)), stats.Wilson95(round.Refusals, n).Percent(),
			stats.Percent(stats.Value(round.Boilerplate)), stats.Wilson95(round.Boilerplate, n).Percent(), unchanged, fmt.Sprintf("%.1f", round.MeanChars), change})
	}
	return t
}

func (r *RevisionReport) principleTable() draw.Table {
	t := draw.Table{Columns: []string{"principle", "revisions", "unchanged", "change"}}
	for _, p := range r.Principles {
		if p.Revisions > 0 {
			t.Rows = append(t.Rows, []string{draw.Label(p.Name, 40), fmt.Sprint(p.Revisions), stats.Percent(stats.Value(p.Unchanged)), fmt.Sprintf("%+.1f", p.MeanChange)})
		}
	}
	return t
}

func (r *RevisionReport) promptTable() draw.Table {
	t := draw.Table{Columns: []string{"prompts", "n", "share"}}
	row := func(name string, n int) {
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(n), stats.Percent(stats.Over(float64(n), float64(r.Prompts)))})
	}
	row("written, first answer given", r.Given)
	row("written, first answer generated", r.Written-r.Given)
	for _, stage := range r.LeftOut {
		row("left out at "+stage.Stage, stage.N)
	}
	row("all", r.Prompts)
	return t
}

func (r *RevisionReport) charts() []draw.NamedChart {
	return []draw.NamedChart{{Name: "rates.svg", Chart: r.rateChart()}, {Name: "length.svg", Chart: r.lengthChart()}}
}

func (r *RevisionReport) rateChart() *draw.Chart {
	c := draw.New("Rates by round", fmt.Sprintf("%s; round 0: the first answers", stats.Plural(r.Written, "chain")), "round", "share of answers (%)")
	top := 1.0
	for _, l := range []struct {
		draw.Key
		of    func(RoundRates) float64
		first int
	}{
		{draw.Key{Label: "refusals", Color: draw.Vermillion(), Dot: true}, func(r RoundRates) float64 { return r.Refusals }, 0},
		{draw.Key{Label: "boilerplate", Color: draw.Blue(), Dot: true}, func(r RoundRates) float64 { return r.Boilerplate }, 0},
		{draw.Key{Label: "unchanged", Color: draw.Grey(), Dot: true}, func(r RoundRates) float64 { return r.Unchanged }, 1},
	} {
		c.Legend = append(c.Legend, l.Key)
		var points plotter.XYs
		for i := l.first; i < len(r.Rounds); i++ {
			points = append(points, plotter.XY{X: float64(i), Y: 100 * l.of(r.Rounds[i])})
			top = max(top, 100*l.of(r.Rounds[i]))
		}
		c.Line(points, l.Color, 1.6)
		c.Dots(points, l.Color, 2.8)
	}
	rounds(c, len(r.Rounds), 1.05*top)
	return c
}

func (r *RevisionReport) lengthChart() *draw.Chart {
	c := draw.New("Length by round", fmt.Sprintf("%s; round 0: the first answers", stats.Plural(r.Written, "chain")), "round", "mean length (characters)")
	var points plotter.XYs
	top := 1.0
	for i, round := range r.Rounds {
		points = append(points, plotter.XY{X: float64(i), Y: round.MeanChars})
		top = max(top, round.MeanChars)
	}
	c.Line(points, draw.Blue(), 1.6)
	c.Dots(points, draw.Blue(), 2.8)
	rounds(c, len(r.Rounds), 1.05*top)
	return c
}

// rounds sets the frame of a chart over rounds, whose ticks are whole numbers.
func rounds(c *draw.Chart, n int, top float64) {
	c.Frame(-0.2, float64(n)-0.8, 0, top)
	var names []plot.Tick
	step := (n + draw.MaxLevels - 1) / draw.MaxLevels
	for i := 0; i < n; i += step {
		names = append(names, plot.Tick{Value: float64(i), Label: fmt.Sprint(i)})
	}
	c.X.Tick.Marker = plot.ConstantTicks(names)
}

func revisionDefinitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Refusals", Text: "Answers that refuse in their first 250 bytes, found by phrases such as \"I can't help\". Rules, not judgement: look at the chains."},
		{Name: "Boilerplate", Text: "Answers with words about themselves, such as \"Here is the revised response\", \"my previous answer\" or a marker of ours."},
		{Name: "Unchanged", Text: "Answers that are, byte for byte, those of the round before; by principle, those before that revision."},
		{Name: "Change", Text: "Mean difference in characters from the round before; by principle, from the answer before that revision."},
		{Name: "Intervals", Text: "Wilson's at 95%, with prompts taken as independent of one another."},
		{Name: "Left out", Text: "Prompts that got no usable reply somewhere: no reply at all, one cut off at max_tokens, or one with a NUL character."},
	}
}
