package audit

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// WritePlots writes the report's plots into dir as SVG and returns their
// paths.
func (r *Report) WritePlots(dir string) ([]string, error) {
	return draw.Write(dir, slices.Concat(r.outcomeCharts(), r.biasCharts(), r.goldCharts()))
}

func (r *Report) outcomeCharts() []draw.NamedChart {
	charts := []draw.NamedChart{{Name: "outcomes.svg", Chart: r.outcomeChart()}}
	if len(r.Principles) > 0 {
		charts = append(charts, draw.NamedChart{Name: "constitution_weights.svg", Chart: r.weightChart()})
	}
	if r.Labelled > 0 {
		charts = append(charts,
			draw.NamedChart{Name: "confidence_histogram.svg", Chart: shareHistogram("Confidence of the labels", "confidence", r.Confidence, r.ConfidenceMean)},
			draw.NamedChart{Name: "vote_share_histogram.svg", Chart: shareHistogram("Vote share of the labels", "winning weight / total weight", r.VoteShare, r.VoteShareMean)})
	}
	return charts
}

func (r *Report) goldCharts() (charts []draw.NamedChart) {
	if r.Gold == nil || r.Gold.Risk.N == 0 {
		return nil
	}
	if c := r.Gold.Calibration; c != nil {
		for _, s := range []CalibrationScores{c.Raw, c.Temperature, c.Isotonic} {
			facts := fmt.Sprintf("%d labels of the tested part; ECE %v, of equal mass %v, Brier %v; intervals: Wilson 95%%", s.N, s.ECE, s.ECEEqualMass, s.Brier)
			charts = append(charts, draw.NamedChart{Name: "reliability_" + s.Calibrator.Method + ".svg",
				Chart: draw.ReliabilityChart("Reliability, "+s.Calibrator.Describe(), facts, "confidence", s.Bins)})
		}
	}
	return append(charts, draw.NamedChart{Name: "risk_coverage.svg", Chart: riskChart(r.Gold.Risk)})
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
func (r *Report) outcomes() []outcome {
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

func (r *Report) outcomeChart() *draw.Chart {
	c := draw.New("What became of the comparisons", fmt.Sprintf("%d comparisons: %d labelled, %d abstained from", r.Labels, r.Labelled, r.Abstained), "comparisons", "")
	var rows []draw.Level
	for _, o := range r.outcomes() {
		colour := draw.Tint(draw.Blue(), 0.2)
		if o.name != "labelled a" && o.name != "labelled b" {
			colour = draw.Tint(draw.Grey(), 0.2)
		}
		rows = append(rows, draw.Level{Name: o.name, Label: fmt.Sprint(o.count), Value: float64(o.count), Color: colour})
	}
	c.Levels(rows)
	return c
}

func (r *Report) weightChart() *draw.Chart {
	total := 0.0
	for _, p := range r.Principles {
		total += p.Weight
	}
	c := draw.New("Weights of the principles", fmt.Sprintf("%s, total weight %v", stats.Plural(len(r.Principles), "principle"), stats.Value(total)), "weight of its vote", "")
	var rows []draw.Level
	for _, p := range r.Principles {
		rows = append(rows, draw.Level{Name: p.Name, Label: stats.Value(p.Weight).String(), Value: p.Weight, Color: draw.Tint(draw.Blue(), 0.2)})
	}
	c.Levels(rows)
	return c
}

func shareHistogram(title, axis string, h stats.Histogram, mean stats.Value) *draw.Chart {
	n := 0
	for _, count := range h.Counts {
		n += count
	}
	c := draw.New(title, fmt.Sprintf("%s, mean %v", stats.Plural(n, "label"), mean), axis, "share of labels (%)")
	width, top := (h.High-h.Low)/float64(len(h.Counts)), 0.0
	var bs draw.Bars
	for k, count := range h.Counts {
		share := 100 * float64(count) / float64(n)
		left := h.Low + float64(k)*width
		bs = append(bs, draw.Bar{Left: left, Right: left + width, Bottom: 0, Top: share, Color: draw.Tint(draw.Blue(), 0.35)})
		top = math.Max(top, share)
	}
	c.Add(bs)
	c.Frame(h.Low, h.High, 0, 1.05*top)
	return c
}

func riskChart(r RiskCoverage) *draw.Chart {
	facts := fmt.Sprintf("%d labels, AURC %v", r.N, r.AURC)
	if r.Threshold.Defined() {
		facts += fmt.Sprintf("; from confidence %v on, precision %s at coverage %s", r.Threshold, stats.Percent(r.Precision.Share), stats.Percent(r.Coverage.Share))
	}
	return draw.RiskChart(facts, "coverage: share of the labels kept, the most confident first", "risk: share of wrong labels", r.Curve, r.Wanted)
}
