package eval

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
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
	Pace         float64 // pairs a second; 0 where not measured
	Validation   bool
}

// pace is NaN where it was not measured.
func (p Point) pace() float64 {
	if p.Pace == 0 {
		return math.NaN()
	}
	return p.Pace
}

// maxCurvePoints bounds a drawn line; a longer run keeps its envelope.
const maxCurvePoints = 1000

// curveCharts draws what the runs' curves have measured, one run as its own
// training and validation, several side by side.
func curveCharts(runs []Run) (charts []draw.NamedChart) {
	for _, m := range []struct {
		file, title, unit string
		measure           func(Point) float64
	}{
		{"loss_curve.svg", "Loss during training", "loss (nats per pair)", func(p Point) float64 { return p.Loss }},
		{"accuracy_curve.svg", "Accuracy during training", "share of pairs ranked right", func(p Point) float64 { return p.Accuracy }},
		{"margin_curve.svg", "Margin during training", "mean margin (logits)", func(p Point) float64 { return p.Margin }},
		{"gradient_norm.svg", "Gradient norm during training", "global norm before clipping", func(p Point) float64 { return p.GradNorm }},
		{"learning_rate.svg", "Learning rate during training", "learning rate", func(p Point) float64 { return p.LearningRate }},
		{"throughput.svg", "Throughput of training", "pairs a second", Point.pace},
	} {
		var lines []measured
		for _, r := range runs {
			if l := r.measured(m.measure, m.file != "learning_rate.svg"); len(l.training)+len(l.validation) > 0 {
				lines = append(lines, l)
			}
		}
		if len(lines) == 0 {
			continue
		}
		c := draw.New(m.title, "", "step", m.unit)
		if len(runs) == 1 {
			c = draw.New(runs[0].titled(m.title), lines[0].facts(m.measure), "step", m.unit)
			lines[0].draw(c)
		} else {
			together(c, lines)
		}
		fit(c, lines)
		if m.file == "learning_rate.svg" {
			c.Y.Min, c.Y.Max = 0, math.Max(c.Y.Max, 1e-8) // the rate begins and ends at 0
		}
		if len(runs) == 1 {
			lines[0].markKept(c)
		}
		charts = append(charts, draw.NamedChart{Name: m.file, Chart: c})
	}
	return charts
}

// measured are the points of one run in one chart.
type measured struct {
	run                  Run
	training, validation plotter.XYs
	smoothed             plotter.XYs // training, less restless
	how                  string      // it is smoothed
}

func (r Run) measured(measure func(Point) float64, smoothing bool) measured {
	points := sorted(r.Curve)
	l := measured{run: r, training: series(points, false, measure), validation: series(points, true, measure)}
	switch window := smoothingWindow(len(l.training)); {
	case !smoothing:
	case len(l.training) > 0 && len(l.validation) > 1:
		l.smoothed, l.how = r.spans(measure), "training since the validation before"
	case window > 1:
		l.smoothed, l.how = smooth(l.training, window), "smoothed"
	}
	return l
}

// facts compare training and validation over the same span, or tell where
// training ends.
func (l measured) facts(measure func(Point) float64) string {
	if c, ok := l.run.compare(measure); ok {
		return c.String()
	}
	ending := l.training
	if l.smoothed != nil {
		ending = l.smoothed
	}
	return "training ends at " + stats.Value(ending[len(ending)-1].Y).String()
}

// draw draws training pale and smoothed, validation as joined points, and where
// the kept checkpoint stands.
func (l measured) draw(c *draw.Chart) {
	if len(l.training) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "training", Color: draw.Tint(draw.Blue(), 0.65)})
		c.Line(envelope(l.training), draw.Tint(draw.Blue(), 0.65), 0.8)
		if l.smoothed != nil {
			c.Legend = append(c.Legend, draw.Key{Label: l.how, Color: draw.Blue()})
			c.Line(envelope(l.smoothed), draw.Blue(), 1.8)
		} else {
			c.Dots(evenlyXY(l.training, 200), draw.Blue(), 2)
		}
	}
	if len(l.validation) > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "validation", Color: draw.Green(), Dot: true})
		c.Line(envelope(l.validation), draw.Green(), 1.2)
		c.Dots(evenlyXY(l.validation, 200), draw.Green(), 2.8)
	}
}

// markKept marks the kept checkpoint's validation, once the frame is set.
func (l measured) markKept(c *draw.Chart) {
	for _, p := range l.validation {
		if int(p.X) == l.run.Kept {
			c.Line(plotter.XYs{{X: p.X, Y: c.Y.Min}, {X: p.X, Y: c.Y.Max}}, draw.Vermillion(), 1, 3, 2)
			c.Dots(plotter.XYs{p}, draw.Vermillion(), 3.6)
			c.Legend = append(c.Legend, draw.Key{Label: fmt.Sprintf("kept, step %d", l.run.Kept), Color: draw.Vermillion(), Dot: true})
		}
	}
}

// together draws each run in its colour: training smoothed, validation dotted.
func together(c *draw.Chart, lines []measured) {
	c.Facts = "training smoothed; dots: validation"
	for i, l := range lines {
		colour := runColour(i)
		c.Legend = append(c.Legend, draw.Key{Label: draw.Label(l.run.Name, 24), Color: colour})
		training := l.training
		if l.smoothed != nil {
			training = l.smoothed
		}
		c.Line(envelope(training), draw.Tint(colour, 0.4), 1.4)
		c.Line(envelope(l.validation), colour, 1)
		c.Dots(evenlyXY(l.validation, 200), colour, 2.8)
	}
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
func fit(c *draw.Chart, lines []measured) {
	xLow, xHigh, yLow, yHigh := 0.0, math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		if n := len(l.training); n > 0 {
			ys := make([]float64, n)
			for i, p := range l.training {
				ys[i] = p.Y
			}
			slices.Sort(ys)
			low, high := stats.Bulk(ys)
			xHigh, yLow, yHigh = math.Max(xHigh, l.training[n-1].X), math.Min(yLow, low), math.Max(yHigh, high)
		}
		for _, p := range l.validation {
			xHigh, yLow, yHigh = math.Max(xHigh, p.X), math.Min(yLow, p.Y), math.Max(yHigh, p.Y)
		}
	}
	pad := 0.05 * (yHigh - yLow)
	c.Frame(math.Min(xLow, xHigh), xHigh, yLow-pad, yHigh+pad)
}
