package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"laurel/eval/stats"
)

// randomRows are n pairs with ties, varied lengths and confidences.
func randomRows(n int, seed uint64) []Row {
	rng := rand.New(rand.NewPCG(seed, 1))
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{
			Subset: []string{"chat", "code", "maths"}[rng.IntN(3)],
			Chosen: math.Round(10*rng.NormFloat64()+5) / 10, Rejected: math.Round(10*rng.NormFloat64()) / 10,
			Confidence: 0.5 + rng.Float64()/2, LenChosen: rng.IntN(900), LenRejected: rng.IntN(900),
		}
	}
	return rows
}

func evaluate(t testing.TB, rows []Row) *Report {
	t.Helper()
	r, err := Evaluate(rows, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func near(t *testing.T, name string, got stats.Value, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Errorf("%s = %v, want %v", name, float64(got), want)
	}
}

// TestByHand: margins 2, 0, -1 and 3 with weights 1, 0.5, 0.5 and 1.
func TestByHand(t *testing.T) {
	r := evaluate(t, []Row{
		{Chosen: 3, Rejected: 1, Confidence: 1, LenChosen: 30, LenRejected: 10},
		{Chosen: 1, Rejected: 1, Confidence: 0.5, LenChosen: 20, LenRejected: 20},
		{Chosen: 0, Rejected: 1, Confidence: 0.5, LenChosen: 10, LenRejected: 40},
		{Chosen: 2, Rejected: -1, Confidence: 1, LenChosen: 25, LenRejected: 5},
	})
	near(t, "accuracy", r.AccuracyTiesHalf, 2.5/4, 0)
	near(t, "strict", r.AccuracyStrict, 2.0/4, 0)
	near(t, "weighted", r.WeightedAccuracyTiesHalf, 2.25/3, 1e-15)
	near(t, "weighted strict", r.WeightedAccuracyStrict, 2.0/3, 1e-15)
	near(t, "margin", r.MarginMean, 1, 1e-15)
	near(t, "median", r.MarginMedian, 1, 1e-15)
	near(t, "std", r.MarginStd, math.Sqrt(10.0/3), 1e-15)
	near(t, "quantile 0.25", r.MarginQuantiles.Q25, -0.25, 1e-15) // -1 + 0.75 * (0 - -1)
	near(t, "paired d", r.CohensDPaired, 1/math.Sqrt(10.0/3), 1e-15)
	// variances 5/3 (3 1 0 2) and 1 (1 1 1 -1), means 1.5 and 0.5
	near(t, "pooled d", r.CohensDPooled, 1/math.Sqrt((5.0/3+1)/2), 1e-15)
	// chosen 3 beats all 4; 1 ties three and beats -1; 0 beats -1; 2 beats 4
	near(t, "AUC", r.ROCAUC, (4+1.5+1+1+4)/16.0, 1e-15)
	near(t, "loss", r.BTLossMean, (math.Log1p(math.Exp(-2))+math.Ln2+math.Log1p(math.E)+math.Log1p(math.Exp(-3)))/4, 1e-15)
	near(t, "longer chosen", r.LongerChosenShare, 2.0/3, 1e-15)
	near(t, "always longer", r.AlwaysLongerAccuracy, 2.5/4, 0)
	near(t, "always shorter", r.AlwaysShorterAccuracy, 1.5/4, 0)
	near(t, "where longer", r.AccuracyWhereChosenLonger, 1, 0)
	near(t, "where shorter", r.AccuracyWhereChosenShorter, 0, 0)
	near(t, "where equal", r.AccuracyWhereEqualLength, 0.5, 0)
	// ranks 3 2 1 4 against 3.5 2 1 3.5: covariance 4.5, squares 5 and 4.5
	near(t, "margin~length", r.SpearmanMarginLengthDifference, 4.5/math.Sqrt(5*4.5), 1e-12)
	if r.N != 4 || r.Ties != 1 {
		t.Errorf("n %d, ties %d", r.N, r.Ties)
	}
}

// TestCalibrationByHand: one margin of log 3, so p = 3/4.
func TestCalibrationByHand(t *testing.T) {
	r := evaluate(t, []Row{{Chosen: math.Log(3), Confidence: 0.9}})
	near(t, "brier", r.Brier, 1.0/16, 1e-15)
	near(t, "ECE", r.ECESymmetric, 0.25, 1e-15)
	near(t, "ECE chosen", r.ECEChosenOnly, 0.25, 1e-15)
	near(t, "loss", r.BTLossMean, math.Log(4.0/3), 1e-15)
	near(t, "soft", r.LogLossSoft, 0.9*math.Log(4.0/3)+0.1*math.Log(4), 1e-15)
	if b := r.ECEBinsSymmetric; b[7].Count != 1 || b[2].Count != 1 || b[0].MeanP.Defined() {
		t.Errorf("bins %v", b)
	}
}

// TestNegatedRewards: the opposite model is right where this one is wrong.
func TestNegatedRewards(t *testing.T) {
	rows := randomRows(500, 3)
	negated := slices.Clone(rows)
	for i := range negated {
		negated[i].Chosen, negated[i].Rejected = -rows[i].Chosen, -rows[i].Rejected
	}
	a, b := evaluate(t, rows), evaluate(t, negated)
	near(t, "AUC", b.ROCAUC, 1-float64(a.ROCAUC), 1e-12)
	near(t, "accuracy", b.AccuracyTiesHalf, 1-float64(a.AccuracyTiesHalf), 1e-12)
	near(t, "d", b.CohensDPooled, -float64(a.CohensDPooled), 1e-12)
	near(t, "spearman", b.SpearmanRewardLength, -float64(a.SpearmanRewardLength), 1e-12)
	near(t, "kendall", b.KendallTauBRewardLength, -float64(a.KendallTauBRewardLength), 1e-12)
	near(t, "loss", b.BTLossMean, float64(a.BTLossMean)+float64(a.MarginMean), 1e-12) // softplus(x) - softplus(-x) = x
}

// TestMonotone: ranks, and what rests on them, see no increasing transform of
// the rewards; nothing in a pair sees a shift.
func TestMonotone(t *testing.T) {
	rows := randomRows(400, 4)
	bent, shifted := slices.Clone(rows), slices.Clone(rows)
	for i, r := range rows {
		bent[i].Chosen, bent[i].Rejected = math.Exp(r.Chosen), math.Exp(r.Rejected)
		shifted[i].Chosen, shifted[i].Rejected = r.Chosen+8, r.Rejected+8
	}
	a, b, c := evaluate(t, rows), evaluate(t, bent), evaluate(t, shifted)
	near(t, "accuracy", b.AccuracyTiesHalf, float64(a.AccuracyTiesHalf), 0)
	near(t, "AUC", b.ROCAUC, float64(a.ROCAUC), 0)
	near(t, "spearman", b.SpearmanRewardLength, float64(a.SpearmanRewardLength), 1e-12)
	near(t, "kendall", b.KendallTauBRewardLength, float64(a.KendallTauBRewardLength), 0)
	near(t, "shifted loss", c.BTLossMean, float64(a.BTLossMean), 1e-12)
	near(t, "shifted d", c.CohensDPaired, float64(a.CohensDPaired), 1e-9)
}

func TestBounds(t *testing.T) {
	for seed := range uint64(20) {
		r := evaluate(t, randomRows(1+int(seed)*7, seed))
		for name, v := range map[string]stats.Value{
			"ECE": r.ECESymmetric, "ECE confidence": r.ECEConfidence, "ECE chosen": r.ECEChosenOnly,
			"brier": r.Brier, "AUC": r.ROCAUC, "accuracy": r.AccuracyTiesHalf,
		} {
			if !(v >= 0 && v <= 1) {
				t.Errorf("seed %d: %s is %v", seed, name, v)
			}
		}
		if i, a := r.Wilson95TiesHalf, r.AccuracyTiesHalf; !(0 <= i[0] && i[0] <= a && a <= i[1] && i[1] <= 1) {
			t.Errorf("seed %d: accuracy %v outside %v", seed, a, i)
		}
		if e, s := r.ClopperPearson95Strict, r.Wilson95Strict; !(e[1]-e[0] >= s[1]-s[0]) {
			t.Errorf("seed %d: exact interval %v narrower than Wilson's %v", seed, e, s)
		}
	}
}

// TestLargeMargins: at margins of 1e4 the loss is the margin, not infinity.
func TestLargeMargins(t *testing.T) {
	r := evaluate(t, []Row{
		{Chosen: 1e4, Rejected: 0, Confidence: 0.75}, {Chosen: -1e4, Rejected: 0, Confidence: 0.75},
	})
	near(t, "loss", r.BTLossMean, 5000, 0)
	near(t, "soft", r.LogLossSoft, 0.5*(0.25*1e4+0.75*1e4), 1e-9)
	near(t, "brier", r.Brier, 0.5, 0)
	near(t, "ECE", r.ECESymmetric, 0.5, 0)
	if got := stats.Softplus(-800); got != 0 && got > 1e-300 {
		t.Errorf("softplus(-800) = %g", got)
	}
	near(t, "sigmoid(-40)", stats.Value(stats.Sigmoid(-40)), math.Exp(-40), 1e-30) // 1 - sigmoid(40) would be 0
}

// BenchmarkEvaluate is what a validation of a training costs beside the scoring: with
// intervals, which the best so far gets, and without.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{203, 10_000, 100_000} {
		for _, resamples := range []int{0, 1} {
			rows := randomRows(n, 1)
			b.Run(fmt.Sprintf("pairs=%d/resamples=%d", n, resamples), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Evaluate(rows, Config{Bootstrap: resamples}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "pairs/s")
			})
		}
	}
}
