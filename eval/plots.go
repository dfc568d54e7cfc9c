package eval

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// WritePlots writes the report's plots and the training curve's into dir as
// SVG and returns their paths. Either may be nil.
func WritePlots(dir string, r *Report, curve []Point) ([]string, error) {
	return writeDrawings(dir, append(reportCharts(r), curveCharts(curve)...))
}

func reportCharts(r *Report) []namedChart {
	if r == nil {
		return nil
	}
	charts := []namedChart{
		{"reward_boxplot.svg", boxplot(r)},
		{"margin_histogram.svg", marginChart(r)},
		{"confidence_histogram.svg", confidenceChart(r)},
		{"reliability.svg", reliability(r)},
	}
	if len(r.Figures.ByLength) > 0 {
		charts = append(charts, namedChart{"accuracy_by_length.svg", lengthChart(r)})
	}
	return charts
}

// boxplot has a chosen and a rejected box for all pairs, then for each of the
// largest subsets.
func boxplot(r *Report) *chart {
	boxes := r.Figures.Rewards
	facts := fmt.Sprintf("median %v chosen, %v rejected; Cohen's d %v; box: quartiles, whiskers: 1.5 times the box",
		Value(boxes[0].Median), Value(boxes[1].Median), r.CohensDPooled)
	c := newChart("Rewards of chosen and rejected responses", facts, "", "reward (raw logit)")
	c.legend = []key{{"chosen", blue(), false}, {"rejected", vermillion(), false}}
	low, high := math.Inf(1), math.Inf(-1)
	names := []plot.Tick{}
	for i, b := range boxes {
		group, side, colour := float64(i/2), -0.19, blue()
		if !b.Chosen {
			side, colour = 0.19, vermillion()
		}
		low, high = math.Min(low, b.Low), math.Max(high, b.High)
		c.Add(boxMark{b.Low, b.Q1, b.Median, b.Q3, b.High, b.Outliers, group + side, 0.14, colour})
		if b.Chosen {
			names = append(names, plot.Tick{Value: group, Label: boxLabel(b, len(boxes)/2)})
		}
	}
	low, high = withOutliers(boxes, low, high)
	pad := 0.04 * (high - low)
	room := math.Max(0.6, 1.6-float64(len(names))/2) // a lone group is not stretched over the frame
	c.frame(-room, float64(len(names)-1)+room, low-pad, high+pad)
	c.X.Tick.Marker = plot.ConstantTicks(names)
	c.X.Tick.LineStyle.Width = 0
	return c
}

func boxLabel(b Box, groups int) string {
	if b.Subset == "" && groups >= 1 {
		return fmt.Sprintf("all pairs\n%d", b.Count)
	}
	return fmt.Sprintf("%s\n%d", subsetLabel(b.Subset, 72/groups), b.Count)
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
func marginChart(r *Report) *chart {
	h := r.Figures.Margins
	facts := fmt.Sprintf("mean %v, median %v, sd %v", r.MarginMean, r.MarginMedian, r.MarginStd)
	if h.Below+h.Above > 0 {
		facts += fmt.Sprintf("; %d below and %d above the frame", h.Below, h.Above)
	}
	c := newChart("Margins of the pairs", facts, "margin: reward of chosen minus rejected (logits)", "share of pairs (%)")
	c.legend = []key{{"ranked right", blue(), false}, {"ranked wrong", vermillion(), false}}
	if r.Ties > 0 {
		c.legend = append(c.legend, key{"tie", grey(), false})
	}
	width, top := (h.High-h.Low)/float64(len(h.Counts)), 0.0
	percent := func(count int) float64 { return 100 * float64(count) / float64(r.N) }
	var bs bars
	for k, count := range h.Counts {
		left := h.Low + float64(k)*width
		colour := blue()
		if left < -width/2 {
			colour = vermillion()
		}
		b := bar{left, left + width, 0, percent(count), colour}
		if math.Abs(left) < width/2 && r.Ties > 0 { // ties lie in the bin that begins at 0
			bs = append(bs, bar{left, left + width, 0, percent(r.Ties), grey()})
			b.bottom = percent(r.Ties)
		}
		bs, top = append(bs, b), math.Max(top, b.top)
	}
	c.Add(bs)
	c.frame(h.Low, h.High, 0, 1.05*top)
	if h.Low < 0 && h.High > 0 {
		c.line(plotter.XYs{{X: 0, Y: 0}, {X: 0, Y: 1.05 * top}}, ink(), 0.8)
	}
	return c
}

// confidenceChart sets predicted confidence beside the labels', which is left
// out where every label has the same.
func confidenceChart(r *Report) *chart {
	predicted, labels := r.Figures.Predicted, r.Figures.Labels
	varied := r.ConfidenceMin < r.ConfidenceMax
	facts := fmt.Sprintf("predicted above 0.99 in %.0f%% of the pairs", 100*float64(r.PredictedAbove99))
	if varied {
		facts += fmt.Sprintf("; labels from %v to %v, mean %v", r.ConfidenceMin, r.ConfidenceMax, r.ConfidenceMean)
	} else {
		facts += fmt.Sprintf("; labels: all %v", r.ConfidenceMin)
	}
	c := newChart("Confidence of predictions and labels", facts, "probability", "share of pairs (%)")
	c.legend = []key{{"predicted, max(p, 1-p)", tint(blue(), 0.35), false}}
	width, top := (predicted.High-predicted.Low)/float64(len(predicted.Counts)), 0.0
	var bs bars
	steps := plotter.XYs{{X: labels.Low, Y: 0}}
	for k := range predicted.Counts {
		left := predicted.Low + float64(k)*width
		p, l := 100*float64(predicted.Counts[k])/float64(r.N), 100*float64(labels.Counts[k])/float64(r.N)
		bs = append(bs, bar{left, left + width, 0, p, tint(blue(), 0.35)})
		steps = append(steps, plotter.XY{X: left, Y: l}, plotter.XY{X: left + width, Y: l})
		top = math.Max(top, p)
		if varied {
			top = math.Max(top, l)
		}
	}
	c.Add(bs)
	if varied {
		c.legend = append(c.legend, key{"of the labels", vermillion(), false})
		c.line(append(steps, plotter.XY{X: labels.High, Y: 0}), vermillion(), 1.6)
	}
	c.frame(predicted.Low, predicted.High, 0, 1.05*top)
	return c
}

// reliability takes every pair in both orders.
func reliability(r *Report) *chart {
	facts := fmt.Sprintf("every pair in both orders; ECE %v, Brier %v; intervals: Wilson 95%%", r.ECESymmetric, r.Brier)
	return reliabilityChart("Reliability", facts, "predicted probability, p = sigmoid(margin)", r.ECEBinsSymmetric)
}

// lengthChart shows whether ranking is right only where length agrees.
func lengthChart(r *Report) *chart {
	facts := fmt.Sprintf("%v where chosen is longer, %v where shorter; intervals: Wilson 95%%",
		r.AccuracyWhereChosenLonger, r.AccuracyWhereChosenShorter)
	c := newChart("Accuracy by difference in length", facts,
		"length of chosen minus rejected (characters), bins of about equal count", "accuracy")
	c.legend = []key{{"accuracy", blue(), true}, {fmt.Sprintf("all pairs, %v", r.AccuracyTiesHalf), grey(), false}}
	last := float64(len(r.Figures.ByLength) - 1)
	overall := float64(r.AccuracyTiesHalf)
	c.line(plotter.XYs{{X: -0.5, Y: overall}, {X: last + 0.5, Y: overall}}, grey(), 1, 4, 3)
	var points plotter.XYs
	names := []plot.Tick{}
	low := 0.5
	for i, b := range r.Figures.ByLength {
		c.whisker(float64(i), b.Wilson95, tint(blue(), 0.45))
		points = append(points, plotter.XY{X: float64(i), Y: float64(b.Accuracy)})
		names = append(names, plot.Tick{Value: float64(i), Label: rangeLabel(b.Low, b.High)})
		low = math.Min(low, float64(b.Wilson95[0]))
	}
	c.dots(points, blue(), 3)
	c.frame(-0.5, last+0.5, math.Floor(low*10)/10, 1)
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
