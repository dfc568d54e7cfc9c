package triage

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/eval/stats"
)

func sourceOf(pairs []data.Pair) Source {
	return func() iter.Seq2[data.Pair, error] {
		return func(yield func(data.Pair, error) bool) {
			for _, p := range pairs {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}

func demoPairs(t *testing.T) (pairs []data.Pair) {
	t.Helper()
	for p, err := range data.ReadPairs([]string{filepath.Join("..", "data", "demo", "train.jsonl")}, data.ReadConfig{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// TestNoiseGolden holds the counts and the rate to cleanlab's, which scales its
// counts to whole rows.
func TestNoiseGolden(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name         string
			P            []float64
			Right, Wrong int
			Rate         float64
		}
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		cluster := make([]int32, len(c.P))
		for i := range cluster {
			cluster[i] = int32(i)
		}
		n := noiseOf(c.P, cluster, 1)
		if n.Right != c.Right || n.Wrong != c.Wrong || math.Abs(float64(n.Rate)-c.Rate) > 1/float64(len(c.P)) {
			t.Errorf("%s: %d right, %d wrong, rate %v; cleanlab %d, %d, %v", c.Name, n.Right, n.Wrong, n.Rate, c.Right, c.Wrong, c.Rate)
		}
		if n.Right+n.Wrong+n.Undecided != len(c.P) || !n.Interval.Contains(n.Rate) && n.Wrong > 0 {
			t.Errorf("%s: %+v", c.Name, n)
		}
	}
}

// TestNoiseByHand: the mean of 0.9, 0.8, 0.7, 0.1, 0.5 is 0.6: three are right,
// 1-0.1 is wrong, 0.5 is neither.
func TestNoiseByHand(t *testing.T) {
	n := noiseOf([]float64{0.9, 0.8, 0.7, 0.1, 0.5}, []int32{0, 1, 2, 3, 4}, 1)
	if n.Right != 3 || n.Wrong != 1 || n.Undecided != 1 || n.Rate != 0.25 || math.Abs(float64(n.Threshold)-0.6) > 1e-12 {
		t.Errorf("%+v", n)
	}
}

func TestPosteriorByHand(t *testing.T) {
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	const noise = 0.1
	truth := func(p float64) float64 { return (p - noise) / (1 - 2*noise) }
	q := truth(0.7)
	alone := posterior([]float64{logit(0.7)}, noise, nil)[0]
	if want := noise * (1 - q) / ((1-noise)*q + noise*(1-q)); math.Abs(alone-want) > 1e-12 {
		t.Errorf("alone %v, want %v", alone, want)
	}
	// Of two labels against one another the regression decides, and one is wrong.
	g := Group{Kind: Contradiction, pairs: []int32{0, 1}, turned: []bool{false, true}}
	both := posterior([]float64{logit(0.7), logit(0.3)}, noise, []Group{g})
	if math.Abs(both[0]+both[1]-1) > 1e-12 || math.Abs(both[0]-(1-q)) > 1e-12 {
		t.Errorf("contradiction %v, want %v and %v", both, 1-q, q)
	}
	// Two against one: each label of the two adds its log-odds.
	g = Group{Kind: Contradiction, pairs: []int32{0, 1, 2}, turned: []bool{false, false, true}}
	three := posterior([]float64{0, 0, 0}, noise, []Group{g})
	if math.Abs(three[0]-noise) > 1e-12 || three[1] != three[0] || math.Abs(three[2]-(1-noise)) > 1e-12 {
		t.Errorf("two against one: %v", three)
	}
	// On a circle at least one is wrong: 0.1 / (1 - 0.9³).
	wrong := []float64{0.1, 0.1, 0.1, 0.1}
	throughCycles(wrong, []Cycle{{[]int32{0, 1, 2}}})
	if want := 0.1 / (1 - 0.9*0.9*0.9); math.Abs(wrong[0]-want) > 1e-12 || wrong[3] != 0.1 {
		t.Errorf("circle %v, want %v", wrong, want)
	}
}

// TestPosteriorCalibrated draws truths and labels by the model: the mean of P is
// the noise, and of the labels with P in a bin that share is wrong.
func TestPosteriorCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	const n, noise = 40000, 0.15
	z, flipped := make([]float64, n), make([]bool, n)
	for i := range z {
		q := 0.02 + 0.96*random.Float64() // that the first is better
		p := (1-noise)*q + noise*(1-q)
		better := random.Float64() < q
		flipped[i] = random.Float64() < noise
		if z[i] = math.Log(p / (1 - p)); better == flipped[i] {
			z[i] = -z[i]
		}
	}
	wrong := posterior(z, noise, nil)
	b := stats.NewBinning(10)
	sum := 0.0
	for i, p := range wrong {
		b.Add(p, stats.Indicator(flipped[i]))
		sum += p / n
	}
	if e := float64(b.Error()); e > 0.01 || math.Abs(sum-noise) > 0.01 {
		t.Errorf("calibration error %v, mean %v", e, sum)
	}
}

// TestDemoFlips: of the demo's labels one in ten turned round is found with an
// AUROC of 0.85 or more, by the whole way, and the noise rate follows what was
// turned.
func TestDemoFlips(t *testing.T) {
	pairs := demoPairs(t)
	random := rand.New(rand.NewPCG(5, 5))
	flip := make([]bool, len(pairs))
	turned := slices.Clone(pairs)
	for i := range turned {
		if flip[i] = random.Float64() < 0.1; flip[i] {
			turned[i].Chosen, turned[i].Rejected = turned[i].Rejected, turned[i].Chosen
		}
	}
	cfg := Default()
	cfg.Scratch, cfg.Budget = t.TempDir(), 90
	r, err := Run(t.Context(), sourceOf(turned), nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	auroc := stats.AUROC(r.wrong, flip)
	t.Logf("AUROC %v, noise %v (%v), accuracy %v, l2 %v", auroc, r.Noise.Rate, r.Noise.Interval, r.Accuracy, r.Penalty)
	if auroc < 0.85 {
		t.Errorf("AUROC %v", auroc)
	}
	found := 0
	for _, i := range r.rejudge {
		found += int(stats.Indicator(flip[i]))
	}
	if found < 45 || r.Rejudge.Listed != 90 {
		t.Errorf("%d of the 90 listed were turned: %+v", found, r.Rejudge)
	}
	if entries, err := os.ReadDir(cfg.Scratch); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestDemoInjected(t *testing.T) {
	cfg := Default()
	cfg.Scratch = t.TempDir()
	r, err := Run(t.Context(), sourceOf(demoPairs(t)), nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range r.Injected {
		t.Logf("%+v", i)
		if k > 0 && (!(i.AUROC >= 0.85) || i.Noise <= r.Injected[k-1].Noise) || math.Abs(float64(i.Noise-i.Expected)) > 0.1 {
			t.Errorf("turned %v: %+v", i.Rate, i)
		}
	}
}

// TestFoldsByPrompt: a regression that has seen a prompt is not asked about it.
func TestFoldsByPrompt(t *testing.T) {
	s := sample{width: 3}
	for i := range 30 {
		s.rows = append(s.rows, stats.Sparse{At: []int32{int32(i % 3)}, X: []float64{1}})
		s.weight, s.cluster = append(s.weight, 1), append(s.cluster, int32(i%3))
	}
	f, err := s.outOfFold(t.Context(), 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range s.rows {
		if z := f.logit(row, s.cluster[i]); z != 0 { // the word is in its own prompt alone
			t.Fatalf("pair %d: %v", i, z)
		}
	}
}

func pairOf(prompt, chosen, rejected string) data.Pair {
	return data.Pair{Prompt: data.Text{Plain: prompt}, Chosen: data.Text{Plain: chosen}, Rejected: data.Text{Plain: rejected}, Confidence: 1, Unit: "line"}
}

const (
	long  = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
	other = "red orange yellow green blue indigo violet black white grey brown pink purple gold silver bronze copper amber ruby jade"
)

// TestAlike: each kind of group, by hand.
func TestAlike(t *testing.T) {
	pairs := []data.Pair{
		pairOf("Same prompt here?", "good answer to it", "bad answer to it"),
		pairOf("same PROMPT  here?", "Good answer to it", "bad answer to it"), // a duplicate
		pairOf("Opposite prompt here?", long, other),
		pairOf("Opposite prompt here!", other, long+" end"), // near, and the other way round
		pairOf("Near prompt there?", long+" a", other),
		pairOf("Near prompt there?", long+" b", other),
		pairOf("Circle of three here", "aa bb cc dd", "ee ff gg hh"),
		pairOf("Circle of three here", "ee ff gg hh", "ii jj kk ll"),
		pairOf("Circle of three here", "ii jj kk ll", "aa bb cc dd"),
		pairOf("Alone is this one", "mm nn oo", "pp qq rr"),
		pairOf("", "no prompt at all", "and no other"),
		pairOf("Both ways alike?", long+" x", long+" y"),
		pairOf("Both ways alike?", long+" z", long+" w"), // no telling which way
	}
	r := &Result{cfg: Default()}
	var err error
	if r.pairs, err = scan(t.Context(), sourceOf(pairs), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer r.pairs.shingles.close()
	if err := r.findAlike(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range r.groups {
		got = append(got, fmt.Sprint(g.Kind, g.pairs, g.turned))
	}
	want := []string{"duplicate[0 1] [false false]", "contradiction[2 3] [false true]", "near_duplicate[4 5] [false false]"}
	if !slices.Equal(got, want) {
		t.Errorf("groups %q", got)
	}
	if s := r.groups[1].Similarity; math.Abs(float64(s)-18.0/19) > 1e-12 {
		t.Errorf("similarity %v: 18 of 19 shingles are the same", s)
	}
	if len(r.cycles) != 1 || !slices.Equal(r.cycles[0].pairs, []int32{6, 7, 8}) {
		t.Errorf("cycles %v", r.cycles)
	}
	if r.cluster[0] != r.cluster[1] || r.cluster[2] != r.cluster[3] || r.cluster[0] == r.cluster[2] || r.Prompts != 7 {
		t.Errorf("prompts %v", r.cluster)
	}
	if id := r.pairs.id[3]; !strings.HasSuffix(id, "line:0#4") || r.MadeIDs != 0 { // Run counts them
		t.Errorf("id %q", id)
	}
}
