package learning

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw/drawtest"
	"laurel/eval/stats"
)

// TestLawGolden holds the fit to scipy's bounded least squares
// (testdata/make_golden.py).
func TestLawGolden(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		N, Accuracy   []float64
		Square, Ahead float64
	}
	if err := json.Unmarshal(raw, &cases); err != nil || len(cases) != 4 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for i, c := range cases {
		l, square := fitLaw(c.N, c.Accuracy)
		if math.Abs(square-c.Square) > 1e-9 {
			t.Errorf("case %d: the sum of squares is %g, scipy's %g", i, square, c.Square)
		}
		if got := l.at(2 * c.N[len(c.N)-1]); math.Abs(got-c.Ahead) > 2e-4 {
			t.Errorf("case %d: foretells %v, scipy %v", i, got, c.Ahead)
		}
	}
}

// TestLawByHand: a law is found again, and what falls or is flat is a constant.
func TestLawByHand(t *testing.T) {
	n := []float64{100, 200, 400, 800, 1600}
	var y []float64
	for _, x := range n {
		y = append(y, 0.85-2*math.Pow(x, -0.5))
	}
	if l, _ := fitLaw(n, y); math.Abs(l.a-0.85) > 1e-5 || math.Abs(l.b-2) > 1e-3 || math.Abs(l.c-0.5) > 1e-4 {
		t.Errorf("%+v", l)
	}
	if l, _ := fitLaw(n, []float64{0.7, 0.69, 0.68, 0.67, 0.66}); l.b != 0 || math.Abs(l.a-0.68) > 1e-12 {
		t.Errorf("falling: %+v", l)
	}
}

// simulated are runs whose test pairs are ranked right by a law.
func simulated(sizes []int, seeds int) (runs []Run) {
	src := rand.New(rand.NewPCG(8, 8))
	for _, n := range sizes {
		for s := range seeds {
			r := Run{Size: n, Pairs: n, Prompts: n, Seed: uint64(s), Loss: 0.6, BagOfWords: 0.6}
			for range 300 {
				r.Right, r.Of = append(r.Right, stats.Indicator(src.Float64() < 0.85-2*math.Pow(float64(n), -0.5))), append(r.Of, 1)
			}
			runs = append(runs, r)
		}
	}
	return runs
}

func TestReport(t *testing.T) {
	r, err := New(simulated([]int{100, 200, 400, 800, 1600}, 3), 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.TestPairs != 300 || len(r.Points) != 5 || r.Fit == nil || len(r.Warnings) > 1 {
		t.Fatalf("%+v", r)
	}
	for _, p := range r.Points {
		if !p.Interval.Contains(p.Accuracy) || len(p.EachSeed) != 3 {
			t.Errorf("%+v", p)
		}
	}
	if truth := stats.Value(0.85 - 2*math.Pow(3200, -0.5)); !r.Fit.Ahead[0].Interval.Contains(truth) {
		t.Errorf("at 3200 pairs %+v, want %v in it", r.Fit.Ahead[0], truth)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := r.WriteHTML(path); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drawtest.Page(t, "learning curve", string(page))
	var b strings.Builder
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "foretold accuracy") {
		t.Errorf("%v: %s", err, &b)
	}
}

func TestIncomplete(t *testing.T) {
	runs := simulated([]int{100, 200}, 2)
	if _, err := New(runs[:3], 1); err == nil || !strings.Contains(err.Error(), "the run of 200 pairs, seed 1, is missing") {
		t.Error(err)
	}
	r, err := New(runs[:1], 1)
	if err != nil || r.Fit != nil || len(r.Warnings) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	runs[1].Of = runs[1].Of[:200]
	if _, err := New(runs, 1); err == nil || !strings.Contains(err.Error(), "other test pairs") {
		t.Error(err)
	}
	if _, err := New(nil, 1); err == nil {
		t.Error("no runs make a report")
	}
}
