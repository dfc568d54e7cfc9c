package draw

import (
	"laurel/eval/stats"

	"gonum.org/v1/plot/plotter"
)

// ReliabilityChart draws observed against predicted, with Wilson intervals,
// over bars of how many predictions each bin holds.
func ReliabilityChart(title, facts, predicted string, all []stats.Bin) *Chart {
	c := New(title, facts, predicted, "observed share")
	c.Legend = []Key{{"observed", Blue(), true}, {"share of predictions in bin", Tint(Grey(), 0.55), false}}
	c.Frame(0, 1, 0, 1)
	bins, total := float64(len(all)), 0
	for _, b := range all {
		total += b.Count
	}
	var bs Bars
	var points plotter.XYs
	for _, b := range all {
		left := float64(b.Bin) / bins
		bs = append(bs, Bar{left, left + 1/bins, 0, float64(b.Count) / float64(total), Tint(Grey(), 0.55)})
		if b.Count > 0 {
			points = append(points, plotter.XY{X: float64(b.MeanP), Y: float64(b.Observed)})
		}
	}
	c.Add(bs)
	c.Line(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, Grey(), 0.9, 4, 3)
	for _, b := range all {
		c.Whisker(float64(b.MeanP), stats.Wilson95(float64(b.Observed), float64(b.Count)), Tint(Blue(), 0.45))
	}
	c.Line(points, Blue(), 1.4)
	c.Dots(points, Blue(), 2.6)
	return c
}
