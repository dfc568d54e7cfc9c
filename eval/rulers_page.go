package eval

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// rulerCard sets the best ruler beside the accuracy.
func (r *Report) rulerCard() draw.Card {
	if r.Seen.Whole() {
		return draw.Card{Name: "Best ruler", Value: "n/a", Note: "the model was trained on all of the pairs"}
	}
	if len(r.Rulers) == 0 {
		return draw.Card{Name: "Best ruler", Value: "n/a", Note: "lengths and texts are unknown"}
	}
	best := &r.Rulers[0]
	return draw.Card{Name: "Best ruler", Value: stats.Percent(best.Accuracy),
		Note: fmt.Sprintf("%s; model minus ruler %s (%s)", best.Name, stats.Percent(best.Model.Difference), best.Model.Interval.Percent())}
}

// rulerSection is the table of the rulers.
func (r *Report) rulerSection() draw.Section {
	t := draw.Table{Columns: []string{"ruler", "accuracy", "95% interval", "decides", "model minus ruler", "McNemar p", "picks"}, Notes: true}
	for i := range r.Rulers {
		t.Rows = append(t.Rows, append(r.Rulers[i].row(), r.Rulers[i].Rule))
	}
	return draw.Section{Title: "Rulers: what needs no model", Tables: []draw.Table{t},
		Note: "A model that a ruler matches may have learnt no more than the ruler."}
}

// rulerChart sets the model's accuracy beside the rulers'.
func rulerChart(r *Report) *draw.Chart {
	best := &r.Rulers[0]
	c := draw.New("Accuracy of the model and of the rulers", fmt.Sprintf("model %v, best ruler %s %v; intervals: 95%% over prompts", r.AccuracyTiesHalf, best.Name, best.Accuracy), "", "share of pairs ranked right")
	c.Legend = []draw.Key{{Label: "model", Color: draw.Blue(), Dot: true}, {Label: "rulers", Color: draw.Grey(), Dot: true}, {Label: "chance", Color: draw.Ink()}}
	last := float64(len(r.Rulers))
	c.Line(plotter.XYs{{X: -0.5, Y: 0.5}, {X: last + 0.5, Y: 0.5}}, draw.Ink(), 0.8, 3, 2)
	model := float64(r.AccuracyTiesHalf)
	c.Line(plotter.XYs{{X: -0.5, Y: model}, {X: last + 0.5, Y: model}}, draw.Tint(draw.Blue(), 0.5), 1, 4, 3)
	c.Whisker(0, r.AccuracyInterval, draw.Blue())
	c.Dots(plotter.XYs{{X: 0, Y: model}}, draw.Blue(), 4)
	names := []plot.Tick{{Value: 0, Label: "model"}}
	low, high := math.Min(0.5, float64(r.AccuracyInterval[0])), math.Max(0.5, float64(r.AccuracyInterval[1]))
	for i := range r.Rulers {
		ruler, at := &r.Rulers[i], float64(i+1)
		c.Whisker(at, ruler.Interval, draw.Grey())
		c.Dots(plotter.XYs{{X: at, Y: float64(ruler.Accuracy)}}, draw.Grey(), 4)
		names = append(names, plot.Tick{Value: at, Label: strings.Replace(ruler.Name, "-", "-\n", 1)})
		low, high = math.Min(low, float64(ruler.Interval[0])), math.Max(high, float64(ruler.Interval[1]))
	}
	c.Frame(-0.5, last+0.5, math.Max(0, low-0.05), math.Min(1, high+0.05))
	c.X.Tick.Marker = plot.ConstantTicks(names)
	c.X.Tick.LineStyle.Width = 0
	return c
}
