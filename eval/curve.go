package eval

import (
	"cmp"
	"laurel/eval/draw"
	"laurel/eval/stats"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Point is one line of a training run's metrics: a training step, or a
// validation after it. NaN marks what was not measured.
type Point struct {
	Step         int
	Loss         float64
	Accuracy     float64
	Margin       float64
	LearningRate float64
	GradNorm     float64 // before clipping
	Validation   bool
}

// maxCurvePoints bounds a drawn line; a longer run keeps its envelope.
const maxCurvePoints = 1000

// curveCharts draws what the curve has measured.
func curveCharts(curve []Point) (charts []draw.NamedChart) {
	curve = slices.Clone(curve)
	slices.SortStableFunc(curve, func(a, b Point) int { return cmp.Compare(a.Step, b.Step) })
	add := func(name string, c *draw.Chart) {
		if c != nil {
			charts = append(charts, draw.NamedChart{Name: name, Chart: c})
		}
	}
	add("loss_curve.svg", curveChart("Loss during training", "Bradley-Terry loss (nats per pair)", curve, func(p Point) float64 { return p.Loss }))
	add("accuracy_curve.svg", curveChart("Accuracy during training", "share of pairs ranked right", curve, func(p Point) float64 { return p.Accuracy }))
	add("margin_curve.svg", curveChart("Margin during training", "mean margin (logits)", curve, func(p Point) float64 { return p.Margin }))
	training := slices.DeleteFunc(curve, func(p Point) bool { return p.Validation })
	add("gradient_norm.svg", curveChart("Gradient norm during training", "global norm before clipping", training, func(p Point) float64 { return p.GradNorm }))
	add("learning_rate.svg", learningRate(training))
	return charts
}

// curveChart draws training pale and smoothed, validation as joined points.
// It is nil where nothing was measured.
func curveChart(title, unit string, curve []Point, measure func(Point) float64) *draw.Chart {
	training, validation := series(curve, false, measure), series(curve, true, measure)
	if len(training)+len(validation) == 0 {
		return nil
	}
	window := smoothingWindow(len(training))
	c := draw.New(title, curveFacts(training, validation, window), "step", unit)
	if len(training) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "training", Color: draw.Tint(draw.Blue(), 0.65)})
		c.Line(envelope(training), draw.Tint(draw.Blue(), 0.65), 0.8)
		if window > 1 {
			c.Legend = append(c.Legend, draw.Key{Label: "smoothed", Color: draw.Blue()})
			c.Line(envelope(smooth(training, window)), draw.Blue(), 1.8)
		} else {
			c.Dots(training, draw.Blue(), 2)
		}
	}
	if len(validation) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "validation", Color: draw.Green(), Dot: true})
		c.Line(envelope(validation), draw.Green(), 1.2)
		c.Dots(evenlyXY(validation, 200), draw.Green(), 2.8)
	}
	fit(c, training, validation)
	return c
}

// series are the measured points of one kind.
func series(curve []Point, validation bool, measure func(Point) float64) (out plotter.XYs) {
	for _, p := range curve {
		if y := measure(p); p.Validation == validation && stats.Finite(y) {
			out = append(out, plotter.XY{X: float64(p.Step), Y: y})
		}
	}
	return out
}

func curveFacts(training, validation plotter.XYs, window int) string {
	facts := ""
	if n := len(training); n > 0 {
		facts = "training ends at " + stats.Value(smooth(training, window)[n-1].Y).String()
	}
	if n := len(validation); n > 0 {
		if facts != "" {
			facts += ", "
		}
		facts += "validation at " + stats.Value(validation[n-1].Y).String()
	}
	return facts
}

// smoothingWindow is about a fortieth of the run.
func smoothingWindow(n int) int {
	if n < 10 {
		return 1
	}
	return min(max(n/40, 5), 200)
}

// smooth is an exponential moving average with alpha = 2/(window+1), divided
// by its weights' sum so that the start is not pulled to 0.
func smooth(points plotter.XYs, window int) plotter.XYs {
	out := make(plotter.XYs, len(points))
	alpha, sum, weight := 2/(float64(window)+1), 0.0, 0.0
	for i, p := range points {
		sum += alpha * (p.Y - sum)
		weight += alpha * (1 - weight)
		out[i] = plotter.XY{X: p.X, Y: sum / weight}
	}
	return out
}

// envelope thins a long line: of each run of neighbours it keeps the lowest
// and the highest point, in their order.
func envelope(points plotter.XYs) plotter.XYs {
	if len(points) <= maxCurvePoints {
		return points
	}
	out := plotter.XYs{points[0]}
	runs := maxCurvePoints / 2
	for k := range runs {
		run := points[k*len(points)/runs : (k+1)*len(points)/runs]
		low, high := 0, 0
		for i, p := range run {
			if p.Y < run[low].Y {
				low = i
			}
			if p.Y > run[high].Y {
				high = i
			}
		}
		out = append(out, run[min(low, high)], run[max(low, high)])
	}
	return append(out, points[len(points)-1])
}

func evenlyXY(points plotter.XYs, n int) plotter.XYs {
	if len(points) <= n {
		return points
	}
	out := make(plotter.XYs, n)
	for i := range out {
		out[i] = points[i*(len(points)-1)/(n-1)]
	}
	return out
}

// fit frames the bulk of training and all of validation, so that one spike
// does not flatten the rest.
func fit(c *draw.Chart, training, validation plotter.XYs) {
	xLow, xHigh, yLow, yHigh := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	if len(training) > 0 {
		ys := make([]float64, len(training))
		for i, p := range training {
			ys[i] = p.Y
		}
		slices.Sort(ys)
		yLow, yHigh = stats.Bulk(ys)
		xLow, xHigh = training[0].X, training[len(training)-1].X
	}
	for _, p := range validation {
		xLow, xHigh = math.Min(xLow, p.X), math.Max(xHigh, p.X)
		yLow, yHigh = math.Min(yLow, p.Y), math.Max(yHigh, p.Y)
	}
	pad := 0.05 * (yHigh - yLow)
	c.Frame(math.Min(0, xLow), xHigh, yLow-pad, yHigh+pad)
}

func learningRate(training []Point) *draw.Chart {
	points := series(training, false, func(p Point) float64 { return p.LearningRate })
	if len(points) == 0 {
		return nil
	}
	c := draw.New("Learning rate during training", "ends at "+stats.Value(points[len(points)-1].Y).String(), "step", "learning rate")
	c.Line(envelope(points), draw.Blue(), 1.6)
	if len(points) == 1 {
		c.Dots(points, draw.Blue(), 2.6)
	}
	fit(c, nil, points)
	peak := slices.MaxFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.Y, b.Y) }).Y
	if c.Y.Min, c.Y.Max = 0, 1.05*peak; peak <= 0 {
		c.Y.Max = 1e-5
	}
	return c
}
