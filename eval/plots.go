package eval

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// WritePlots writes the runs' plots and their training curves into dir as SVG
// and returns their paths. Those of several runs' evaluations lie in a folder
// each, by number.
func WritePlots(dir string, runs []Run) ([]string, error) {
	paths, err := draw.Write(dir, curveCharts(runs))
	for i, r := range runs {
		if err != nil {
			return paths, err
		}
		into := dir
		if len(runs) > 1 {
			into = filepath.Join(dir, strconv.Itoa(i+1))
		}
		var more []string
		more, err = draw.Write(into, r.charts())
		paths = append(paths, more...)
	}
	return paths, err
}

// charts are those of the run's evaluation.
func (run Run) charts() []draw.NamedChart {
	r := run.Report
	if r == nil {
		return nil
	}
	charts := []draw.NamedChart{
		{Name: "reward_boxplot.svg", Chart: boxplot(r)},
		{Name: "margin_histogram.svg", Chart: marginChart(r)},
		{Name: "confidence_histogram.svg", Chart: confidenceChart(r)},
		{Name: "reliability.svg", Chart: reliability(r)},
	}
	if len(r.Figures.Densities) == 2 {
		charts = slices.Insert(charts, 1, draw.NamedChart{Name: "reward_density.svg", Chart: densityChart(r)})
	}
	if len(r.Figures.ByLength) > 0 {
		charts = append(charts, draw.NamedChart{Name: "accuracy_by_length.svg", Chart: lengthChart(r)})
	}
	if len(r.Rulers) > 0 {
		charts = append(charts, draw.NamedChart{Name: "rulers.svg", Chart: rulerChart(r)})
	}
	if r.Calibration != nil {
		charts = append(charts, draw.NamedChart{Name: "risk_coverage.svg", Chart: r.riskChart()})
	}
	for _, c := range charts {
		c.Retitle(run.titled)
	}
	return charts
}

// boxplot has a chosen and a rejected box for all pairs, then for each of the
// largest subsets.
func boxplot(r *Report) *draw.Chart {
	boxes := r.Figures.Rewards
	facts := fmt.Sprintf("median %v chosen, %v rejected; Cohen's d %v; box: quartiles, whiskers: 1.5 times the box",
		stats.Value(boxes[0].Median), stats.Value(boxes[1].Median), r.CohensDPooled)
	c := draw.New("Rewards of chosen and rejected responses", facts, "", "reward (raw logit)")
	c.Legend = []draw.Key{{Label: "chosen", Color: draw.Blue()}, {Label: "rejected", Color: draw.Vermillion()}}
	low, high := math.Inf(1), math.Inf(-1)
	names := []plot.Tick{}
	for i, b := range boxes {
		group, side, colour := float64(i/2), -0.19, draw.Blue()
		if !b.Chosen {
			side, colour = 0.19, draw.Vermillion()
		}
		low, high = math.Min(low, b.Low), math.Max(high, b.High)
		c.Add(draw.BoxMark{Low: b.Low, Q1: b.Q1, Median: b.Median, Q3: b.Q3, High: b.High, Outliers: b.Outliers, X: group + side, Half: 0.14, Color: colour})
		if b.Chosen {
			names = append(names, plot.Tick{Value: group, Label: boxLabel(b, len(boxes)/2)})
		}
	}
	low, high = withOutliers(boxes, low, high)
	pad := 0.04 * (high - low)
	room := math.Max(0.6, 1.6-float64(len(names))/2) // a lone group is not stretched over the frame
	c.Frame(-room, float64(len(names)-1)+room, low-pad, high+pad)
	c.X.Tick.Marker = plot.ConstantTicks(names)
	c.X.Tick.LineStyle.Width = 0
	return c
}

func boxLabel(b Box, groups int) string {
	if b.Subset == "" && groups >= 1 {
		return fmt.Sprintf("all pairs\n%d", b.Count)
	}
	return fmt.Sprintf("%s\n%d", draw.Label(b.Subset, 72/groups), b.Count)
}

// withOutliers widens the whiskers' range to the outliers, but not so far
// that they flatten the boxes.
func withOutliers(boxes []Box, low, high float64) (float64, float64) {
	least, most := low, high
	for _, b := range boxes {
		if len(b.Outliers) > 0 {
			least, most = math.Min(least, slices.Min(b.Outliers)), math.Max(most, slices.Max(b.Outliers))
		}
	}
	if span := high - low; span > 0 {
		return math.Max(least, low-0.75*span), math.Min(most, high+0.75*span)
	}
	return least, most
}

// marginChart colours the bins by whether their pairs are ranked right.
func marginChart(r *Report) *draw.Chart {
	h := r.Figures.Margins
	facts := fmt.Sprintf("mean %v, median %v, sd %v", r.MarginMean, r.MarginMedian, r.MarginStd)
	if h.Below+h.Above > 0 {
		facts += fmt.Sprintf("; %d below and %d above the frame", h.Below, h.Above)
	}
	c := draw.New("Margins of the pairs", facts, "margin: reward of chosen minus rejected (logits)", "share of pairs (%)")
	c.Legend = []draw.Key{{Label: "ranked right", Color: draw.Blue()}, {Label: "ranked wrong", Color: draw.Vermillion()}}
	if r.Ties > 0 {
		c.Legend = append(c.Legend, draw.Key{Label: "tie", Color: draw.Grey()})
	}
	width, top := (h.High-h.Low)/float64(len(h.Counts)), 0.0
	percent := func(count int) float64 { return 100 * float64(count) / float64(r.N) }
	var bs draw.Bars
	for k, count := range h.Counts {
		left := h.Low + float64(k)*width
		colour := draw.Blue()
		if left < -width/2 {
			colour = draw.Vermillion()
		}
		b := draw.Bar{Left: left, Right: left + width, Bottom: 0, Top: percent(count), Color: colour}
		if math.Abs(left) < width/2 && r.Ties > 0 { // ties lie in the bin that begins at 0
			bs = append(bs, draw.Bar{Left: left, Right: left + width, Bottom: 0, Top: percent(r.Ties), Color: draw.Grey()})
			b.Bottom = percent(r.Ties)
		}
		bs, top = append(bs, b), math.Max(top, b.Top)
	}
	c.Add(bs)
	c.Frame(h.Low, h.High, 0, 1.05*top)
	if h.Low < 0 && h.High > 0 {
		c.Line(plotter.XYs{{X: 0, Y: 0}, {X: 0, Y: 1.05 * top}}, draw.Ink(), 0.8)
	}
	return c
}

// confidenceChart sets predicted confidence beside the labels', which is left
// out where every label has the same.
func confidenceChart(r *Report) *draw.Chart {
	predicted, labels := r.Figures.Predicted, r.Figures.Labels
	varied := r.ConfidenceMin < r.ConfidenceMax
	facts := fmt.Sprintf("predicted above 0.99 in %.0f%% of the pairs", 100*float64(r.PredictedAbove99))
	if varied {
		facts += fmt.Sprintf("; labels from %v to %v, mean %v", r.ConfidenceMin, r.ConfidenceMax, r.ConfidenceMean)
	} else {
		facts += fmt.Sprintf("; labels: all %v", r.ConfidenceMin)
	}
	c := draw.New("Confidence of predictions and labels", facts, "probability", "share of pairs (%)")
	c.Legend = []draw.Key{{Label: "predicted, max(p, 1-p)", Color: draw.Tint(draw.Blue(), 0.35)}}
	width, top := (predicted.High-predicted.Low)/float64(len(predicted.Counts)), 0.0
	var bs draw.Bars
	steps := plotter.XYs{{X: labels.Low, Y: 0}}
	for k := range predicted.Counts {
		left := predicted.Low + float64(k)*width
		p, l := 100*float64(predicted.Counts[k])/float64(r.N), 100*float64(labels.Counts[k])/float64(r.N)
		bs = append(bs, draw.Bar{Left: left, Right: left + width, Bottom: 0, Top: p, Color: draw.Tint(draw.Blue(), 0.35)})
		steps = append(steps, plotter.XY{X: left, Y: l}, plotter.XY{X: left + width, Y: l})
		top = math.Max(top, p)
		if varied {
			top = math.Max(top, l)
		}
	}
	c.Add(bs)
	if varied {
		c.Legend = append(c.Legend, draw.Key{Label: "of the labels", Color: draw.Vermillion()})
		c.Line(append(steps, plotter.XY{X: labels.High, Y: 0}), draw.Vermillion(), 1.6)
	}
	c.Frame(predicted.Low, predicted.High, 0, 1.05*top)
	return c
}

// reliability takes every pair in both orders.
func reliability(r *Report) *draw.Chart {
	facts := fmt.Sprintf("every pair in both orders; ECE %v, Brier %v; intervals: Wilson 95%%", r.ECESymmetric, r.Brier)
	return draw.ReliabilityChart("Reliability", facts, "predicted probability, p = sigmoid(margin)", r.ECEBinsSymmetric)
}

// lengthChart shows whether ranking is right only where length agrees.
func lengthChart(r *Report) *draw.Chart {
	facts := fmt.Sprintf("%v where chosen is longer, %v where shorter; intervals: Wilson 95%%",
		r.AccuracyWhereChosenLonger, r.AccuracyWhereChosenShorter)
	c := draw.New("Accuracy by difference in length", facts,
		"length of chosen minus rejected (characters), bins of about equal count", "accuracy")
	c.Legend = []draw.Key{{Label: "accuracy", Color: draw.Blue(), Dot: true}, {Label: fmt.Sprintf("all pairs, %v", r.AccuracyTiesHalf), Color: draw.Grey()}}
	last := float64(len(r.Figures.ByLength) - 1)
	overall := float64(r.AccuracyTiesHalf)
	c.Line(plotter.XYs{{X: -0.5, Y: overall}, {X: last + 0.5, Y: overall}}, draw.Grey(), 1, 4, 3)
	var points plotter.XYs
	names := []plot.Tick{}
	low := 0.5
	for i, b := range r.Figures.ByLength {
		c.Whisker(float64(i), b.Wilson95, draw.Tint(draw.Blue(), 0.45))
		points = append(points, plotter.XY{X: float64(i), Y: float64(b.Accuracy)})
		names = append(names, plot.Tick{Value: float64(i), Label: rangeLabel(b.Low, b.High)})
		low = math.Min(low, float64(b.Wilson95[0]))
	}
	c.Dots(points, draw.Blue(), 3)
	c.Frame(-0.5, last+0.5, math.Floor(low*10)/10, 1)
	c.X.Tick.Marker = plot.ConstantTicks(names)
	c.X.Tick.LineStyle.Width = 0
	return c
}

func rangeLabel(low, high int) string {
	if low == high {
		return shortCount(low)
	}
	return shortCount(low) + " to\n" + shortCount(high)
}

// shortCount writes thousands as k from 10000 on.
func shortCount(n int) string {
	if n >= 10000 || n <= -10000 {
		return fmt.Sprintf("%.0fk", float64(n)/1000)
	}
	return fmt.Sprint(n)
}
