package audit

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/eval/surface"
)

// lean is how often something is preferred; one half without bias.
type lean struct {
	name   string
	judged stats.Share
	gold   stats.Value // of gold, where both name a side
}

// leans are those that there are cases of.
func (r *Report) leans() (out []lean) {
	add := func(name string, s stats.Share, gold stats.Value) {
		if s.Share.Defined() {
			out = append(out, lean{name, s, gold})
		}
	}
	none := stats.Value(math.NaN())
	for _, p := range r.Position {
		if p.Judge == "" && p.Principle == "" {
			add("shown first", p.First, none)
		}
	}
	for f, s := range r.Surface {
		name := "more " + s.Feature
		if f == surface.Length {
			name = "longer"
		}
		add(name, s.Preferred, stats.Over(float64(s.GoldMore.N), float64(s.GoldMore.N+s.GoldLess.N)))
		if f == surface.Length {
			add("longer, at like length", s.PreferredAlike, none)
		}
	}
	for _, s := range r.SelfPreference {
		add("own family, "+s.Judge, s.Own, s.Gold.Share)
	}
	for _, i := range r.Injections {
		if i.Sign == "" {
			add("speaks to the judge", i.Preferred, i.Gold.Share)
		}
	}
	return out
}

// biasCharts draws the leans, the first on top, with their intervals.
func (r *Report) biasCharts() []draw.NamedChart {
	leans := r.leans()
	if len(leans) == 0 {
		return nil
	}
	leans = leans[:min(len(leans), draw.MaxLevels)]
	c := draw.New("What votes and labels lean to", "preferred, of the cases where just one response has it; 95% intervals; dashed: no lean", "share preferred", "")
	c.Legend = []draw.Key{{Label: "labels (first place: answers)", Color: draw.Blue(), Dot: true}}
	top := float64(len(leans)) - 0.4
	c.Line(plotter.XYs{{X: 0.5, Y: -0.6}, {X: 0.5, Y: top}}, draw.Grey(), 1, 4, 3)
	var ticks []plot.Tick
	var judged, gold plotter.XYs
	for i, l := range leans {
		y := float64(len(leans) - 1 - i)
		ticks = append(ticks, plot.Tick{Value: y, Label: draw.Label(l.name, 32)})
		c.Line(plotter.XYs{{X: float64(l.judged.Interval[0]), Y: y}, {X: float64(l.judged.Interval[1]), Y: y}}, draw.Tint(draw.Blue(), 0.45), 1.6)
		judged = append(judged, plotter.XY{X: float64(l.judged.Share), Y: y})
		if l.gold.Defined() {
			gold = append(gold, plotter.XY{X: float64(l.gold), Y: y})
		}
	}
	if len(gold) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "gold", Color: draw.Green(), Dot: true})
		c.Dots(gold, draw.Green(), 4.5) // seen beneath the labels
	}
	c.Dots(judged, draw.Blue(), 3)
	c.Frame(0, 1, -0.6, top)
	c.Y.Tick.Marker = plot.ConstantTicks(ticks)
	return []draw.NamedChart{{Name: "leans.svg", Chart: c}}
}
