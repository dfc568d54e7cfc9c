// Package draw is the kit that reports are made of: charts as SVG, one page
// type in HTML, and the same tables for a terminal.
package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"laurel/eval/stats"
)

// The palette is Okabe and Ito's, which the colour-blind can tell apart.

// Blue stands for chosen and right.
func Blue() color.Color { return color.NRGBA{0x00, 0x72, 0xB2, 0xFF} }

// Vermillion stands for rejected and wrong.
func Vermillion() color.Color { return color.NRGBA{0xD5, 0x5E, 0x00, 0xFF} }

// Green stands for what is held out.
func Green() color.Color { return color.NRGBA{0x00, 0x9E, 0x73, 0xFF} }

// Purple is for a further series.
func Purple() color.Color { return color.NRGBA{0xCC, 0x79, 0xA7, 0xFF} }

// Orange is for a further series.
func Orange() color.Color { return color.NRGBA{0xE6, 0x9F, 0x00, 0xFF} }

// Sky is for a further series.
func Sky() color.Color { return color.NRGBA{0x56, 0xB4, 0xE9, 0xFF} }

// Grey is for what is compared with: a diagonal, a baseline.
func Grey() color.Color { return color.NRGBA{0x8C, 0x93, 0x9C, 0xFF} }

// Ink is for words and axes.
func Ink() color.Color { return color.NRGBA{0x24, 0x29, 0x2F, 0xFF} }

func paleGrey() color.Color { return color.NRGBA{0xE4, 0xE7, 0xEB, 0xFF} }
func mutedInk() color.Color { return color.NRGBA{0x57, 0x60, 0x6A, 0xFF} }

// Tint mixes a colour with white: 0 leaves it, 1 is white.
func Tint(c color.Color, white float64) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8(float64(v>>8)*(1-white) + 255*white) }
	return color.NRGBA{mix(r), mix(g), mix(b), 0xFF}
}

// Size of every chart, in points.
const (
	chartWidth  = 480
	chartHeight = 300
)

// Chart is a plot with its heading: title, one line of facts, a legend.
type Chart struct {
	*plot.Plot
	title, Facts string
	Legend       []Key
	hovers       []hover
}

// Key is one entry of a legend.
type Key struct {
	Label string
	Color color.Color
	Dot   bool // a dot rather than a swatch
}

// New is an empty chart with the names of its axes; facts stand below the title.
func New(title, facts, x, y string) *Chart {
	c := &Chart{Plot: plot.New(), title: title, Facts: facts}
	c.X.Label.Text, c.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&c.X, &c.Y} {
		axis.Label.TextStyle.Font = c.textStyle(9, false).Font
		axis.Label.TextStyle.Color = mutedInk()
		axis.Label.Padding = 4
		axis.Tick.Label.Font = c.textStyle(8.5, false).Font
		axis.Tick.Label.Color = mutedInk()
		axis.Tick.LineStyle.Color = Grey()
		axis.Tick.Length = 3
		axis.LineStyle.Color = Grey()
		axis.Tick.Marker = ticks{}
		axis.Padding = 0
	}
	c.Y.LineStyle.Width, c.Y.Tick.LineStyle.Width = 0, 0
	c.Add(horizontalGrid{})
	return c
}

func (c *Chart) textStyle(size vg.Length, bold bool) text.Style {
	s := c.Title.TextStyle
	s.Font.Variant, s.Font.Size = "Sans", size
	if bold {
		s.Font.Weight = font.WeightBold
	}
	s.Color, s.XAlign, s.YAlign = Ink(), draw.XLeft, draw.YTop
	return s
}

// svg draws the chart. The browser's sans-serif stands in where the
// Liberation fonts are not installed; Arial has the same widths, and others are
// brought to them.
func (c *Chart) svg() ([]byte, error) {
	canvas := vgsvg.New(chartWidth, chartHeight)
	area := draw.New(canvas)
	area.SetColor(color.White)
	area.Fill(area.Rectangle.Path())
	area = draw.Crop(area, 10, -14, 8, -10)
	c.heading(area)
	c.Plot.BackgroundColor = nil
	framed := draw.Crop(area, 0, 0, 0, -46)
	c.Plot.Draw(framed)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("draw %q: %w", c.title, err)
	}
	const family = "font-family:Liberation Sans"
	drawn := bytes.ReplaceAll(b.Bytes(), []byte(family), []byte(family+", Arial, Helvetica, sans-serif"))
	valued, err := c.withValues(c.fitted(drawn), c.Plot.DataCanvas(framed))
	if err != nil {
		return nil, err
	}
	return c.described(valued)
}

// described puts the chart's title and what it says beneath the svg element.
func (c *Chart) described(svg []byte) ([]byte, error) {
	start := bytes.Index(svg, []byte("<svg"))
	end := start + bytes.IndexByte(svg[start:], '>') + 1
	var b bytes.Buffer
	b.Write(svg[:end])
	for _, part := range [][2]string{{"title", c.title}, {"desc", c.alt()}} {
		fmt.Fprintf(&b, "\n<%s>", part[0])
		if err := xml.EscapeText(&b, []byte(part[1])); err != nil {
			return nil, fmt.Errorf("draw %q: %w", c.title, err)
		}
		fmt.Fprintf(&b, "</%s>", part[0])
	}
	b.Write(svg[end:])
	return b.Bytes(), nil
}

// Retitle changes the chart's title.
func (c *Chart) Retitle(title func(string) string) { c.title = title(c.title) }

// alt says in words what the chart shows, for those who cannot see it: its
// facts hold the figures that matter.
func (c *Chart) alt() string {
	parts := []string{c.title, c.Facts}
	if x, y := c.X.Label.Text, c.Y.Label.Text; x != "" && y != "" {
		parts = append(parts, y+" by "+x)
	}
	if len(c.Legend) > 0 {
		var labels []string
		for _, k := range c.Legend {
			labels = append(labels, k.Label)
		}
		parts = append(parts, "shown: "+strings.Join(labels, ", "))
	}
	return strings.Join(parts, ". ") + "."
}

func (c *Chart) heading(area draw.Canvas) {
	top := area.Max.Y
	area.FillText(c.textStyle(12, true), vg.Point{X: area.Min.X, Y: top}, c.title)
	facts := c.textStyle(9, false)
	facts.Color = mutedInk()
	area.FillText(facts, vg.Point{X: area.Min.X, Y: top - 16}, c.Facts)
	x := area.Min.X
	for _, k := range c.Legend {
		area.SetColor(k.Color)
		swatch := vg.Rectangle{Min: vg.Point{X: x, Y: top - 37}, Max: vg.Point{X: x + 9, Y: top - 30}}
		if k.Dot {
			area.DrawGlyph(draw.GlyphStyle{Color: k.Color, Radius: 3, Shape: draw.CircleGlyph{}},
				vg.Point{X: x + 4.5, Y: top - 33.5})
		} else {
			area.Fill(swatch.Path())
		}
		area.FillText(facts, vg.Point{X: x + 13, Y: top - 29}, k.Label)
		x += 13 + facts.Width(k.Label) + 14
	}
}

// horizontalGrid draws a pale line at every labelled tick of the y axis.
type horizontalGrid struct{}

func (horizontalGrid) Plot(canvas draw.Canvas, p *plot.Plot) {
	_, toY := p.Transforms(&canvas)
	style := draw.LineStyle{Color: paleGrey(), Width: 0.6}
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		y := toY(tick.Value)
		canvas.StrokeLine2(style, canvas.Min.X, y, canvas.Max.X, y)
	}
}

// ticks are about six round numbers with as many decimals as their step
// needs.
type ticks struct{}

func (ticks) Ticks(low, high float64) []plot.Tick {
	step := stats.NiceWidth((high - low) / 6)
	first := math.Ceil(low/step - 1e-9)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var out []plot.Tick
	for k := range 12 {
		at := (first + float64(k)) * step
		if !(at <= high+step*1e-9) {
			break
		}
		out = append(out, plot.Tick{Value: at, Label: tickLabel(at, decimals)})
	}
	return out
}

func tickLabel(at float64, decimals int) string {
	if math.Abs(at) >= 1e7 || decimals > 4 {
		return strconv.FormatFloat(at, 'g', 3, 64)
	}
	return strconv.FormatFloat(at+0, 'f', decimals, 64) // at+0 makes -0 plain 0
}

// Frame sets the ranges of both axes; a range of nothing is widened.
func (c *Chart) Frame(xLow, xHigh, yLow, yHigh float64) {
	c.X.Min, c.X.Max = stats.Widen(xLow, xHigh)
	c.Y.Min, c.Y.Max = stats.Widen(yLow, yHigh)
}
