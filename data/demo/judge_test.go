package demo

import (
	"math/rand/v2"
	"testing"
)

func TestConfidenceRisesWithTheGap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n = 4000
	last := 0.5
	for gap := 1; gap <= 4; gap++ {
		sum, wrong, worst := 0.0, 0, 0.5
		for range n {
			v := judge(random, gap)
			sum += v.confidence
			if !v.forFirst {
				wrong++
				worst = max(worst, v.confidence)
			}
		}
		mean := sum / n
		t.Logf("gap %d: mean confidence %.3f, %.3f wrong, at most at %.2f", gap, mean, float64(wrong)/n, worst)
		if mean <= last {
			t.Errorf("gap %d: mean confidence %.3f, not over %.3f", gap, mean, last)
		}
		if gap == 1 && (wrong < n/20 || wrong > n/8) {
			t.Errorf("neighbours: %d of %d wrong, want about a twelfth", wrong, n)
		}
		if worst > 0.85 {
			t.Errorf("gap %d: a wrong label at confidence %.2f", gap, worst)
		}
		last = mean
	}
}

func TestTieIsArbitrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first := 0
	for range 1000 {
		v := judge(random, 0)
		if v.confidence != 0.5 || v.voteShare != 0.5 {
			t.Fatalf("tie: %+v", v)
		}
		if v.forFirst {
			first++
		}
	}
	if first < 400 || first > 600 {
		t.Errorf("the first of a tie is chosen in %d of 1000", first)
	}
}

func TestPlanHasItsShares(t *testing.T) {
	plans := plan(rand.New(rand.NewPCG(1, 2)), 200)
	var gaps [5]int
	lengths := 0
	for _, p := range plans {
		gaps[p.high-p.low]++
		lengths += p.longerBy
		if p.low < 0 || p.high > 4 {
			t.Errorf("grades %d and %d", p.low, p.high)
		}
	}
	if want := [5]int{13, 80, 58, 32, 17}; gaps != want {
		t.Errorf("gaps %v, want %v", gaps, want)
	}
	if lengths != 0 {
		t.Errorf("differences of length add up to %d, want 0", lengths)
	}
}
