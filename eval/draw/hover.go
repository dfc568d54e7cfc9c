package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"laurel/eval/stats"
)

// maxHovered bounds the values of one line that can be pointed at.
const maxHovered = 60

// hover is a place of a chart, in the axes' units, that says its value.
type hover struct {
	at   plotter.XY
	bar  *Bar   // the place where it is one
	says string // "" until the axes have their names
}

// Add adds what is to be drawn, and remembers the values that it shows.
func (c *Chart) Add(ps ...plot.Plotter) {
	c.Plot.Add(ps...)
	for _, p := range ps {
		switch p := p.(type) {
		case *plotter.Line:
			c.hoverPoints(p.XYs)
		case *plotter.Scatter:
			c.hoverPoints(p.XYs)
		case Bars:
			for _, b := range p[:min(len(p), maxHovered)] {
				c.hovers = append(c.hovers, hover{bar: &b})
			}
		case BoxMark:
			c.hovers = append(c.hovers, hover{bar: &Bar{Left: p.X - p.Half, Right: p.X + p.Half, Bottom: p.Low, Top: p.High},
				says: fmt.Sprintf("median %v, quartiles %v and %v, whiskers %v and %v", stats.Value(p.Median), stats.Value(p.Q1), stats.Value(p.Q3), stats.Value(p.Low), stats.Value(p.High))})
		}
	}
}

func (c *Chart) hoverPoints(points plotter.XYs) {
	step := max(1, (len(points)+maxHovered-1)/maxHovered)
	for i := 0; i < len(points); i += step {
		c.hovers = append(c.hovers, hover{at: points[i]})
	}
}

// value says what a mark shows, by the names on its axes.
func (c *Chart) value(h hover) string {
	lying, atY := c.Y.Tick.Marker.(plot.ConstantTicks)
	standing, atX := c.X.Tick.Marker.(plot.ConstantTicks)
	switch {
	case h.says != "":
		return h.says
	case atY && h.bar != nil:
		return tickAt(lying, (h.bar.Bottom+h.bar.Top)/2) + stats.Value(h.bar.Right).String()
	case atY:
		return tickAt(lying, h.at.Y) + plain(h.at.X)
	case atX && h.bar == nil:
		return tickAt(standing, h.at.X) + stats.Value(h.at.Y).String()
	case h.bar != nil:
		return fmt.Sprintf("%s %s to %s: %v", c.X.Label.Text, plain(h.bar.Left), plain(h.bar.Right), stats.Value(h.bar.Top-h.bar.Bottom))
	}
	return fmt.Sprintf("%s %s: %v", c.X.Label.Text, plain(h.at.X), stats.Value(h.at.Y))
}

// tickAt is the name that an axis has at a place, "" where it has none.
func tickAt(ticks plot.ConstantTicks, at float64) string {
	for _, t := range ticks {
		if math.Abs(t.Value-at) < 0.45 {
			return strings.ReplaceAll(t.Label, "\n", " ") + ": "
		}
	}
	return ""
}

func plain(x float64) string { return fmt.Sprintf("%.6g", x) }

// withValues lays invisible marks over a drawing that say their values when
// they are pointed at (title elements: no script).
func (c *Chart) withValues(svg []byte, area draw.Canvas) ([]byte, error) {
	end := bytes.LastIndex(svg, []byte("</svg>"))
	if end < 0 || len(c.hovers) == 0 {
		return svg, nil
	}
	x, y := c.Plot.Transforms(&area)
	var b bytes.Buffer
	b.Write(svg[:end])
	b.WriteString(`<g class="values" fill-opacity="0">`)
	for _, h := range c.hovers {
		if !h.mark(&b, area, x, y) {
			continue
		}
		if err := xml.EscapeText(&b, []byte(c.value(h))); err != nil {
			return nil, fmt.Errorf("draw %q: %w", c.title, err)
		}
		b.WriteString("</title></" + h.element() + ">\n")
	}
	b.WriteString("</g>\n")
	b.Write(svg[end:])
	return b.Bytes(), nil
}

func (h hover) element() string {
	if h.bar != nil {
		return "rect"
	}
	return "circle"
}

// mark begins the element up to its title; false where it lies outside the frame.
// A drawing's y grows upwards, an SVG's downwards.
func (h hover) mark(b *bytes.Buffer, area draw.Canvas, x, y func(float64) vg.Length) bool {
	if h.bar == nil {
		at := vg.Point{X: x(h.at.X), Y: y(h.at.Y)}
		if !area.ContainsX(at.X) || !area.ContainsY(at.Y) {
			return false
		}
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="5"><title>`, at.X.Points(), chartHeight-at.Y.Points())
		return true
	}
	left, right := max(x(h.bar.Left), area.Min.X), min(x(h.bar.Right), area.Max.X)
	bottom, top := max(y(h.bar.Bottom), area.Min.Y), min(y(h.bar.Top), area.Max.Y)
	if !(left < right) || !(bottom < top) || math.IsNaN(float64(left)) {
		return false
	}
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>`, left.Points(), chartHeight-top.Points(), (right - left).Points(), (top - bottom).Points())
	return true
}
