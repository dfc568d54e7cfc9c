package stats

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestDensity holds it to scipy's (testdata/make_density.py).
func TestDensity(t *testing.T) {
	raw, err := os.ReadFile("testdata/density.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name                 string
			X, Values            []float64
			Low, High, Bandwidth float64
		}
	}
	if err := json.Unmarshal(raw, &golden); err != nil || len(golden.Cases) != 3 {
		t.Fatal(err, len(golden.Cases))
	}
	for _, c := range golden.Cases {
		d, ok := NewDensity(c.X, c.Low, c.High, len(c.Values))
		if !ok || math.Abs(d.Bandwidth-c.Bandwidth) > 1e-12 {
			t.Errorf("%s: bandwidth %v, want %v", c.Name, d.Bandwidth, c.Bandwidth)
		}
		for i, want := range c.Values {
			if math.Abs(d.Values[i]-want) > 1e-5 { // of a grid of 8192 cells
				t.Errorf("%s: at point %d %v, want %v", c.Name, i, d.Values[i], want)
			}
		}
	}
}

// TestDensityIsOne: over all of the line it sums to one; a constant has none.
func TestDensityIsOne(t *testing.T) {
	x := []float64{-3, -1, 0, 0.5, 2, 7}
	d, ok := NewDensity(x, -40, 40, 4001)
	sum := 0.0
	for _, v := range d.Values {
		sum += v * 80 / 4000
	}
	if !ok || math.Abs(sum-1) > 1e-6 {
		t.Errorf("sums to %v", sum)
	}
	if _, ok := NewDensity([]float64{2, 2, 2}, 1, 3, 8); ok {
		t.Error("a constant has a density")
	}
}

// TestNewcombe: the example of Newcombe 1998, table II (a), 56/70 and 48/80,
// method 10: 0.0524 to 0.3339.
func TestNewcombe(t *testing.T) {
	got := Newcombe95(0.8, Wilson95(0.8, 70), 0.6, Wilson95(0.6, 80))
	if math.Abs(float64(got[0])-0.0524) > 5e-5 || math.Abs(float64(got[1])-0.3339) > 5e-5 {
		t.Errorf("%v", got)
	}
}

// TestHolm is R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
func TestHolm(t *testing.T) {
	got := Holm([]Value{0.01, 0.04, 0.03, 0.005})
	for i, want := range []Value{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(float64(got[i]-want)) > 1e-12 {
			t.Errorf("%d: %v, want %v", i, got[i], want)
		}
	}
}
