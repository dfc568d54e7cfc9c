package bestofn

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw/drawtest"
)

// bySubsets is Expected by its definition: every subset, ties each in turn.
func bySubsets(proxy, value []float64, n int) float64 {
	sum, subsets := 0.0, 0.0
	for set := range 1 << len(proxy) {
		var members []int
		for i := range proxy {
			if set>>i&1 == 1 {
				members = append(members, i)
			}
		}
		if len(members) != n {
			continue
		}
		best, of, tied := math.Inf(-1), 0.0, 0.0
		for _, i := range members {
			switch {
			case proxy[i] > best:
				best, of, tied = proxy[i], value[i], 1
			case proxy[i] == best:
				of, tied = of+value[i], tied+1
			}
		}
		sum, subsets = sum+of/tied, subsets+1
	}
	return sum / subsets
}

// TestExpectedIsTheMeanOverSubsets: with and without ties, for every n.
func TestExpectedIsTheMeanOverSubsets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		size := 1 + random.IntN(9)
		levels := 1 + random.IntN(12) // few: many ties
		proxy, value := make([]float64, size), make([]float64, size)
		for i := range proxy {
			proxy[i], value[i] = float64(random.IntN(levels)), random.NormFloat64()
		}
		for n := 1; n <= size; n++ {
			if got, want := Expected(proxy, value, n), bySubsets(proxy, value, n); math.Abs(got-want) > 1e-12 {
				t.Fatalf("proxy %v, value %v, n %d: %v, want %v", proxy, value, n, got, want)
			}
		}
	}
}

// TestExpectedByHand: of candidates 1, 2, 3, 4 the best of two is worth
// (1·2 + 2·3 + 3·4)/6, of a thousand equal ones their mean.
func TestExpectedByHand(t *testing.T) {
	x := []float64{3, 1, 4, 2}
	if got := Expected(x, x, 2); math.Abs(got-20.0/6) > 1e-15 {
		t.Errorf("best of 2: %v, want %v", got, 20.0/6)
	}
	if got := Expected(x, x, 4); got != 4 {
		t.Errorf("best of 4: %v", got)
	}
	same, value := make([]float64, 1000), make([]float64, 1000)
	for i := range value {
		value[i] = float64(i)
	}
	for _, n := range []int{1, 128, 1000} {
		if got := Expected(same, value, n); math.Abs(got-499.5) > 1e-9 {
			t.Errorf("best of %d equal ones: %v", n, got)
		}
	}
}

func TestKL(t *testing.T) {
	if KL(1) != 0 || math.Abs(KL(4)-(math.Log(4)-0.75)) > 1e-15 {
		t.Errorf("%v, %v", KL(1), KL(4))
	}
	if got := fmt.Sprint(sizes(12), sizes(8), sizes(1)); got != "[1 2 4 8 12] [1 2 4 8] [1]" {
		t.Error(got)
	}
}

// candidates are 40 prompts of 16: the gold rises with the proxy up to the
// tenth, and falls beyond it.
func candidates(gold func(rank int) float64) (prompts []Prompt) {
	for p := range 40 {
		one := Prompt{Proxies: [][]float64{nil}}
		for i := range 16 {
			rank := (i*7 + p) % 16
			one.Gold = append(one.Gold, gold(rank)+float64(p%3))
			one.Proxies[0] = append(one.Proxies[0], float64(rank))
		}
		prompts = append(prompts, one)
	}
	return prompts
}

// TestTurningPoint: a gold that falls beyond a rank turns before the last n, one
// that is the proxy does not, and one that has nothing to do with it has no gain.
func TestTurningPoint(t *testing.T) {
	ns := sizes(16)
	for name, c := range map[string]struct {
		gold    func(rank int) float64
		verdict string
		peak    int
	}{
		"falls":    {func(rank int) float64 { return -math.Abs(float64(rank) - 10) }, Turns, 2},
		"rises":    {func(rank int) float64 { return float64(rank) }, StillRise, 16},
		"constant": {func(int) float64 { return 0 }, Unsure, 1},
	} {
		prompts := candidates(c.gold)
		curve := scorers([]string{"one"}, prompts, 1)[0].curve(prompts, ns, Config{Seed: 1, Resamples: 200})
		if curve.Peak.Verdict != c.verdict || curve.Peak.N != c.peak {
			t.Errorf("%s: peak %+v of %+v", name, curve.Peak, curve.Points)
		}
		for k := 1; k < len(ns); k++ {
			if curve.Points[k].Proxy < curve.Points[k-1].Proxy {
				t.Errorf("%s: the proxy's own score falls: %+v", name, curve.Points)
			}
		}
	}
}

// TestEnsemblesByHand: of standardised members, the mean, the least, and the mean
// less k standard deviations.
func TestEnsemblesByHand(t *testing.T) {
	prompts := []Prompt{{Gold: []float64{0, 0}, Proxies: [][]float64{{0, 2}, {30, 10}}}}
	all := scorers([]string{"a", "b"}, prompts, 2)
	z := 1 / math.Sqrt2 // of two values, one above the mean and one below, with n-1
	want := map[string][2]float64{"a": {-z, z}, "b": {z, -z}, "ensemble: mean": {0, 0}, "ensemble: worst": {-z, -z}, "ensemble: lower": {-2, -2}}
	if len(all) != len(want) {
		t.Errorf("%d scorers", len(all))
	}
	for _, s := range all {
		for i, x := range s.scores[0] {
			if w, there := want[s.name]; !there || math.Abs(x-w[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", s.name, s.scores[0], w)
			}
		}
	}
}

// write writes candidates as JSON lines.
func write(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, name string) *Scores {
	t.Helper()
	s, err := Read(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMeasureCounts: what has no score is left out, and prompts with fewer
// candidates; what is left is written.
func TestMeasureCounts(t *testing.T) {
	var lines []string
	for p := range 12 {
		for i := range 4 {
			lines = append(lines, fmt.Sprintf(`{"prompt":"<p> %d","response":"r%d","reward":%d,"gold":%d}`, p, i, i*i, i-p))
		}
	}
	lines = append(lines, `{"prompt":"few","response":"r","reward":1,"gold":1}`, `{"prompt":"p","response":"r","reward":null,"gold":1}`, `{"prompt":"","response":"r","reward":1,"gold":1}`)
	path := write(t, "c.jsonl", lines...)
	r, err := Measure(read(t, path+":gold"), []*Scores{read(t, path), read(t, path+":gold"), read(t, path), read(t, path)}, Default())
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != 51 || r.Candidates != 48 || r.Prompts != 12 || r.TooFew != 1 || r.LeftOut[noScore] != 1 || len(r.Curves) != 7 {
		t.Errorf("%+v", r)
	}
	// the gold is i - p: best of 4 is worth 3 - p, a single one 1.5 - p
	if p := r.Curves[0].Points; len(p) != 3 || math.Abs(float64(p[2].Gain)-1.5) > 1e-12 || math.Abs(float64(p[0].Gold)-(1.5-5.5)) > 1e-12 {
		t.Errorf("%+v", p)
	}
	page := filepath.Join(t.TempDir(), "bestofn.html")
	if err := r.WriteHTML(page); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	drawtest.Page(t, "page", string(content))
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	drawtest.Fits(t, string(content))
}

// TestOtherRowsAreRefused: scores belong to the same texts in the same order.
func TestOtherRowsAreRefused(t *testing.T) {
	a := read(t, write(t, "a.jsonl", `{"prompt":"p","response":"r","reward":1}`, `{"prompt":"p","response":"s","reward":2}`))
	b := read(t, write(t, "b.jsonl", `{"prompt":"p","response":"s","reward":1}`, `{"prompt":"p","response":"r","reward":2}`))
	c := read(t, write(t, "c.jsonl", `{"prompt":"p","response":"r","reward":1}`))
	for want, other := range map[string]*Scores{"different texts in row 0": b, "2 rows and": c} {
		if _, err := Measure(other, []*Scores{a}, Default()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Measure(a, []*Scores{a}, Default()); err == nil || !strings.Contains(err.Error(), "two prompts") {
		t.Error(err)
	}
}
