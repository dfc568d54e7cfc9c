package eval

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// lean is how often something is preferred; one half without bias.
type lean struct {
	name   string
	judged Share
	gold   Value // of gold, where both name a side
}

// leans are those that there are cases of.
func (r *LabelReport) leans() (out []lean) {
	add := func(name string, s Share, gold Value) {
		if s.Share.Defined() {
			out = append(out, lean{name, s, gold})
		}
	}
	none := Value(math.NaN())
	for _, p := range r.Position {
		if p.Judge == "" && p.Principle == "" {
			add("shown first", p.First, none)
		}
	}
	for f, s := range r.Surface {
		name := "more " + s.Feature
		if f == surfaceLength {
			name = "longer"
		}
		add(name, s.Preferred, over(float64(s.GoldMore.N), float64(s.GoldMore.N+s.GoldLess.N)))
		if f == surfaceLength {
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
func (r *LabelReport) biasCharts() []namedChart {
	leans := r.leans()
	if len(leans) == 0 {
		return nil
	}
	leans = leans[:min(len(leans), maxLevels)]
	c := newChart("What votes and labels lean to", "preferred, of the cases where just one response has it; 95% intervals; dashed: no lean", "share preferred", "")
	c.legend = []key{{"labels (first place: answers)", blue(), true}}
	top := float64(len(leans)) - 0.4
	c.line(plotter.XYs{{X: 0.5, Y: -0.6}, {X: 0.5, Y: top}}, grey(), 1, 4, 3)
	var ticks []plot.Tick
	var judged, gold plotter.XYs
	for i, l := range leans {
		y := float64(len(leans) - 1 - i)
		ticks = append(ticks, plot.Tick{Value: y, Label: subsetLabel(l.name, 32)})
		c.line(plotter.XYs{{X: float64(l.judged.Interval[0]), Y: y}, {X: float64(l.judged.Interval[1]), Y: y}}, tint(blue(), 0.45), 1.6)
		judged = append(judged, plotter.XY{X: float64(l.judged.Share), Y: y})
		if l.gold.Defined() {
			gold = append(gold, plotter.XY{X: float64(l.gold), Y: y})
		}
	}
	if len(gold) > 0 {
		c.legend = append(c.legend, key{"gold", green(), true})
		c.dots(gold, green(), 4.5) // seen beneath the labels
	}
	c.dots(judged, blue(), 3)
	c.frame(0, 1, -0.6, top)
	c.Y.Tick.Marker = plot.ConstantTicks(ticks)
	return []namedChart{{"leans.svg", c}}
}
