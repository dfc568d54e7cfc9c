package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRatioDifferenceByHand: 2 of 3 less 1 of 2, of prompts with a row each. The
// linearised rows are 1/9 - 1/4, 1/9, -2/9 + 1/4 and 0.
func TestRatioDifferenceByHand(t *testing.T) {
	var d RatioDifference
	d.Add(0, 1, 1, 1, 1)
	d.Add(1, 1, 1, 0, 0)
	d.Add(2, 0, 1, 0, 1)
	d.Add(3, 0, 0, 0, 0)
	got := d.Difference()
	sum := 0.0
	for _, x := range []float64{1.0/9 - 1.0/4, 1.0 / 9, -2.0/9 + 1.0/4} {
		sum += x * x
	}
	half := Z95() * math.Sqrt(sum*3/2)
	near(t, "difference", got.Mean, 1.0/6, 1e-15)
	near(t, "low", got.Interval[0], 1.0/6-half, 1e-15)
	near(t, "high", got.Interval[1], 1.0/6+half, 1e-15)
	if got.N != 3 {
		t.Errorf("%d rows, want 3", got.N)
	}
	var none RatioDifference
	none.Add(0, 0, 0, 1, 1)
	if d := none.Difference(); d.Mean.Defined() || d.Interval[0].Defined() {
		t.Errorf("of no row: %v", d)
	}
}

// TestRatioDifferenceOfSameRows: where both ratios are over all rows it is the
// paired difference.
func TestRatioDifferenceOfSameRows(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var ratio RatioDifference
		var paired Differences
		for range 40 {
			prompt, a, b := int32(draw.IntN(12)), float64(draw.IntN(2)), float64(draw.IntN(2))
			ratio.Add(prompt, a, 1, b, 1)
			paired.Add(prompt, a-b)
		}
		got, want := ratio.Difference(), paired.Mean()
		near(t, "mean", got.Mean, float64(want.Mean), 1e-12)
		near(t, "low", got.Interval[0], float64(want.Interval[0]), 1e-12)
		near(t, "high", got.Interval[1], float64(want.Interval[1]), 1e-12)
	}
}

// TestRatioDifferenceCovers holds the interval to what it says, on draws of which
// the truth is known: rows of a prompt go together, and either ratio leaves some out.
func TestRatioDifferenceCovers(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	covered, trials := 0, 1000
	for range trials {
		var d RatioDifference
		for prompt := range int32(60) {
			ease := 0.4 * (draw.Float64() - 0.5)
			for range 3 {
				in1, in2 := Indicator(draw.Float64() < 0.8), Indicator(draw.Float64() < 0.6)
				right1, right2 := Indicator(draw.Float64() < 0.7+ease), Indicator(draw.Float64() < 0.6+ease)
				d.Add(prompt, in1*right1, in1, in2*right2, in2)
			}
		}
		if d.Difference().Interval.Contains(0.1) {
			covered++
		}
	}
	if share := float64(covered) / float64(trials); share < 0.93 || share > 0.97 {
		t.Errorf("the 95%% interval holds the truth in %.1f%% of %d draws", 100*share, trials)
	}
}
