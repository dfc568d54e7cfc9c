package eval

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// densityChart lays the densities of chosen and rejected rewards over each other.
func densityChart(r *Report) *draw.Chart {
	chosen, rejected := r.Figures.Densities[0], r.Figures.Densities[1]
	facts := fmt.Sprintf("Gaussian kernels of bandwidth %v and %v (Silverman); ROC AUC %v", stats.Value(chosen.Bandwidth), stats.Value(rejected.Bandwidth), r.ROCAUC)
	c := draw.New("Density of chosen and rejected rewards", facts, "reward (raw logit)", "density")
	c.Legend = []draw.Key{{Label: "chosen", Color: draw.Blue()}, {Label: "rejected", Color: draw.Vermillion()}}
	top := 0.0
	for i, d := range []stats.Density{chosen, rejected} {
		points := make(plotter.XYs, len(d.Values))
		for k, v := range d.Values {
			points[k] = plotter.XY{X: d.Low + (d.High-d.Low)*float64(k)/float64(len(d.Values)-1), Y: v}
			top = math.Max(top, v)
		}
		c.Line(points, c.Legend[i].Color, 1.8)
	}
	c.Frame(chosen.Low, chosen.High, 0, 1.05*top)
	return c
}
