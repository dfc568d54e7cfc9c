package eval

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"laurel/eval/stats"
)

// pairedGolden is what scikit-learn and statsmodels find (testdata/make_golden.py).
func pairedGolden(t *testing.T, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "paired.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// rowsBy have the prompts and the margins, and what change says of each.
func rowsBy(prompt []uint64, margin []float64, change func(i int, r *Row)) []Row {
	rows := make([]Row, len(margin))
	for i := range rows {
		rows[i] = Row{Prompt: prompt[i], Chosen: margin[i], Confidence: 1, Place: i}
		if change != nil {
			change(i, &rows[i])
		}
	}
	return rows
}

func nearInterval(t *testing.T, name string, got stats.Interval, want [2]float64, within float64) {
	t.Helper()
	near(t, name+", low", got[0], want[0], within)
	near(t, name+", high", got[1], want[1], within)
}

func TestLengthControlledGolden(t *testing.T) {
	var golden struct {
		Cases []struct {
			Prompt            []uint64
			Difference, Right []float64
			Accuracy          float64
			Interval          [2]float64
			Effect            float64
			EffectIn          [2]float64 `json:"effect_interval"`
			SD                float64
			Statsmodels       *struct {
				Beta, Phi float64
				SE        [2]float64
			}
		} `json:"length_controlled"`
	}
	pairedGolden(t, &golden)
	if len(golden.Cases) != 4 {
		t.Fatalf("%d cases, want 4", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		margin := make([]float64, len(c.Right))
		for i, right := range c.Right {
			margin[i] = 2*right - 1
		}
		rows := rowsBy(c.Prompt, margin, func(i int, r *Row) { r.LenChosen, r.LenRejected = 1000+int(c.Difference[i]), 1000 })
		got, err := newPairs(len(rows), func(i int) *Row { return &rows[i] }).lengthControlled()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "accuracy", got.Accuracy, c.Accuracy, 1e-7)
		nearInterval(t, "accuracy", got.Interval, c.Interval, 1e-7)
		near(t, "effect", got.Effect, c.Effect, 1e-6)
		nearInterval(t, "effect", got.EffectIn, c.EffectIn, 1e-6)
		near(t, "sd", got.SD, c.SD, 1e-9)
		if s := c.Statsmodels; s != nil { // without the priors, which move little
			n := math.Sqrt(float64(len(c.Right)))
			near(t, "accuracy beside statsmodels", got.Accuracy, stats.Sigmoid(s.Beta), 0.1/n)
			near(t, "effect beside statsmodels", got.Effect, s.Phi, 0.4/n)
		}
	}
}

// TestLengthControlledByHand: with lengths that say nothing it is the accuracy, and
// where the longer is always ranked higher it is chance, however often it is chosen.
func TestLengthControlledByHand(t *testing.T) {
	prompt, margin := make([]uint64, 400), make([]float64, 400)
	for i := range margin {
		prompt[i], margin[i] = uint64(i+1), 1
		if i%4 == 0 {
			margin[i] = -1
		}
	}
	balanced := evaluate(t, rowsBy(prompt, margin, func(i int, r *Row) { r.LenChosen, r.LenRejected = 100+50*(i/4%2), 125 }))
	near(t, "balanced", balanced.LengthControlled.Accuracy, 0.75, 1e-3)
	near(t, "no effect", balanced.LengthControlled.Effect, 0, 1e-9)
	shortcut := evaluate(t, rowsBy(prompt, margin, func(i int, r *Row) {
		r.LenChosen, r.LenRejected = 500, 500-int(margin[i])*(20+37*i%311)
	}))
	if l := shortcut.LengthControlled; !l.Interval.Contains(0.5) || !(l.EffectIn[0] > 2) {
		t.Errorf("length decides: %+v", l)
	}
	if equal := evaluate(t, rowsBy(prompt, margin, func(_ int, r *Row) { r.LenChosen, r.LenRejected = 9, 9 })); equal.LengthControlled != nil {
		t.Errorf("equal lengths: %+v", equal.LengthControlled)
	}
}

func TestCalibrationGolden(t *testing.T) {
	var golden struct {
		Calibration struct {
			Margin      []float64
			Prompt      []uint64
			Temperature float64
			Interval    [2]float64
			AUROC       float64 `json:"margin_auroc"`
			At          float64
			Loss, ECE   float64
		}
	}
	pairedGolden(t, &golden)
	g := golden.Calibration
	r, err := Evaluate(rowsBy(g.Prompt, g.Margin, nil), Config{Stored: &Temperature{Value: stats.Value(g.At)}})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Calibration
	near(t, "temperature", c.Fitted.Value, g.Temperature, 1e-7)
	nearInterval(t, "temperature", c.Fitted.Interval, g.Interval, 1e-6)
	near(t, "AUROC", c.AUROC, g.AUROC, 1e-12)
	if c.Calibrated.Source != StoredTemperature {
		t.Fatalf("calibrated by %s", c.Calibrated.Source)
	}
	near(t, "loss", c.Calibrated.Loss.Difference, g.Loss, 1e-12)
	near(t, "ECE", c.Calibrated.ECE.Difference, g.ECE, 1e-12)
	near(t, "ECE at 1", c.Calibrated.ECE.Other, float64(r.ECESymmetric), 1e-12)
	if !c.ECE.Contains(r.ECESymmetric) || !c.AUROCIn.Contains(c.AUROC) {
		t.Errorf("ECE %v in %v, AUROC %v in %v", r.ECESymmetric, c.ECE, c.AUROC, c.AUROCIn)
	}
	// of the pairs that it was fitted on nothing is said at that temperature
	again, err := Evaluate(rowsBy(g.Prompt, g.Margin, nil), Config{Stored: c.Fitted})
	if err != nil {
		t.Fatal(err)
	}
	if k := again.Calibration.Calibrated; k.Source != CrossFitted || len(k.Temperatures) != 2 || again.Calibration.Note == "" {
		t.Errorf("fitted and measured on the same pairs: %+v", k)
	}
}

// TestTemperature recovers the scale of margins whose outcomes were drawn by it, and
// finds none where none fits best.
func TestTemperature(t *testing.T) {
	src := rand.New(rand.NewPCG(5, 5))
	margin, prompt := make([]float64, 6000), make([]int32, 6000)
	for i := range margin {
		width := 3 * math.Abs(src.NormFloat64())
		if margin[i], prompt[i] = width, int32(i); src.Float64() > stats.Sigmoid(width/2.5) {
			margin[i] = -width
		}
	}
	got, err := fitTemperature(margin, prompt)
	if err != nil || !got.Interval.Contains(2.5) || math.Abs(float64(got.Value)-2.5) > 0.2 {
		t.Errorf("T is %+v, %v, want about 2.5", got, err)
	}
	for name, bad := range map[string][]float64{"few": margin[:19], "all right": slices.Repeat([]float64{1, 2}, 20), "worse than chance": slices.Repeat([]float64{1, -2}, 20), "ties": make([]float64, 40)} {
		if got, err := fitTemperature(bad, prompt[:len(bad)]); got != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestComparison by hand, and that it is as much the other way round.
func TestComparison(t *testing.T) {
	prompt := []uint64{1, 1, 2, 3, 4, 5, 5, 6}
	a, b := []float64{1, 1, 2, -1, 0, 3, 1, 1}, []float64{1, -1, 2, -1, -2, 3, -1, 2}
	b[0] = -4
	first, second := rowsBy(prompt, a, nil), rowsBy(prompt, b, nil)
	compare := func(rows, others []Row) Comparison {
		r, err := Evaluate(rows, Config{Others: []Other{{Name: "b", Rows: others}}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Comparisons[0]
	}
	c, back := compare(first, second), compare(second, first)
	near(t, "accuracy", c.Model.Difference, 3.5/8, 1e-12)
	if c.Won.Count != 4 || c.Lost.Count != 0 || c.Model.McNemar.First != 4 {
		t.Errorf("flips: %+v, %+v", c.Won, c.Lost)
	}
	near(t, "McNemar", c.Model.McNemar.Exact, 0.125, 1e-12)
	if f := c.Won.Listed[0]; f.Place != 0 || f.Margin != 1 || f.OtherMargin != -4 {
		t.Errorf("the widest apart is %+v", f)
	}
	loss := 0.0
	for i := range a {
		loss += (stats.Softplus(-a[i]) - stats.Softplus(-b[i])) / 8
	}
	near(t, "loss", c.Loss.Difference, loss, 1e-12)
	near(t, "loss back", back.Loss.Difference, -loss, 1e-12)
	near(t, "low back", back.Loss.Interval[0], -float64(c.Loss.Interval[1]), 1e-9)
	near(t, "ECE back", back.ECE.Difference, -float64(c.ECE.Difference), 1e-12)
	second[2].Prompt = 9
	if _, err := Evaluate(first, Config{Others: []Other{{Name: "b", Rows: second}}}); err == nil {
		t.Error("other pairs are compared")
	}
}
