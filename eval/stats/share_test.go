package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// outcomesOf are trials with right ones of each prompt's n.
func outcomesOf(n, right []int) *Trials {
	t := &Trials{}
	for prompt := range n {
		for i := range n[prompt] {
			t.Add(int32(prompt), Indicator(i < right[prompt]), 1)
		}
	}
	return t
}

func width(i Interval) float64 { return float64(i[1] - i[0]) }

// TestShareOfDistinctPrompts: Wilson's interval, whose ends rise with the
// number of right ones, and which is narrowest at none and at all.
func TestShareOfDistinctPrompts(t *testing.T) {
	for n := 1; n <= 60; n++ {
		each := make([]int, n)
		for i := range each {
			each[i] = 1
		}
		last := Interval{-1, -1}
		all := width(outcomesOf(each, each).Share().Interval)
		for k := 0; k <= n; k++ {
			right := make([]int, n)
			for i := range k {
				right[i] = 1
			}
			got := outcomesOf(each, right).Share().Interval
			for side, want := range Wilson95(float64(k)/float64(n), float64(n)) {
				near(t, fmt.Sprintf("%d of %d", k, n), got[side], float64(want), 1e-12)
			}
			if got[0] < last[0] || got[1] < last[1] || width(got) < all-1e-12 {
				t.Errorf("%d of %d: %v after %v, all: width %v", k, n, got, last, all)
			}
			if k == 0 && got[0] != 0 || k == n && got[1] != 1 {
				t.Errorf("%d of %d: %v", k, n, got)
			}
			last = got
		}
	}
}

// TestUnanimousIsNarrowest: whatever the prompts' sizes, and wherever the wrong
// ones lie, the interval is no narrower than that of all right, holds the
// share, and stays within 0 and 1.
func TestUnanimousIsNarrowest(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 5000 {
		n := make([]int, 1+rng.IntN(12))
		right := make([]int, len(n))
		for i := range n {
			n[i] = 1 + rng.IntN([]int{1, 3, 12, 200}[rng.IntN(4)])
			right[i] = n[i]
		}
		all := outcomesOf(n, right).Share()
		for range 1 + rng.IntN(4) {
			i := rng.IntN(len(n))
			right[i] -= min(right[i], 1+rng.IntN(1+n[i]/4))
		}
		some := outcomesOf(n, right).Share()
		if width(some.Interval) < width(all.Interval)*(1-1e-9) || some.Interval[0] > all.Interval[0]+1e-12 {
			t.Fatalf("%v of %v: %v, all right: %v", right, n, some, all)
		}
		if !some.Interval.Contains(some.Share) || some.Interval[0] < 0 || some.Interval[1] > 1 {
			t.Fatalf("%v of %v: %v", right, n, some)
		}
		for i := range right {
			right[i] = n[i] - right[i]
		}
		mirrored := outcomesOf(n, right).Share().Interval
		near(t, "mirrored", 1-mirrored[1], float64(some.Interval[0]), 1e-9)
	}
}

// TestTenOfTen: two trials each of five prompts, all right or one wrong.
func TestTenOfTen(t *testing.T) {
	n := []int{2, 2, 2, 2, 2}
	all, nine := outcomesOf(n, n).Share(), outcomesOf(n, []int{1, 2, 2, 2, 2}).Share()
	near(t, "low of ten", all.Interval[0], float64(Wilson95(1, 5)[0]), 1e-12)
	near(t, "width of nine", Value(width(nine.Interval)), width(all.Interval), 1e-12)
	if !(nine.Interval[0] < all.Interval[0] && nine.Interval[1] < 1) {
		t.Errorf("nine of ten %v, ten of ten %v", nine, all)
	}
	if none := (&Trials{}).Share(); none.N != 0 || none.Share.Defined() || none.Interval[0].Defined() {
		t.Errorf("of nothing: %v", none)
	}
}

// TestRoundingIsZero: what rounding leaves of values that cancel is 0, and what
// is small but there is not.
func TestRoundingIsZero(t *testing.T) {
	near(t, "mean", Mean([]float64{0.1, 0.2, -0.3}), 0, 0) // 2.8e-17 by adding up
	near(t, "minus", Value(Minus(0.1+0.2, 0.3)), 0, 0)     // 5.6e-17
	near(t, "small mean", Mean([]float64{1e-18, 3e-18}), 2e-18, 1e-30)
	near(t, "small difference", Value(Minus(1, 1-1e-12)), 1e-12, 1e-15)
	d := &Differences{}
	for i, x := range []float64{0.05, 0.1, -0.15} {
		d.Add(int32(i), x)
	}
	near(t, "difference", d.Mean().Mean, 0, 0)
	r := Spearman(OrderOf([]float64{1, 2, 3, 4, 5, 6}), OrderOf([]float64{1, 2, 2, 2, 2, 1}))
	near(t, "correlation", r, 0, 0)
	if math.Signbit(float64(r)) {
		t.Error("-0")
	}
}
