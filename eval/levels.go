package eval

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
)

// level is one horizontal bar.
type level struct {
	name, label string
	value       float64
	color       color.Color
}

// maxLevels are drawn; the tables have all.
const maxLevels = 20

// levels draws horizontal bars, the first on top.
func (c *chart) levels(rows []level) {
	if len(rows) > maxLevels {
		c.facts += fmt.Sprintf("; the first %d", maxLevels)
		rows = rows[:maxLevels]
	}
	var bs bars
	var ticks []plot.Tick
	most := 0.0
	for i, row := range rows {
		y := float64(len(rows) - 1 - i)
		bs = append(bs, bar{0, row.value, y - 0.34, y + 0.34, row.color})
		ticks = append(ticks, plot.Tick{Value: y, Label: subsetLabel(row.name, 32) + "  " + row.label})
		most = math.Max(most, row.value)
	}
	c.frame(0, 1.02*most, -0.6, float64(len(rows))-0.4)
	c.Y.Tick.Marker = plot.ConstantTicks(ticks)
	c.Add(bs)
}
