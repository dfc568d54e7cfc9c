package learning

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Print writes the tables for a terminal.
func (r *Report) Print(out io.Writer) error { return draw.Print(out, r.sections(), r.Warnings) }

func (r *Report) sections() []draw.Section {
	points := draw.Table{Columns: []string{"training pairs", "accuracy", "95% interval", "gain", "95% interval", "loss", "bag of words", "seeds"}}
	for _, p := range r.Points {
		low, high := math.Inf(1), math.Inf(-1)
		for _, a := range p.EachSeed {
			low, high = math.Min(low, float64(a)), math.Max(high, float64(a))
		}
		points.Rows = append(points.Rows, []string{fmt.Sprintf("%.0f", float64(p.Pairs)), p.Accuracy.String(), p.Interval.String(), p.Gain.String(), p.GainIn.String(),
			p.Loss.String(), p.BagOfWords.String(), fmt.Sprintf("%d, %v to %v", len(p.EachSeed), stats.Value(low), stats.Value(high))})
	}
	out := []draw.Section{{Title: "Accuracy against data size", Tables: []draw.Table{points},
		Note: fmt.Sprintf("Measured on %s of %s. Intervals: %s. Gains are over the size before.", stats.Plural(r.TestPairs, "pair"), stats.Plural(r.TestPrompts, "prompt"), r.Method)}}
	if f := r.Fit; f != nil {
		ahead := draw.Table{Columns: []string{"training pairs", "foretold accuracy", "95% interval"}}
		for _, p := range f.Ahead {
			ahead.Rows = append(ahead.Rows, []string{fmt.Sprintf("%.0f", float64(p.Pairs)), p.Accuracy.String(), p.Interval.String()})
		}
		out = append(out, draw.Section{Title: "More data", Tables: []draw.Table{ahead},
			Note: fmt.Sprintf("By accuracy = %v - %v n^(-%v), off by %v at the sizes (root mean square). The interval does not hold that the law itself may be wrong.", f.A, f.B, f.C, f.Error)})
	}
	return out
}

// WriteHTML writes the page.
func (r *Report) WriteHTML(path string, facts ...draw.Fact) error {
	sections := r.sections()
	figures, err := draw.Figures([]draw.NamedChart{{Name: "learning_curve.svg", Chart: r.chart()}})
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	sections[0].Figures = figures
	last := r.Points[len(r.Points)-1]
	p := draw.Page{Title: "Learning curve", Warnings: r.Warnings, Sections: append(sections, draw.FactSection(facts...)),
		Headline: []draw.Card{{Name: fmt.Sprintf("Accuracy with %.0f pairs", float64(last.Pairs)), Value: stats.Percent(last.Accuracy), Note: "95% interval " + last.Interval.Percent(), Main: true}},
		Definitions: []draw.Definition{
			{Name: "Nested", Text: "A larger subset holds the smaller ones of its seed, whole prompts at a time; another seed draws others and begins training elsewhere."},
			{Name: "Bag of words", Text: "The accuracy of a logistic regression on word counts, learnt from the same pairs: what needs no model."},
		}}
	if f := r.Fit; f != nil {
		p.Headline = append(p.Headline, draw.Card{Name: fmt.Sprintf("Foretold with %.0f", float64(f.Ahead[0].Pairs)), Value: stats.Percent(f.Ahead[0].Accuracy), Note: f.Ahead[0].Interval.Percent()})
	}
	return p.Save(path)
}

// chart has the sizes on a scale of doublings.
func (r *Report) chart() *draw.Chart {
	last := r.Points[len(r.Points)-1]
	c := draw.New("Accuracy against data size", fmt.Sprintf("%v (%v) with %.0f pairs; intervals: 95%% over prompts and seeds", last.Accuracy, last.Interval, float64(last.Pairs)), "training pairs, in powers of 2", "share of pairs ranked right")
	c.Legend = []draw.Key{{Label: "model", Color: draw.Blue(), Dot: true}}
	var model, bag plotter.XYs
	low, high := 0.5, 0.0
	for _, p := range r.Points {
		x := math.Log2(float64(p.Pairs))
		c.Whisker(x, p.Interval, draw.Tint(draw.Blue(), 0.45))
		model = append(model, plotter.XY{X: x, Y: float64(p.Accuracy)})
		if p.BagOfWords.Defined() {
			bag = append(bag, plotter.XY{X: x, Y: float64(p.BagOfWords)})
			low, high = math.Min(low, float64(p.BagOfWords)), math.Max(high, float64(p.BagOfWords))
		}
		low, high = math.Min(low, float64(p.Interval[0])), math.Max(high, float64(p.Interval[1]))
	}
	first, end := model[0].X, model[len(model)-1].X
	if len(bag) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "bag of words", Color: draw.Grey(), Dot: true})
		c.Line(bag, draw.Grey(), 1)
		c.Dots(bag, draw.Grey(), 2.4)
	}
	if f := r.Fit; f != nil {
		c.Legend = append(c.Legend, draw.Key{Label: "power law", Color: draw.Orange()})
		l, line := law{float64(f.A), float64(f.B), float64(f.C)}, plotter.XYs{}
		end += 2
		for k := range 60 {
			x := first + (end-first)*float64(k)/59
			line = append(line, plotter.XY{X: x, Y: l.at(math.Exp2(x))})
			high = math.Max(high, l.at(math.Exp2(x)))
		}
		c.Line(line, draw.Orange(), 1.2, 4, 3)
		for _, p := range f.Ahead {
			c.Whisker(math.Log2(float64(p.Pairs)), p.Interval, draw.Tint(draw.Orange(), 0.3))
			high = math.Max(high, float64(p.Interval[1]))
		}
	}
	c.Dots(model, draw.Blue(), 3.4)
	c.Frame(first-0.2, end+0.2, math.Max(0, low-0.03), math.Min(1, high+0.03))
	return c
}
