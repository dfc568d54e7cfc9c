package draw

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
)

// Level is one horizontal bar.
type Level struct {
	Name, Label string
	Value       float64
	Color       color.Color
}

// MaxLevels are drawn; the tables have all.
const MaxLevels = 20

// Levels draws horizontal bars, the first on top.
func (c *Chart) Levels(rows []Level) {
	if len(rows) > MaxLevels {
		c.Facts += fmt.Sprintf("; the first %d", MaxLevels)
		rows = rows[:MaxLevels]
	}
	var bs Bars
	var ticks []plot.Tick
	most := 0.0
	for i, row := range rows {
		y := float64(len(rows) - 1 - i)
		bs = append(bs, Bar{0, row.Value, y - 0.34, y + 0.34, row.Color})
		ticks = append(ticks, plot.Tick{Value: y, Label: Label(row.Name, 32) + "  " + row.Label})
		most = math.Max(most, row.Value)
	}
	c.Frame(0, 1.02*most, -0.6, float64(len(rows))-0.4)
	c.Y.Tick.Marker = plot.ConstantTicks(ticks)
	c.Add(bs)
}
