package audit

import (
	"image/color"
	"path/filepath"

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
	chart := func(title, unit string, human, judge func(Cost) float64) *draw.Chart {
		line := func(label string, colour color.Color, of func(Cost) float64) draw.LogLine {
			l := draw.LogLine{Label: label, Color: colour}
			for _, cost := range costs {
				l.Points = append(l.Points, plotter.XY{X: float64(cost.Comparisons), Y: of(cost)})
			}
			return l
		}
		return draw.LogLines(title, "both axes are logarithmic", "comparisons", unit, line("people", draw.Vermillion(), human), line("judge", draw.Blue(), judge))
	}
	return []draw.NamedChart{
		{Name: "cost.svg", Chart: chart("Cost against scale", "cost (dollars)",
			func(c Cost) float64 { return c.HumanCost }, func(c Cost) float64 { return c.AICost })},
		{Name: "time.svg", Chart: chart("Time against scale", "time (hours; of work, for people)",
			func(c Cost) float64 { return c.HumanHours }, func(c Cost) float64 { return c.AIHours })},
	}
}
