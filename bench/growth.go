package bench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
)

// Growth is how pace and memory change with one thing at a time: rows, the
// length of sequences, the pairs of a step, the blocks of a model.
type Growth struct {
	Rows   []RowsSpeed `json:"rows"`
	Tokens []Speed     `json:"tokens"`
	Pairs  []Speed     `json:"pairs"`
	Blocks []Speed     `json:"blocks"`
}

// Print writes a table of each.
func (g *Growth) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(g.Rows) > 0 {
		fmt.Fprintln(w, "rows\ttokens\tencode pairs/s\ttokens/s\tplan pairs/s\tstep pairs/s\tmemory\tabove the start\t")
	}
	for _, r := range g.Rows {
		fmt.Fprintf(w, "%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f GB\t%.2f GB\t\n", r.Rows, r.Tokens, r.EncodePairs, r.EncodeTokens, r.PlanPairs, r.StepPairs, r.Peak/1e9, (r.Peak-r.Before)/1e9)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, axis := range g.axes() {
		if len(axis.speeds) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\tparameters\tpairs/s\ttokens/s\tstep\tfirst step\tmemory\t\n", axis.name)
		for _, s := range axis.speeds {
			fmt.Fprintf(w, "%d\t%d\t%.3g\t%.0f\t%.4g s\t%.3g s\t%.2f GB\t\n", axis.of(s), s.Parameters, s.pairsPerSecond(), s.TokensPerSecond, s.Step, s.FirstStep, s.MemoryBytes/1e9)
		}
	}
	return w.Flush()
}

// pairsPerSecond is of training.
func (s Speed) pairsPerSecond() float64 { return float64(s.Pairs) / s.Step }

// axis is what one of the loads' properties is varied by.
type axis struct {
	name, file string
	speeds     []Speed
	of         func(Speed) int
}

func (g *Growth) axes() []axis {
	return []axis{
		{"tokens", "length", g.Tokens, func(s Speed) int { return s.Load.Tokens }},
		{"pairs", "batch", g.Pairs, func(s Speed) int { return s.Load.Pairs }},
		{"blocks", "model", g.Blocks, func(s Speed) int { return s.Load.Blocks }},
	}
}

// Charts are pace and memory against each thing that was varied.
func (g *Growth) Charts() (charts []draw.NamedChart) {
	if len(g.Rows) > 0 {
		charts = g.rowCharts()
	}
	for _, a := range g.axes() {
		if len(a.speeds) == 0 {
			continue
		}
		var pace, memory plotter.XYs
		for _, s := range a.speeds {
			x := float64(a.of(s))
			pace, memory = append(pace, plotter.XY{X: x, Y: s.pairsPerSecond()}), append(memory, plotter.XY{X: x, Y: s.MemoryBytes / 1e9})
		}
		facts := fmt.Sprintf("a training step, %s, %s", a.speeds[0].Shape, a.speeds[0].Device)
		charts = append(charts,
			draw.NamedChart{Name: a.file + "-pace.svg", Chart: draw.LogLines("Pace against "+a.name, facts, a.name, "pairs/s", draw.LogLine{Label: "training", Color: draw.Blue(), Points: pace})},
			draw.NamedChart{Name: a.file + "-memory.svg", Chart: draw.LogLines("Peak memory against "+a.name, facts, a.name, "GB", draw.LogLine{Label: "the process", Color: draw.Vermillion(), Points: memory})})
	}
	return charts
}

func (g *Growth) rowCharts() []draw.NamedChart {
	line := func(of func(RowsSpeed) float64) (points plotter.XYs) {
		for _, r := range g.Rows {
			points = append(points, plotter.XY{X: float64(r.Rows), Y: of(r)})
		}
		return points
	}
	facts := fmt.Sprintf("simulated pairs of about %d tokens, JSON lines to batches of %d; no model", g.Rows[0].Tokens/int64(g.Rows[0].Rows), rowsBatch)
	return []draw.NamedChart{
		{Name: "rows-pace.svg", Chart: draw.LogLines("Pace against rows", facts, "rows", "pairs/s",
			draw.LogLine{Label: "read and tokenized", Color: draw.Blue(), Points: line(func(r RowsSpeed) float64 { return r.EncodePairs })},
			draw.LogLine{Label: "shuffled", Color: draw.Green(), Points: line(func(r RowsSpeed) float64 { return r.PlanPairs })},
			draw.LogLine{Label: "stepped through", Color: draw.Orange(), Points: line(func(r RowsSpeed) float64 { return r.StepPairs })})},
		{Name: "rows-memory.svg", Chart: draw.LogLines("Peak memory against rows", facts, "rows", "GB",
			draw.LogLine{Label: "the process", Color: draw.Vermillion(), Points: line(func(r RowsSpeed) float64 { return r.Peak / 1e9 })},
			draw.LogLine{Label: "above its start", Color: draw.Purple(), Points: line(func(r RowsSpeed) float64 { return (r.Peak - r.Before) / 1e9 })})},
	}
}
