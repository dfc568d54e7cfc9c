package audit

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"laurel/eval/stats"
	"laurel/labels"
)

func judgedOf(confidence float64, right, wrong int) (out []judged) {
	for i := range right + wrong {
		out = append(out, judged{confidence, i < right})
	}
	return out
}

func TestTemperatureByHand(t *testing.T) {
	near(t, "T", fitTemperature(judgedOf(0.9, 75, 25)).Temperature, 2, 1e-9) // ln 9 / ln 3
	near(t, "T of good confidences", fitTemperature(judgedOf(0.75, 75, 25)).Temperature, 1, 1e-9)
	near(t, "T of all right", fitTemperature(judgedOf(0.9, 5, 0)).Temperature, 0.01, 0)
	near(t, "T of one half", fitTemperature(judgedOf(0.5, 3, 5)).Temperature, 1, 0)
	c := fitTemperature(judgedOf(0.9, 4, 6))
	if !math.IsInf(float64(c.Temperature), 1) || c.Apply(0.99) != 0.5 {
		t.Errorf("worse than chance: %+v", c)
	}
}

func TestIsotonicByHand(t *testing.T) {
	c := fitIsotonic([]judged{{0.9, true}, {0.7, true}, {0.6, false}, {0.8, false}})
	want := []Knot{{0.6, 0}, {0.7, 0.5}, {0.8, 0.5}, {0.9, 1}}
	if !slices.Equal(c.Knots, want) {
		t.Errorf("knots %v", c.Knots)
	}
	for x, p := range map[float64]float64{0.5: 0, 0.6: 0, 0.65: 0.25, 0.75: 0.5, 0.85: 0.75, 0.9: 1, 1: 1} {
		near(t, fmt.Sprint("at ", x), stats.Value(c.Apply(x)), p, 1e-12)
	}
}

func TestCalibrationScoresByHand(t *testing.T) {
	s := score(Calibrator{Method: Raw}, []judged{{0.9, true}, {0.9, false}, {0.62, true}, {0.62, true}}, 10)
	near(t, "ECE", s.ECE, (2*0.4+2*0.38)/4, 1e-12)
	near(t, "ECE by chance", s.ECEByChance, (math.Sqrt(2/math.Pi*0.18)+math.Sqrt(2/math.Pi*0.4712))/4, 1e-12)
	near(t, "Brier", s.Brier, (0.01+0.81+2*0.1444)/4, 1e-12)
	near(t, "log loss", s.LogLoss, -(math.Log(0.9)+math.Log(0.1)+2*math.Log(0.62))/4, 1e-12)
	near(t, "ECE, equal mass", s.ECEEqualMass, (2*0.4+2*0.38)/4, 1e-12)
}

func TestRiskByHand(t *testing.T) {
	all := []judged{{0.9, true}, {0.8, false}, {0.8, true}, {0.7, true}}
	curve, aurc := stats.RiskCurve(byConfidence(all))
	want := []stats.RiskPoint{{Threshold: 0.9, Coverage: 0.25}, {Threshold: 0.8, Coverage: 0.75, Risk: stats.Value(1.0 / 3)}, {Threshold: 0.7, Coverage: 1, Risk: 0.25}}
	if !slices.Equal(curve, want) {
		t.Errorf("curve %v", curve)
	}
	near(t, "AURC", aurc, (0+0.25+1.0/3+0.25)/4, 1e-12) // the tied ones in either order
	near(t, "threshold of 0.75", thresholdOf(all, 0.75), 0.7, 0)
	near(t, "threshold of 0.9", thresholdOf(all, 0.9), 0.9, 0)
	if v := thresholdOf([]judged{{0.9, false}}, 0.5); v.Defined() {
		t.Errorf("a threshold %v where none is", v)
	}
}

// TestRecalibration: labels of ten prompts each twice as sure as they are
// right. Prompts are not parted, both calibrations help, and the threshold
// keeps what it promises on the part that it was not chosen on.
func TestRecalibration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var all []labels.Label
	var gold []labels.Gold
	for i := range 4000 {
		confidence := 0.6 + 0.39*rng.Float64()
		id := fmt.Sprint(i)
		all = append(all, said(id, fmt.Sprint("prompt ", i/4), "first answer", "second", labels.SideA, confidence))
		g := labels.Gold{ID: id, Side: labels.SideB, VoteShareA: math.NaN()}
		if rng.Float64() < stats.Sigmoid(logit(confidence)/2) {
			g.Side = labels.SideA
		}
		gold = append(gold, g)
	}
	r := audit(t, Config{Gold: gold, Precision: 0.8}, all...)
	c := r.Gold.Calibration
	if r.Prompts != 1000 || c.Fit+c.Test != 4000 || c.Fit%4 != 0 {
		t.Errorf("%d prompts, split %d and %d", r.Prompts, c.Fit, c.Test)
	}
	near(t, "temperature", c.Temperature.Calibrator.Temperature, 2, 0.25)
	if !(c.Raw.ECE > 0.08 && c.Temperature.ECE < 0.05 && c.Isotonic.ECE < 0.06) {
		t.Errorf("ECE %v, %v, %v", c.Raw.ECE, c.Temperature.ECE, c.Isotonic.ECE)
	}
	last := -1.0
	for x := 0.0; x <= 1; x += 0.01 {
		if p := c.Isotonic.Calibrator.Apply(x); p < last || p > 1 {
			t.Fatalf("isotonic falls to %v at %v", p, x)
		} else {
			last = p
		}
	}
	near(t, "precision", r.Gold.Risk.Precision.Share, 0.8, 0.04)
	near(t, "threshold", r.Gold.Risk.Threshold, 0.85, 0.12)
	for _, bin := range r.Gold.ByConfidence {
		if a := bin.Agreement; a.N > 100 && !(a.Interval[0] < a.Share && a.Share < a.Interval[1]) {
			t.Errorf("bin %s: %+v", bin.Group, a)
		}
	}
	again := audit(t, Config{Gold: gold, Precision: 0.8}, all...)
	a, _ := json.Marshal(r)
	b, _ := json.Marshal(again)
	if string(a) != string(b) {
		t.Error("the same labels give another report")
	}
}

// TestCalibrationLeavesGoodOnes: confidences that are right are written as they
// are, and few labels are not calibrated at all.
func TestCalibrationLeavesGoodOnes(t *testing.T) {
	var all []groupedLabel
	for i := range 4000 { // seventy in a hundred right, evenly, in either part
		all = append(all, groupedLabel{judged{0.7, i*7%10 < 7}, place{int32(i), uint64(i) + 1}})
	}
	r := recalibrate(all, 20, 0)
	if r.Raw.LogLoss <= min(r.Temperature.LogLoss, r.Isotonic.LogLoss) != (r.Final.Method == Raw) {
		t.Errorf("raw %v, temperature %v, isotonic %v: %s", r.Raw.LogLoss, r.Temperature.LogLoss, r.Isotonic.LogLoss, r.Final.Method)
	}
	if recalibrate(all[:30], 20, 0) != nil {
		t.Error("thirty labels are calibrated")
	}
}

func thresholdOf(labels []judged, wanted float64) stats.Value {
	confidence, right := byConfidence(labels)
	return stats.PrecisionThreshold(confidence, right, wanted)
}
