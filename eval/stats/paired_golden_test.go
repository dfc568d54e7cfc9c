package stats

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestPairedGolden holds the solver to scikit-learn's, and McNemar's test to
// statsmodels' and scipy's binomial (eval/testdata/make_golden.py).
func TestPairedGolden(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "paired.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Logistic struct {
			X      [][]float64 `json:"x"`
			Weight []float64   `json:"weight"`
			Theta  []float64   `json:"theta_l2_1"`
			Free   []float64   `json:"theta_free_of_two"`
		} `json:"logistic"`
		McNemar []struct {
			First, Second int
			Exact, Mid    float64
		} `json:"mcnemar"`
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	g := golden.Logistic
	sameTheta(t, "with a penalty", logisticOf(g.X, g.Weight, len(g.Theta), 1), g.Theta)
	sameTheta(t, "without", logisticOf(g.X, g.Weight, len(g.Free), 0), g.Free)
	if len(golden.McNemar) != 6 {
		t.Fatalf("%d tables, want 6", len(golden.McNemar))
	}
	for _, c := range golden.McNemar {
		first, second := make([]float64, c.First+c.Second), make([]float64, c.First+c.Second)
		for i := range first {
			first[i], second[i] = Indicator(i < c.First), Indicator(i >= c.First)
		}
		m := McNemarOf(first, second)
		near(t, "exact", m.Exact, c.Exact, 1e-9)
		near(t, "mid-p", m.MidP, c.Mid, 1e-9)
	}
}

// logisticOf has the first dim columns.
func logisticOf(x [][]float64, weight []float64, dim int, l2 float64) Logistic {
	l := Logistic{Weight: weight, Dim: dim, L2: l2}
	for _, row := range x {
		s := Sparse{}
		for at, v := range row[:dim] {
			if v != 0 {
				s.At, s.X = append(s.At, int32(at)), append(s.X, v)
			}
		}
		l.Rows = append(l.Rows, s)
	}
	return l
}

func sameTheta(t *testing.T, name string, l Logistic, want []float64) {
	t.Helper()
	got, err := l.Fit()
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s: %v, %v", name, got, err)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-6) {
			t.Errorf("%s: θ[%d] is %v, want %v", name, i, got[i], want[i])
		}
	}
}
