package draw

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// LogLine is a line, and a dot at each of its points.
type LogLine struct {
	Label  string
	Color  color.Color
	Points plotter.XYs
}

// LogLines is a chart of lines on two logarithmic axes. What is 0, which they
// cannot show, is left out.
func LogLines(title, facts, x, y string, lines ...LogLine) *Chart {
	c := New(title, facts, x, y)
	xLow, xHigh, yLow, yHigh := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		var points plotter.XYs
		for _, p := range l.Points {
			if p.X > 0 && p.Y > 0 {
				points = append(points, p)
				xLow, xHigh, yLow, yHigh = math.Min(xLow, p.X), math.Max(xHigh, p.X), math.Min(yLow, p.Y), math.Max(yHigh, p.Y)
			}
		}
		c.Legend = append(c.Legend, Key{Label: l.Label, Color: l.Color, Dot: true})
		if len(points) > 0 {
			c.Line(points, l.Color, 1.6)
			c.Dots(points, l.Color, 2.8)
		}
	}
	if xLow > xHigh {
		xLow, xHigh, yLow, yHigh = 1, 10, 1, 10
		c.Facts = "every value is 0, which a logarithmic axis cannot show"
	}
	c.X.Scale, c.X.Tick.Marker = plot.LogScale{}, Decades{}
	c.Y.Scale, c.Y.Tick.Marker = plot.LogScale{}, Decades{}
	const room = 1.25
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = xLow/room, xHigh*room, Decade(yLow, math.Floor), Decade(yHigh, math.Ceil)*room
	return c
}
