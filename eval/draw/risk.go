package draw

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/stats"
)

// RiskChart draws risk over coverage, and the risk that is wanted.
func RiskChart(facts, coverage, risk string, curve []stats.RiskPoint, wanted float64) *Chart {
	c := New("Risk and coverage", facts, coverage, risk)
	c.Legend = []Key{{Label: "risk", Color: Blue()}, {Label: fmt.Sprintf("wanted, %v", stats.Value(stats.Minus(1, wanted))), Color: Grey()}}
	top := 1 - wanted
	var points plotter.XYs
	for _, p := range curve {
		points = append(points, plotter.XY{X: float64(p.Coverage), Y: float64(p.Risk)})
		top = math.Max(top, float64(p.Risk))
	}
	c.Line(plotter.XYs{{X: 0, Y: 1 - wanted}, {X: 1, Y: 1 - wanted}}, Grey(), 1, 4, 3)
	c.Line(points, Blue(), 1.6)
	if len(points) <= 40 {
		c.Dots(points, Blue(), 2.2)
	}
	c.Frame(0, 1, 0, math.Min(1, 1.1*top+0.01))
	return c
}
