package draw

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"laurel/eval/stats"
)

// Bar is a filled rectangle in the axes' units.
type Bar struct {
	Left, Right, Bottom, Top float64
	Color                    color.Color
}

// Bars draws rectangles, a hair apart.
type Bars []Bar

// Plot is plot.Plotter's.
func (bs Bars) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	for _, b := range bs {
		if b.Top == b.Bottom {
			continue
		}
		gap := min(0.4, (x(b.Right)-x(b.Left))/10)
		canvas.SetColor(b.Color)
		canvas.Fill(vg.Rectangle{
			Min: vg.Point{X: x(b.Left) + gap, Y: y(b.Bottom)},
			Max: vg.Point{X: x(b.Right) - gap, Y: y(b.Top)},
		}.Path())
	}
}

// Line adds a polyline, cut at the frame.
func (c *Chart) Line(points plotter.XYs, colour color.Color, width vg.Length, dashes ...vg.Length) {
	c.Add(&plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: colour, Width: width, Dashes: dashes}})
}

// Dots adds points.
func (c *Chart) Dots(points plotter.XYs, colour color.Color, radius vg.Length) {
	style := draw.GlyphStyle{Color: colour, Radius: radius, Shape: draw.CircleGlyph{}}
	c.Add(&plotter.Scatter{XYs: points, GlyphStyle: style})
}

// Whisker adds a vertical interval at x.
func (c *Chart) Whisker(x float64, interval stats.Interval, colour color.Color) {
	if interval[0].Defined() {
		c.Line(plotter.XYs{{X: x, Y: float64(interval[0])}, {X: x, Y: float64(interval[1])}}, colour, 1.2)
	}
}

// BoxMark draws Tukey's box around x.
type BoxMark struct {
	Low, Q1, Median, Q3, High float64
	Outliers                  []float64
	X, Half                   float64
	Color                     color.Color
}

// Plot is plot.Plotter's.
func (b BoxMark) Plot(canvas draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&canvas)
	left, mid, right := toX(b.X-b.Half), toX(b.X), toX(b.X+b.Half)
	stroke := draw.LineStyle{Color: b.Color, Width: 1}
	median := draw.LineStyle{Color: b.Color, Width: 2.2}
	canvas.StrokeLine2(stroke, mid, toY(b.Low), mid, toY(b.Q1))
	canvas.StrokeLine2(stroke, mid, toY(b.Q3), mid, toY(b.High))
	canvas.SetColor(Tint(b.Color, 0.7))
	box := vg.Rectangle{Min: vg.Point{X: left, Y: toY(b.Q1)}, Max: vg.Point{X: right, Y: toY(b.Q3)}}.Path()
	canvas.Fill(box)
	canvas.SetLineStyle(stroke)
	canvas.Stroke(box)
	canvas.StrokeLine2(median, left, toY(b.Median), right, toY(b.Median))
	dot := draw.GlyphStyle{Color: Tint(b.Color, 0.35), Radius: 1.3, Shape: draw.CircleGlyph{}}
	for _, v := range b.Outliers {
		if v >= p.Y.Min && v <= p.Y.Max {
			canvas.DrawGlyph(dot, vg.Point{X: mid, Y: toY(v)})
		}
	}
}
