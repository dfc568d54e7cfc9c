package eval

import (
	"math"
	"strings"
	"testing"
)

// TestRewardBench: sections by hand: a tie is wrong, 447 pairs of math-prm weigh
// as much as 984 of code, and a missing section leaves the score undefined.
func TestRewardBench(t *testing.T) {
	var rows []Row
	add := func(subset string, right, tied, wrong int) {
		for i := range right + tied + wrong {
			row := Row{Subset: subset, Chosen: 1, Confidence: 1}
			if i >= right {
				row.Rejected = 1
			}
			if i >= right+tied {
				row.Rejected = 2
			}
			rows = append(rows, row)
		}
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) < 1e-12) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	add("alpacaeval-easy", 3, 1, 0)
	add("mt-bench-med", 1, 0, 3)
	add("llmbar-natural", 2, 0, 2)
	add("math-prm", 447, 0, 0)
	add("hep-go", 0, 0, 984)
	r := evaluate(t, rows)
	if r.RewardBench == nil || r.RewardBench.Score.Defined() || r.RewardBench.Sections[2].Accuracy.Defined() {
		t.Fatalf("without Safety: %+v", r.RewardBench)
	}
	add("xstest-should-refuse", 1, 0, 0)
	r = evaluate(t, rows)
	for i, want := range []float64{0.5, 0.5, 1, 0.5} {
		near(r.RewardBench.Sections[i].Name, float64(r.RewardBench.Sections[i].Accuracy), want)
		if !r.RewardBench.Sections[i].Interval.Contains(r.RewardBench.Sections[i].Accuracy) {
			t.Errorf("%+v", r.RewardBench.Sections[i])
		}
	}
	near("score", float64(r.RewardBench.Score), 0.625)
	var printed strings.Builder
	if err := r.Print(&printed); err != nil || !strings.Contains(printed.String(), "mean of Chat 0.500, Chat Hard 0.500, Safety 1.000, Reasoning 0.500; ties wrong") {
		t.Errorf("%v: %s", err, printed.String())
	}
	add("another", 1, 0, 0)
	if r = evaluate(t, rows); r.RewardBench != nil {
		t.Errorf("of other subsets: %+v", r.RewardBench)
	}
}
