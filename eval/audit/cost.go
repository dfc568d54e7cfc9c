package audit

import (
	"image/color"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
)

// Cost is what a number of comparisons takes, of people and of a judge.
type Cost struct {
	Comparisons         int
	HumanCost, AICost   float64 // dollars
	HumanHours, AIHours float64
	Cells               []string // of the page's table
}

// WriteCosts writes cost.svg, time.svg and costs.html into dir: the table
// under columns, and cost and time against scale on logarithmic axes.
func WriteCosts(dir string, columns []string, costs []Cost, facts ...draw.Fact) error {
	charts := costCharts(costs)
	if _, err := draw.Write(dir, charts); err != nil {
		return err
	}
	s := draw.Section{Title: "Cost and time"}
	var err error
	if s.Figures, err = draw.Figures(charts); err != nil {
		return err
	}
	t := draw.Table{Columns: columns}
	for _, c := range costs {
		t.Rows = append(t.Rows, c.Cells)
	}
	s.Tables = []draw.Table{t}
	return draw.Page{Title: "What labels cost", Sections: []draw.Section{s, draw.FactSection(facts...)}}.Save(filepath.Join(dir, "costs.html"))
}

func costCharts(costs []Cost) []draw.NamedChart {
	human := func(of func(Cost) float64) costLine { return costLine{"people", draw.Vermillion(), of} }
	judge := func(of func(Cost) float64) costLine { return costLine{"judge", draw.Blue(), of} }
	return []draw.NamedChart{
		{Name: "cost.svg", Chart: logChart("Cost against scale", "cost (dollars)", costs,
			human(func(c Cost) float64 { return c.HumanCost }), judge(func(c Cost) float64 { return c.AICost }))},
		{Name: "time.svg", Chart: logChart("Time against scale", "time (hours; of work, for people)", costs,
			human(func(c Cost) float64 { return c.HumanHours }), judge(func(c Cost) float64 { return c.AIHours }))},
	}
}

type costLine struct {
	label string
	color color.Color
	of    func(Cost) float64
}

// logChart leaves out what is 0, which a logarithmic axis cannot show.
func logChart(title, unit string, costs []Cost, lines ...costLine) *draw.Chart {
	c := draw.New(title, "both axes are logarithmic", "comparisons", unit)
	xLow, xHigh, yLow, yHigh := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		var points plotter.XYs
		for _, cost := range costs {
			x, y := float64(cost.Comparisons), l.of(cost)
			if x > 0 && y > 0 {
				points = append(points, plotter.XY{X: x, Y: y})
				xLow, xHigh, yLow, yHigh = math.Min(xLow, x), math.Max(xHigh, x), math.Min(yLow, y), math.Max(yHigh, y)
			}
		}
		c.Legend = append(c.Legend, draw.Key{Label: l.label, Color: l.color, Dot: true})
		if len(points) > 0 {
			c.Line(points, l.color, 1.6)
			c.Dots(points, l.color, 2.8)
		}
	}
	if xLow > xHigh {
		xLow, xHigh, yLow, yHigh = 1, 10, 1, 10
		c.Facts = "every value is 0, which a logarithmic axis cannot show"
	}
	c.X.Scale, c.X.Tick.Marker = plot.LogScale{}, draw.Decades{}
	c.Y.Scale, c.Y.Tick.Marker = plot.LogScale{}, draw.Decades{}
	const room = 1.25
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = xLow/room, xHigh*room, draw.Decade(yLow, math.Floor), draw.Decade(yHigh, math.Ceil)*room
	return c
}
