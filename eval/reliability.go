package eval

import "gonum.org/v1/plot/plotter"

// reliabilityChart draws observed against predicted, with Wilson intervals,
// over bars of how many predictions each bin holds.
func reliabilityChart(title, facts, predicted string, all []Bin) *chart {
	c := newChart(title, facts, predicted, "observed share")
	c.legend = []key{{"observed", blue(), true}, {"share of predictions in bin", tint(grey(), 0.55), false}}
	c.frame(0, 1, 0, 1)
	bins, total := float64(len(all)), 0
	for _, b := range all {
		total += b.Count
	}
	var bs bars
	var points plotter.XYs
	for _, b := range all {
		left := float64(b.Bin) / bins
		bs = append(bs, bar{left, left + 1/bins, 0, float64(b.Count) / float64(total), tint(grey(), 0.55)})
		if b.Count > 0 {
			points = append(points, plotter.XY{X: float64(b.MeanP), Y: float64(b.Observed)})
		}
	}
	c.Add(bs)
	c.line(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}, grey(), 0.9, 4, 3)
	for _, b := range all {
		c.whisker(float64(b.MeanP), wilson95(float64(b.Observed), float64(b.Count)), tint(blue(), 0.45))
	}
	c.line(points, blue(), 1.4)
	c.dots(points, blue(), 2.6)
	return c
}
