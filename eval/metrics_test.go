package eval

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
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

func near(t *testing.T, name string, got Value, want, tolerance float64) {
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

// TestBinEdges: a probability on an edge belongs to the bin above, 1 to the
// last.
func TestBinEdges(t *testing.T) {
	for bins := 1; bins <= 100; bins++ {
		for k := range bins {
			edge := float64(k) / float64(bins)
			if got := binOf(edge, bins); got != k {
				t.Fatalf("%d bins: %v in bin %d, want %d", bins, edge, got, k)
			}
			if below := math.Nextafter(edge, 0); k > 0 && binOf(below, bins) != k-1 {
				t.Fatalf("%d bins: %v in bin %d, want %d", bins, below, binOf(below, bins), k-1)
			}
		}
		if got := binOf(1, bins); got != bins-1 {
			t.Fatalf("%d bins: 1 in bin %d", bins, got)
		}
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
		for name, v := range map[string]Value{
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
	if got := softplus(-800); got != 0 && got > 1e-300 {
		t.Errorf("softplus(-800) = %g", got)
	}
	near(t, "sigmoid(-40)", Value(sigmoid(-40)), math.Exp(-40), 1e-30) // 1 - sigmoid(40) would be 0
}

// TestKendall holds Knight's count to the definition over all pairs.
func TestKendall(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for n := 2; n < 60; n++ {
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = float64(rng.IntN(9)), float64(rng.IntN(5))
		}
		sign := func(v float64) float64 { return float64(map[bool]int{true: 1}[v > 0] - map[bool]int{true: 1}[v < 0]) }
		var balance, untiedX, untiedY float64
		for i := range x {
			for j := range i {
				balance += sign(x[i]-x[j]) * sign(y[i]-y[j])
				untiedX += math.Abs(sign(x[i] - x[j]))
				untiedY += math.Abs(sign(y[i] - y[j]))
			}
		}
		got, want := kendallTauB(orderOf(x), orderOf(y)), balance/math.Sqrt(untiedX*untiedY)
		if untiedX*untiedY == 0 {
			if got.Defined() {
				t.Errorf("n %d: %v of a constant", n, got)
			}
			continue
		}
		near(t, "tau", got, want, 1e-12)
	}
}

// TestOrder holds the radix sort to a comparing one, over every kind of float.
func TestOrder(t *testing.T) {
	x := []float64{0, math.Copysign(0, -1), 1, -1, 5e-324, -5e-324, 1e308, -1e308, math.Inf(1), math.Inf(-1), 3, 3}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 3000 {
		x = append(x, math.Round(rng.NormFloat64()*1000)/8)
	}
	o := orderOf(x)
	want := slices.Clone(x)
	slices.Sort(want)
	if !slices.Equal(o.ascending(), want) {
		t.Error("not sorted")
	}
	if o.rank[0] != o.rank[1] || o.dense[0] != o.dense[1] {
		t.Error("-0 and 0 do not tie")
	}
	for i, v := range x {
		below, upTo := 0, 0
		for _, w := range want {
			if w < v {
				below++
			}
			if w <= v {
				upTo++
			}
		}
		if average := float64(below+1+upTo) / 2; o.rank[i] != average {
			t.Fatalf("rank of %v is %v, want %v", v, o.rank[i], average)
		}
	}
}

// TestBinomial holds the bootstrap's draws to a binomial's mean and variance.
func TestBinomial(t *testing.T) {
	src := rand.NewPCG(9, 9)
	for _, c := range []struct{ n, p float64 }{{1, 0.5}, {20, 0.3}, {300, 0.733}, {1e6, 0.64}, {1e6, 1e-7}, {405, 0.999}, {5, 0}, {5, 1}} {
		const draws = 40000
		x := make([]float64, draws)
		for i := range x {
			x[i] = binomial(c.n, c.p, src)
		}
		mean, v := stat.MeanVariance(x, nil)
		wantMean, want := c.n*c.p, c.n*c.p*(1-c.p)
		if math.Abs(mean-wantMean) > 5*math.Sqrt(want/draws) || math.Abs(v-want) > 0.05*want+0.01*want/math.Max(want, 1e-3) {
			t.Errorf("n %g p %g: mean %g variance %g, want %g and %g", c.n, c.p, mean, v, wantMean, want)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	rows := randomRows(100_000, 1)
	b.ReportAllocs()
	for b.Loop() {
		evaluate(b, rows)
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "pairs/s")
}
