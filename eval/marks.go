package eval

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bar is a filled rectangle in the axes' units.
type bar struct {
	left, right, bottom, top float64
	color                    color.Color
}

// bars draws rectangles, a hair apart.
type bars []bar

func (bs bars) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	for _, b := range bs {
		if b.top == b.bottom {
			continue
		}
		gap := min(0.4, (x(b.right)-x(b.left))/10)
		canvas.SetColor(b.color)
		canvas.Fill(vg.Rectangle{
			Min: vg.Point{X: x(b.left) + gap, Y: y(b.bottom)},
			Max: vg.Point{X: x(b.right) - gap, Y: y(b.top)},
		}.Path())
	}
}

// line adds a polyline, cut at the frame.
func (c *chart) line(points plotter.XYs, colour color.Color, width vg.Length, dashes ...vg.Length) {
	c.Add(&plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: colour, Width: width, Dashes: dashes}})
}

// dots adds points.
func (c *chart) dots(points plotter.XYs, colour color.Color, radius vg.Length) {
	style := draw.GlyphStyle{Color: colour, Radius: radius, Shape: draw.CircleGlyph{}}
	c.Add(&plotter.Scatter{XYs: points, GlyphStyle: style})
}

// whisker adds a vertical interval at x.
func (c *chart) whisker(x float64, interval [2]Value, colour color.Color) {
	if interval[0].Defined() {
		c.line(plotter.XYs{{X: x, Y: float64(interval[0])}, {X: x, Y: float64(interval[1])}}, colour, 1.2)
	}
}

// boxMark draws Tukey's box around x.
type boxMark struct {
	low, q1, median, q3, high float64
	outliers                  []float64
	x, half                   float64
	color                     color.Color
}

func (b boxMark) Plot(canvas draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&canvas)
	left, mid, right := toX(b.x-b.half), toX(b.x), toX(b.x+b.half)
	stroke := draw.LineStyle{Color: b.color, Width: 1}
	median := draw.LineStyle{Color: b.color, Width: 2.2}
	canvas.StrokeLine2(stroke, mid, toY(b.low), mid, toY(b.q1))
	canvas.StrokeLine2(stroke, mid, toY(b.q3), mid, toY(b.high))
	canvas.SetColor(tint(b.color, 0.7))
	box := vg.Rectangle{Min: vg.Point{X: left, Y: toY(b.q1)}, Max: vg.Point{X: right, Y: toY(b.q3)}}.Path()
	canvas.Fill(box)
	canvas.SetLineStyle(stroke)
	canvas.Stroke(box)
	canvas.StrokeLine2(median, left, toY(b.median), right, toY(b.median))
	dot := draw.GlyphStyle{Color: tint(b.color, 0.35), Radius: 1.3, Shape: draw.CircleGlyph{}}
	for _, v := range b.outliers {
		if v >= p.Y.Min && v <= p.Y.Max {
			canvas.DrawGlyph(dot, vg.Point{X: mid, Y: toY(v)})
		}
	}
}
