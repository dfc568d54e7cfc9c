package stats

import (
	"errors"
	"math"
	"testing"
)

// TestMcNemarByHand: of 7 pairs that differ 1 is better in the second:
// P(X ≤ 1) = 8/128, P(X = 1) = 7/128.
func TestMcNemarByHand(t *testing.T) {
	first := []float64{1, 1, 1, 1, 1, 0.5, 0, 1, 0, 0.5}
	second := []float64{0, 0, 0, 0, 0, 0, 1, 1, 0, 0.5}
	m := McNemarOf(first, second)
	if m.First != 6 || m.Second != 1 {
		t.Errorf("better in %d and %d pairs, want 6 and 1", m.First, m.Second)
	}
	near(t, "exact", m.Exact, 16.0/128, 1e-12)
	near(t, "mid-p", m.MidP, 9.0/128, 1e-12)
	swapped := McNemarOf(second, first)
	if swapped.First != 1 || swapped.Second != 6 || swapped.Exact != m.Exact || swapped.MidP != m.MidP {
		t.Errorf("the other way round: %+v, %+v", swapped, m)
	}
	if same := McNemarOf(first, first); same.Exact != 1 || same.MidP != 1 {
		t.Errorf("with itself: %+v", same)
	}
	if level := McNemarOf([]float64{1, 0}, []float64{0, 1}); level.Exact != 1 || math.Abs(float64(level.MidP)-1) > 1e-12 {
		t.Errorf("one each: %+v", level)
	}
}

// TestLogisticByHand: 3 rows of 1 and 1 of -1 have their best θ at log 3; of no
// finite one separable rows say so, unless there is a penalty.
func TestLogisticByHand(t *testing.T) {
	row := func(x float64) Sparse { return Sparse{[]int32{0}, []float64{x}} }
	l := Logistic{Rows: []Sparse{row(1), row(1), row(1), row(-1)}, Dim: 1}
	theta, err := l.Fit()
	if err != nil || math.Abs(theta[0]-math.Log(3)) > 1e-9 {
		t.Errorf("θ %v, %v, want log 3", theta, err)
	}
	l = Logistic{Rows: []Sparse{row(1), row(-1)}, Weight: []float64{3, 1}, Dim: 1}
	if theta, err = l.Fit(); err != nil || math.Abs(theta[0]-math.Log(3)) > 1e-9 {
		t.Errorf("weighted: θ %v, %v, want log 3", theta, err)
	}
	l = Logistic{Rows: []Sparse{row(1), row(0.5)}, Dim: 1}
	if theta, err = l.Fit(); !errors.Is(err, ErrSeparable) {
		t.Errorf("separable: θ %v, %v", theta, err)
	}
	l.L2 = 1
	if theta, err = l.Fit(); err != nil || math.Abs(theta[0]-Sigmoid(-theta[0])-0.5*Sigmoid(-theta[0]/2)) > 1e-8 {
		t.Errorf("with a penalty: θ %v, %v", theta, err)
	}
	if theta, err = (Logistic{Dim: 2, L2: 1}).Fit(); err != nil || theta[0] != 0 || theta[1] != 0 {
		t.Errorf("of no rows: θ %v, %v", theta, err)
	}
}
