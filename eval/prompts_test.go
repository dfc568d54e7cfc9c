package eval

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"laurel/eval/stats"
)

// TestDistinctPrompts: where no prompt repeats, all is as without prompts.
func TestDistinctPrompts(t *testing.T) {
	rows := randomRows(400, 12)
	distinct := slices.Clone(rows)
	for i := range distinct {
		distinct[i].Prompt = uint64(i + 1)
	}
	a, b := evaluate(t, rows), evaluate(t, distinct)
	if a.Bootstrap != b.Bootstrap {
		t.Errorf("bootstrap %+v, without prompts %+v", b.Bootstrap, a.Bootstrap)
	}
	if a.Prompts != 400 || b.Prompts != 400 || a.AccuracyInterval != b.AccuracyInterval || a.AccuracyInterval != a.Wilson95TiesHalf || b.StrictInterval != a.Wilson95Strict {
		t.Errorf("intervals %v and %v, Wilson's %v", a.AccuracyInterval, b.AccuracyInterval, a.Wilson95TiesHalf)
	}
	if !strings.Contains(a.Bootstrap.Method, "over pairs") || a.BootstrapPrompts != nil || b.BootstrapPrompts != nil {
		t.Errorf("method %q, over prompts %v and %v", a.Bootstrap.Method, a.BootstrapPrompts, b.BootstrapPrompts)
	}
}

// TestRepeatedPairs: pairs that are there k times say no more than once, for
// the whole and for each subset; taken as independent they seem to.
func TestRepeatedPairs(t *testing.T) {
	once := randomRows(300, 13)
	for i := range once {
		once[i].Prompt = uint64(i + 1)
	}
	a := evaluate(t, once)
	for _, k := range []int{2, 3, 7} {
		var repeated []Row
		for range k {
			repeated = append(repeated, once...)
		}
		b := evaluate(t, repeated)
		near(t, "low", b.BootstrapPrompts.Low, float64(a.Bootstrap.Low), 1e-12)
		near(t, "high", b.BootstrapPrompts.High, float64(a.Bootstrap.High), 1e-12)
		near(t, "standard error", b.BootstrapPrompts.StandardError, float64(a.Bootstrap.StandardError), 1e-12)
		if b.Bootstrap.Method != a.Bootstrap.Method || b.Bootstrap.StandardError >= a.Bootstrap.StandardError {
			t.Errorf("over pairs: %+v, once %+v", b.Bootstrap, a.Bootstrap)
		}
		if b.Prompts != 300 || !strings.Contains(b.BootstrapPrompts.Method, "over prompts") {
			t.Errorf("%d prompts, %q", b.Prompts, b.BootstrapPrompts.Method)
		}
		sameWidth(t, "all", a.Metrics, b.Metrics)
		for name := range a.PerSubset {
			sameWidth(t, name, *a.PerSubset[name], *b.PerSubset[name])
		}
	}
}

// sameWidth wants b's interval to be a's, up to the ties: the effective number
// is at most that of the pairs, which with ties is less than p(1-p) would give.
func sameWidth(t *testing.T, name string, a, b Metrics) {
	t.Helper()
	width := func(i stats.Interval) float64 { return float64(i[1] - i[0]) }
	if w, want := width(b.AccuracyInterval), width(a.AccuracyInterval); w > want*(1+1e-9) || w < 0.93*want {
		t.Errorf("%s: interval %v, once %v", name, b.AccuracyInterval, a.AccuracyInterval)
	}
	if !(width(b.Wilson95TiesHalf) < 0.8*width(a.Wilson95TiesHalf)) {
		t.Errorf("%s: Wilson's %v beside %v", name, b.Wilson95TiesHalf, a.Wilson95TiesHalf)
	}
}

// TestPromptsByHand: three prompts of 2, 2 and 1 pairs, of which 2, 0 and 1 are
// right: p = 3/5, the variance of the ratio of sums is
// Σ(y - p n)²/25 = (0.8² + 1.2² + 0.4²)/25, so that 5 pairs are worth 2.679.
func TestPromptsByHand(t *testing.T) {
	rows := pairsOf(3, 2)
	for i, prompt := range []uint64{1, 1, 3, 2, 2} {
		rows[i].Prompt = prompt
	}
	r := evaluate(t, rows)
	want := stats.Wilson95(0.6, 0.24/((0.64+1.44+0.16)/25))
	near(t, "low", r.AccuracyInterval[0], float64(want[0]), 1e-12)
	near(t, "high", r.AccuracyInterval[1], float64(want[1]), 1e-12)
	// in one of 27 resamples only the second prompt is drawn, in one only the first
	near(t, "bootstrap low", r.BootstrapPrompts.Low, 0, 0)
	near(t, "bootstrap high", r.BootstrapPrompts.High, 1, 0)
}

// TestPromptBootstrap holds the drawing of kinds to the drawing of prompts.
func TestPromptBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	rows := randomRows(600, 14)
	for i := range rows {
		rows[i].Prompt = uint64(1 + rng.IntN(80))
		rows[i].Chosen += float64(rows[i].Prompt%7) - 3 // what is easy is so for all pairs of a prompt
	}
	byOne := map[uint64][]float64{}
	for _, r := range rows {
		byOne[r.Prompt] = append(byOne[r.Prompt], ranking(r.Chosen-r.Rejected))
	}
	var drawn [][]float64
	for p := range uint64(81) {
		if byOne[p] != nil {
			drawn = append(drawn, byOne[p])
		}
	}
	accuracy := make([]float64, 20000)
	for i := range accuracy {
		right, n := 0.0, 0.0
		for range drawn {
			for _, x := range drawn[rng.IntN(len(drawn))] {
				right, n = right+x, n+1
			}
		}
		accuracy[i] = right / n
	}
	slices.Sort(accuracy)
	r := evaluate(t, rows)
	near(t, "low", r.BootstrapPrompts.Low, stats.Quantile(accuracy, 0.025), 0.004)
	near(t, "high", r.BootstrapPrompts.High, stats.Quantile(accuracy, 0.975), 0.004)
	near(t, "interval's low", r.AccuracyInterval[0], stats.Quantile(accuracy, 0.025), 0.012)
	near(t, "interval's high", r.AccuracyInterval[1], stats.Quantile(accuracy, 0.975), 0.012)
	if wide := float64(r.AccuracyInterval[1] - r.AccuracyInterval[0]); wide < 1.5*float64(r.Wilson95TiesHalf[1]-r.Wilson95TiesHalf[0]) {
		t.Errorf("interval %v is hardly wider than Wilson's %v", r.AccuracyInterval, r.Wilson95TiesHalf)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), fmt.Sprintf("ties one half; over %d prompts", len(drawn))) {
		t.Errorf("printed %v:\n%s", err, b.String())
	}
}
