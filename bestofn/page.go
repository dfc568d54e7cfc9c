package bestofn

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// WriteHTML writes one self-contained page.
func (r *Report) WriteHTML(path string, facts ...draw.Fact) error {
	curves := r.curveSection()
	figures, err := draw.Figures([]draw.NamedChart{{Name: "gold.svg", Chart: r.goldChart()}, {Name: "proxy.svg", Chart: r.proxyChart()}})
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	curves.Figures = figures
	p := draw.Page{Title: "Best of n, held to a gold scorer", Of: "gold " + r.Gold, Headline: r.headline(), Warnings: r.Warnings,
		Sections: []draw.Section{curves, r.peakSection(), draw.FactSection(facts...)}, Definitions: definitions()}
	return p.Save(path)
}

func (r *Report) headline() (out []draw.Card) {
	for i, c := range r.Curves[:min(len(r.Curves), 5)] {
		last := c.Points[len(c.Points)-1]
		out = append(out, draw.Card{Name: draw.Label(c.Scorer, 40), Value: fmt.Sprintf("peak at n = %d", c.Peak.N), Main: i == 0,
			Note: fmt.Sprintf("%s; gold gains %v at n = %d (%v)", c.Peak.Verdict, last.Gain, last.N, last.GainOver)})
	}
	return append(out, draw.Card{Name: "Prompts", Value: fmt.Sprint(r.Prompts), Note: stats.Plural(r.Candidates, "candidate")})
}

func (r *Report) curveSection() draw.Section {
	t := draw.Table{Columns: []string{"scorer", "n", "KL", "its own score", "gold", "95% interval", "gain over n = 1", "95% interval"}}
	for _, c := range r.Curves {
		for _, p := range c.Points {
			t.Rows = append(t.Rows, []string{draw.Label(c.Scorer, 60), fmt.Sprint(p.N), stats.Value(p.KL).String(), p.Proxy.String(), p.Gold.String(), p.Interval.String(), p.Gain.String(), p.GainOver.String()})
		}
	}
	return draw.Section{Title: "Best of n by each scorer", Tables: []draw.Table{t}}
}

func (r *Report) peakSection() draw.Section {
	t := draw.Table{Columns: []string{"scorer", "peak at n", "resamples that peak there", "that peak before the last n", "fall to the last n", "95% interval", "verdict"}, Notes: true}
	for _, c := range r.Curves {
		at := 0
		for k, p := range c.Points {
			if p.N == c.Peak.N {
				at = k
			}
		}
		t.Rows = append(t.Rows, []string{draw.Label(c.Scorer, 60), fmt.Sprint(c.Peak.N), stats.Percent(c.Peak.Shares[at]), stats.Percent(c.Peak.Before), c.Peak.Fall.String(), c.Peak.FallsBy.String(), c.Peak.Verdict})
	}
	return draw.Section{Title: "Where the gold turns", Tables: []draw.Table{t}}
}

// short is the end of a scorer's name, as much as six of a legend have room for.
func short(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "ensemble: "), ".parquet"), ".jsonl")
	letters := []rune(draw.Label(name, len(name)+1))
	return string(letters[max(0, len(letters)-11):])
}

func colours() []color.Color {
	return []color.Color{draw.Blue(), draw.Vermillion(), draw.Green(), draw.Orange(), draw.Purple(), draw.Sky()}
}

// drawnCurves are drawn; the table has all.
const drawnCurves = 6

// chart draws a curve's points over the root of KL, and intervals where there
// are some.
func (r *Report) chart(c *draw.Chart, of func(Point) (stats.Value, stats.Interval)) *draw.Chart {
	low, high, far := math.Inf(1), math.Inf(-1), 0.0
	shown := r.Curves
	if len(shown) > drawnCurves { // the ensembles, which come last, and as many members as there is room for
		shown = append(shown[:drawnCurves-3:drawnCurves-3], shown[len(shown)-3:]...)
		c.Facts += fmt.Sprintf("; %d of %d scorers", drawnCurves, len(r.Curves))
	}
	for i, curve := range shown {
		colour := colours()[i]
		var line plotter.XYs
		for _, p := range curve.Points {
			value, interval := of(p)
			x := math.Sqrt(p.KL) + 0.006*float64(i)
			line = append(line, plotter.XY{X: x, Y: float64(value)})
			c.Whisker(x, interval, colour)
			low, high, far = math.Min(low, float64(value)), math.Max(high, float64(value)), math.Max(far, x)
			if interval[0].Defined() {
				low, high = math.Min(low, float64(interval[0])), math.Max(high, float64(interval[1]))
			}
		}
		c.Line(line, colour, 1.4)
		c.Dots(line, colour, 2)
		c.Legend = append(c.Legend, draw.Key{Label: short(curve.Scorer), Color: colour})
	}
	pad := 0.05 * (high - low)
	c.Frame(-0.03, far+0.03, low-pad, high+pad)
	return c
}

func (r *Report) goldChart() *draw.Chart {
	first := r.Curves[0]
	c := draw.New("What the gold pays for the best of n", fmt.Sprintf("%s: peak at n = %d, %s", draw.Label(first.Scorer, 24), first.Peak.N, first.Peak.Verdict), "√KL from the policy (√nats)", "gold, mean")
	return r.chart(c, func(p Point) (stats.Value, stats.Interval) { return p.Gold, p.Interval })
}

func (r *Report) proxyChart() *draw.Chart {
	last := r.Curves[0].Points[len(r.Curves[0].Points)-1]
	c := draw.New("What each scorer promises", fmt.Sprintf("its own score of what it takes; %v at n = %d", last.Proxy, last.N), "√KL from the policy (√nats)", "own score, in its standard deviations")
	none := stats.Interval{stats.Over(0, 0), stats.Over(0, 0)}
	return r.chart(c, func(p Point) (stats.Value, stats.Interval) { return p.Proxy, none })
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Best of n", Text: "Mean over all subsets of n of a prompt's candidates, exactly: with N candidates in ascending order of the scorer, the i-th has the weight C(i-1, n-1) / C(N, n) (Nakano et al. 2021). Of equal scores each counts in turn. Then the mean over prompts; every n has the same prompts."},
		{Name: "KL", Text: "log n - (n-1)/n nats: how far best-of-n is from the policy that the candidates are drawn from; an upper bound where candidates repeat."},
		{Name: "Ensembles", Text: "Of the members' scores, each brought to mean 0 and standard deviation 1 over all candidates: their mean, the lowest (worst), and the mean less k standard deviations (lower)."},
		{Name: "Intervals", Text: "95%, by the percentile bootstrap over prompts; the candidates of a prompt are taken as they are."},
		{Name: "Where the gold turns", Text: "The n of the highest mean, the share of resamples that have it there and at any n before the last, and by how much the gold falls from it to the last n. Over-optimised: the interval of the fall lies above 0. The peak is the best of several n, so that a small fall is likelier than none."},
	}
}
