package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// TestBinEdges: a probability on an edge belongs to the bin above, 1 to the
// last.
func TestBinEdges(t *testing.T) {
	for bins := 1; bins <= 100; bins++ {
		for k := range bins {
			edge := float64(k) / float64(bins)
			if got := BinOf(edge, bins); got != k {
				t.Fatalf("%d bins: %v in bin %d, want %d", bins, edge, got, k)
			}
			if below := math.Nextafter(edge, 0); k > 0 && BinOf(below, bins) != k-1 {
				t.Fatalf("%d bins: %v in bin %d, want %d", bins, below, BinOf(below, bins), k-1)
			}
		}
		if got := BinOf(1, bins); got != bins-1 {
			t.Fatalf("%d bins: 1 in bin %d", bins, got)
		}
	}
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
		got, want := KendallTauB(OrderOf(x), OrderOf(y)), balance/math.Sqrt(untiedX*untiedY)
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
	o := OrderOf(x)
	want := slices.Clone(x)
	slices.Sort(want)
	if !slices.Equal(o.Ascending(), want) {
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

func TestIntervals(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Intervals []struct {
			K              int        `json:"k"`
			N              int        `json:"n"`
			Wilson         [2]float64 `json:"wilson"`
			ClopperPearson [2]float64 `json:"clopper_pearson"`
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, i := range file.Intervals {
		wilson, exact := Wilson95(float64(i.K)/float64(i.N), float64(i.N)), ClopperPearson95(i.K, i.N)
		for side := range 2 {
			if math.Abs(float64(wilson[side])-i.Wilson[side]) > 1e-12 {
				t.Errorf("wilson95(%d of %d) = %v, want %v", i.K, i.N, wilson, i.Wilson)
			}
			if math.Abs(float64(exact[side])-i.ClopperPearson[side]) > 1e-9 {
				t.Errorf("clopperPearson95(%d of %d) = %v, want %v", i.K, i.N, exact, i.ClopperPearson)
			}
		}
	}
}

func near(t *testing.T, name string, got Value, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Errorf("%s = %v, want %v", name, float64(got), want)
	}
}

// TestAUROCByHand: of the pairs of a positive and another, those in which the
// positive has the higher score, ties one half.
func TestAUROCByHand(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		score    []float64
		positive []bool
		want     float64
	}{
		{[]float64{1, 2, 3, 4}, []bool{no, no, yes, yes}, 1},
		{[]float64{1, 2, 3, 4}, []bool{yes, yes, no, no}, 0},
		{[]float64{1, 2, 3, 4}, []bool{no, yes, no, yes}, 0.75},
		{[]float64{5, 5, 5}, []bool{yes, no, no}, 0.5},
		{[]float64{1, 1, 2}, []bool{no, yes, no}, 0.25},
	} {
		if got := AUROC(c.score, c.positive); float64(got) != c.want {
			t.Errorf("%v %v: %v, want %v", c.score, c.positive, got, c.want)
		}
	}
	if AUROC([]float64{1, 2}, []bool{yes, yes}).Defined() || AUROC(nil, nil).Defined() {
		t.Error("one kind alone has an AUROC")
	}
}
