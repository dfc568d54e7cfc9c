package eval

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// WritePlots writes the report's plots into dir as SVG and returns their
// paths.
func (r *LabelReport) WritePlots(dir string) ([]string, error) {
	return writeDrawings(dir, slices.Concat(r.outcomeCharts(), r.biasCharts(), r.goldCharts()))
}

func (r *LabelReport) outcomeCharts() []namedChart {
	charts := []namedChart{{"outcomes.svg", r.outcomeChart()}}
	if len(r.Principles) > 0 {
		charts = append(charts, namedChart{"constitution_weights.svg", r.weightChart()})
	}
	if r.Labelled > 0 {
		charts = append(charts,
			namedChart{"confidence_histogram.svg", shareHistogram("Confidence of the labels", "confidence", r.Confidence, r.ConfidenceMean)},
			namedChart{"vote_share_histogram.svg", shareHistogram("Vote share of the labels", "winning weight / total weight", r.VoteShare, r.VoteShareMean)})
	}
	return charts
}

func (r *LabelReport) goldCharts() (charts []namedChart) {
	if r.Gold == nil || r.Gold.Risk.N == 0 {
		return nil
	}
	if c := r.Gold.Calibration; c != nil {
		for _, s := range []CalibrationScores{c.Raw, c.Temperature, c.Isotonic} {
			facts := fmt.Sprintf("%d labels of the tested part; ECE %v, of equal mass %v, Brier %v; intervals: Wilson 95%%", s.N, s.ECE, s.ECEEqualMass, s.Brier)
			charts = append(charts, namedChart{"reliability_" + s.Calibrator.Method + ".svg",
				reliabilityChart("Reliability, "+s.Calibrator.Describe(), facts, "confidence", s.Bins)})
		}
	}
	return append(charts, namedChart{"risk_coverage.svg", riskChart(r.Gold.Risk)})
}

// Describe names the calibration.
func (c Calibrator) Describe() string {
	switch {
	case c.Method == Temperature && math.IsInf(float64(c.Temperature), 1):
		return "infinite temperature"
	case c.Method == Temperature:
		return fmt.Sprintf("temperature %v", c.Temperature)
	case c.Method == Isotonic:
		return fmt.Sprintf("isotonic, %d knots", len(c.Knots))
	}
	return "as labelled"
}

// outcome is what became of a share of the comparisons.
type outcome struct {
	name  string
	count int
}

// outcomes add up to all labels.
func (r *LabelReport) outcomes() []outcome {
	a := int(math.Round(float64(r.PreferA.Share) * float64(r.Labelled)))
	if r.Labelled == 0 {
		a = 0
	}
	out := []outcome{{"labelled a", a}, {"labelled b", r.Labelled - a}}
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		out = append(out, outcome{"abstained: " + string(reason), r.Reasons[reason]})
	}
	return out
}

func (r *LabelReport) outcomeChart() *chart {
	c := newChart("What became of the comparisons", fmt.Sprintf("%d comparisons: %d labelled, %d abstained from", r.Labels, r.Labelled, r.Abstained), "comparisons", "")
	var rows []level
	for _, o := range r.outcomes() {
		colour := tint(blue(), 0.2)
		if o.name != "labelled a" && o.name != "labelled b" {
			colour = tint(grey(), 0.2)
		}
		rows = append(rows, level{o.name, fmt.Sprint(o.count), float64(o.count), colour})
	}
	c.levels(rows)
	return c
}

func (r *LabelReport) weightChart() *chart {
	total := 0.0
	for _, p := range r.Principles {
		total += p.Weight
	}
	c := newChart("Weights of the principles", fmt.Sprintf("%s, total weight %v", plural(len(r.Principles), "principle"), Value(total)), "weight of its vote", "")
	var rows []level
	for _, p := range r.Principles {
		rows = append(rows, level{p.Name, Value(p.Weight).String(), p.Weight, tint(blue(), 0.2)})
	}
	c.levels(rows)
	return c
}

func shareHistogram(title, axis string, h Histogram, mean Value) *chart {
	n := 0
	for _, count := range h.Counts {
		n += count
	}
	c := newChart(title, fmt.Sprintf("%s, mean %v", plural(n, "label"), mean), axis, "share of labels (%)")
	width, top := (h.High-h.Low)/float64(len(h.Counts)), 0.0
	var bs bars
	for k, count := range h.Counts {
		share := 100 * float64(count) / float64(n)
		left := h.Low + float64(k)*width
		bs = append(bs, bar{left, left + width, 0, share, tint(blue(), 0.35)})
		top = math.Max(top, share)
	}
	c.Add(bs)
	c.frame(h.Low, h.High, 0, 1.05*top)
	return c
}

func riskChart(r RiskCoverage) *chart {
	facts := fmt.Sprintf("%d labels, AURC %v", r.N, r.AURC)
	if r.Threshold.Defined() {
		facts += fmt.Sprintf("; from confidence %v on, precision %s at coverage %s", r.Threshold, percent(r.Precision.Share), percent(r.Coverage.Share))
	}
	c := newChart("Risk and coverage", facts, "coverage: share of the labels kept, the most confident first", "risk: share of wrong labels")
	c.legend = []key{{"risk", blue(), false}, {fmt.Sprintf("wanted, %v", Value(1-r.Wanted)), grey(), false}}
	top := 1 - r.Wanted
	var points plotter.XYs
	for _, p := range r.Curve {
		points = append(points, plotter.XY{X: float64(p.Coverage), Y: float64(p.Risk)})
		top = math.Max(top, float64(p.Risk))
	}
	c.line(plotter.XYs{{X: 0, Y: 1 - r.Wanted}, {X: 1, Y: 1 - r.Wanted}}, grey(), 1, 4, 3)
	c.line(points, blue(), 1.6)
	if len(points) <= 40 {
		c.dots(points, blue(), 2.2)
	}
	c.frame(0, 1, 0, math.Min(1, 1.1*top+0.01))
	return c
}
