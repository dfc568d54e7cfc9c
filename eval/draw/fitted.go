package draw

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"regexp"
	"strconv"

	"gonum.org/v1/plot/vg"
)

var (
	svgText   = regexp.MustCompile(`<text ([^>]*)>([^<]*)</text>`)
	textStyle = regexp.MustCompile(`font-weight:(\w+);.*font-size:([0-9.]+)px`)
)

// fitted gives every text of a drawing the width that it was laid out with, so
// that no browser's fonts, wider ones included, make it reach into what stands
// beside it.
func (c *Chart) fitted(svg []byte) []byte {
	return svgText.ReplaceAllFunc(svg, func(element []byte) []byte {
		found := svgText.FindSubmatch(element)
		style := textStyle.FindSubmatch(found[1])
		if style == nil || len(found[2]) == 0 {
			return element
		}
		size, err := strconv.ParseFloat(string(style[2]), 64)
		if err != nil {
			return element
		}
		text := html.UnescapeString(string(found[2]))
		width := c.textStyle(vg.Length(size), string(style[1]) == "bold").Width(text).Points()
		start := fmt.Appendf(nil, `<text textLength="%g" lengthAdjust="spacingAndGlyphs" `, math.Round(100*width)/100)
		return append(start, bytes.TrimPrefix(element, []byte("<text "))...)
	})
}
