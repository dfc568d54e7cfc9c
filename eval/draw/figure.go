package draw

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Figure is a chart on a page, with what it says in words.
type Figure struct {
	Title, Alt string
	SVG        template.HTML
	colours    map[string]bool // in it, as RRGGBB
}

// Figures draws charts for a page: without the XML declaration, which HTML
// does not know, and with colours that the page sets, for light and dark. The
// SVG is our own drawing, its texts escaped by vgsvg.
func Figures(charts []NamedChart) ([]Figure, error) {
	drawings, err := drawCharts(charts)
	if err != nil {
		return nil, err
	}
	colour := regexp.MustCompile(`(fill|stroke):#([0-9A-F]{6})`)
	out := make([]Figure, len(drawings))
	for i, d := range drawings {
		svg := d.svg[max(0, bytes.Index(d.svg, []byte("<svg"))):]
		used := map[string]bool{}
		for _, found := range colour.FindAllSubmatch(svg, -1) {
			used[string(found[2])] = true
		}
		svg = colour.ReplaceAll(svg, []byte("$1:var(--c$2)"))
		out[i] = Figure{d.title, d.alt, template.HTML(svg), used}
	}
	return out, nil
}

// chartColours declare the colours of the page's charts, as drawn and for a
// dark page.
func (p Page) chartColours() template.CSS {
	all := map[string]bool{}
	for _, s := range p.Sections {
		for _, f := range s.Figures {
			maps.Copy(all, f.colours)
		}
	}
	var out strings.Builder
	for _, c := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "--c%s: light-dark(#%s, #%s); ", c, c, onDark(c))
	}
	return template.CSS(out.String())
}

// onDark turns a colour's lightness round, in HSL, and leaves its hue: what is
// dark on white becomes light on the page's dark card, which white becomes.
func onDark(rgb string) string {
	var c color.NRGBA
	if _, err := fmt.Sscanf(rgb, "%02X%02X%02X", &c.R, &c.G, &c.B); err != nil || rgb == "FFFFFF" {
		return "1C2024"
	}
	r, g, b := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
	high, low := math.Max(r, math.Max(g, b)), math.Min(r, math.Min(g, b))
	was := (high + low) / 2
	becomes := 1 - 0.87*was
	scale := (1 - math.Abs(2*becomes-1)) / math.Max(1-math.Abs(2*was-1), 1e-9) // keeps the saturation
	turn := func(v float64) uint8 { return uint8(math.Round(255 * min(max(becomes+(v-was)*scale, 0), 1))) }
	return fmt.Sprintf("%02X%02X%02X", turn(r), turn(g), turn(b))
}
