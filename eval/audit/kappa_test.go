package audit

import (
	"fmt"
	"strings"
	"testing"

	"laurel/labels"
)

func TestKappaByHand(t *testing.T) {
	r := &rated{}
	for cell, n := range map[int]int{cellOf(0, 0): 20, cellOf(0, 1): 5, cellOf(1, 0): 10, cellOf(1, 1): 15} {
		for range n {
			r.add(int32(len(r.cell)), cell)
		}
	}
	k := cohen(r, 2000, 1)
	near(t, "agreement", k.Agreement, 0.7, 1e-12)
	near(t, "Cohen's κ", k.Kappa, 0.4, 1e-12) // (0.7 - 0.5) / (1 - 0.5)
	// the normal interval, with the variance of Fleiss, Cohen and Everitt (1969)
	near(t, "low", k.Interval[0], 0.4-1.96*0.1267, 0.03)
	near(t, "high", k.Interval[1], 0.4+1.96*0.1267, 0.03)
	r.add(60, cellOf(0, 2))
	r.add(61, cellOf(2, 2))
	near(t, "where both decide", cohen(r.decided(), 10, 1).Kappa, 0.4, 1e-12)
	same := &rated{}
	same.add(0, cellOf(1, 1))
	if k := cohen(same, 10, 1); k.Kappa.Defined() || k.Agreement != 1 {
		t.Errorf("of one category: %+v", k)
	}
	v := &votes{[]int32{0, 1, 2, 3}, []ratings{{3, 0, 0}, {0, 3, 0}, {2, 1, 0}, {1, 1, 1}}}
	f := fleiss(v, 100, 1)
	near(t, "agreeing pairs", f.Agreement, 7.0/12, 1e-12) // (1 + 1 + 1/3 + 0) / 4
	near(t, "Fleiss' κ", f.Kappa, 22.0/82, 1e-12)         // chance (6² + 5² + 1²) / 12²
}

// TestTwoJudges: κ of judges among themselves is in the report, Cohen's of
// each two and Fleiss' of all.
func TestTwoJudges(t *testing.T) {
	var all []labels.Label
	for i, sides := range []string{"aa", "aa", "bb", "ab", "ba", "bb", "aa", "b."} {
		l := said(fmt.Sprint(i), fmt.Sprint("p", i), "long answer", "short", labels.SideA, 0.8)
		l.Votes = nil
		for j, side := range sides {
			v := labels.Vote{Judge: fmt.Sprint("judge", j), Principle: "p", Weight: 1, AFirst: 0.9, BFirst: 0.9, Side: labels.Side(side), Confidence: 0.9}
			if side == '.' {
				v.Side, v.Reason = labels.Neither, labels.AbstainOrders
			}
			l.Votes = append(l.Votes, v)
		}
		all = append(all, l)
	}
	r := audit(t, Config{}, all...)
	if len(r.Raters.Pairs) != 1 || r.Raters.Judges == nil {
		t.Fatalf("raters %+v", r.Raters)
	}
	pair := r.Raters.Pairs[0]
	near(t, "agreement", pair.All.Agreement, 5.0/8, 1e-12)
	near(t, "κ", pair.All.Kappa, (5.0/8-28.0/64)/(1-28.0/64), 1e-12)       // chance: a 4·4, b 4·3, neither 0·1
	near(t, "κ, decided", pair.One.Kappa, (5.0/7-25.0/49)/(24./49), 1e-12) // chance: a 4·4, b 3·3
	// votes: a 3·2+1+1 = 8, b 2·2+1+1+1 = 7, neither 1, of 16
	near(t, "Fleiss", r.Raters.Judges.Kappa, (5.0/8-114.0/256)/(1-114.0/256), 1e-12)
	var b strings.Builder
	if err := r.PrintBrief(&b); err != nil || !strings.Contains(b.String(), "judge0 and judge1") || !strings.Contains(b.String(), "all judges (Fleiss)") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
