package eval

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestRefuses(t *testing.T) {
	good := Row{Chosen: 1, Confidence: 1}
	for want, bad := range map[string]Row{
		`row 1 (id "q7"): reward_chosen is NaN`:             {ID: "q7", Chosen: math.NaN(), Confidence: 1},
		`row 1 (id ""): reward_rejected is -Inf`:            {Rejected: math.Inf(-1), Confidence: 1},
		"confidence is 1.5":                                 {Confidence: 1.5},
		"confidence is -0.1":                                {Confidence: -0.1},
		"confidence is NaN: give a probability from 0 to 1": {Confidence: math.NaN()},
		"reward_chosen is 1e+39":                            {Chosen: 1e39, Confidence: 1},
		"lengths are -3 and 0":                              {Confidence: 1, LenChosen: -3},
	} {
		r, err := Evaluate([]Row{good, bad}, Config{})
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := Evaluate(nil, Config{}); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("no rows: %v", err)
	}
	for want, cfg := range map[string]Config{"bootstrap is -1": {Bootstrap: -1}, "bins is -2": {Bins: -2}, "bins is 20000": {Bins: 20000}} {
		if _, err := Evaluate([]Row{good}, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// pairsOf makes right pairs with a margin of 1, then wrong ones, of equal and
// known length.
func pairsOf(right, wrong int) []Row {
	rows := make([]Row, right+wrong)
	for i := range rows {
		rows[i] = Row{Chosen: 1, Confidence: 1, LenChosen: 10, LenRejected: 10}
		if i >= right {
			rows[i].Chosen = -1
		}
	}
	return rows
}

// TestWarnings makes each finding alone true, and sees none in a sound set.
func TestWarnings(t *testing.T) {
	each := func(rows []Row, change func(i int, r *Row)) []Row {
		for i := range rows {
			change(i, &rows[i])
		}
		return rows
	}
	for _, c := range []struct {
		name string
		rows []Row
		want []string // one part of each warning, in order; no others
	}{
		{"sound", pairsOf(292, 108), nil},
		{"few", pairsOf(73, 26), []string{"only 99 pairs"}},
		{"chance", pairsOf(205, 195), []string{"contains 0.5", "ece_symmetric"}},
		{"ties", each(pairsOf(292, 108), func(i int, r *Row) {
			if i%10 == 0 {
				r.Chosen = 0
			}
		}), []string{"ties: 40 of 400 pairs"}},
		{"longer as good", each(pairsOf(292, 108), func(i int, r *Row) {
			if i%4 != 0 { // right and wrong alike
				r.LenChosen = 20
			} else {
				r.LenChosen = 5
			}
		}), []string{"accuracy 0.730 does not beat the ruler always-longer (0.750: "}},
		{"shorter better", each(pairsOf(292, 108), func(i int, r *Row) {
			if i%10 != 0 {
				r.LenChosen = 5
			} else {
				r.LenChosen = 15
			}
		}), []string{"accuracy 0.730 does not beat the ruler always-shorter (0.900: "}},
		{"follows length", each(pairsOf(292, 108), func(i int, r *Row) {
			r.LenChosen = 10 + int(r.Chosen)*(1+i%5)
			if i%3 == 0 {
				r.LenChosen = 10 - (i%7 - 3)
			}
		}), []string{"the model may reward longer responses"}},
		{"saturated", each(pairsOf(400, 0), func(i int, r *Row) { r.Chosen = 9 }), []string{"predicted confidence is saturated: above 0.99 for 100%"}},
		{"saturated labels", each(pairsOf(292, 108), func(i int, r *Row) {
			if r.Confidence = 0.95; i%10 == 0 {
				r.Confidence = 0.6
			}
		}), []string{"label confidence is saturated: above 0.9 for 90%"}},
		{"no weight", each(pairsOf(292, 108), func(i int, r *Row) { r.Confidence = 0 }), []string{"every confidence is 0"}},
		{"dominant", each(pairsOf(292, 108), func(i int, r *Row) {
			if r.Subset = "chat"; i%8 == 0 {
				r.Subset = "code"
			}
		}), []string{`subset "chat" holds 88% of the pairs`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := evaluate(t, c.rows).Warnings
			if len(got) != len(c.want) {
				t.Fatalf("got %d warnings, want %d:\n%s", len(got), len(c.want), strings.Join(got, "\n"))
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("warning %q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestManySubsets: a subset a row is bounded, said, and still averaged.
func TestManySubsets(t *testing.T) {
	rows := pairsOf(1500, 500)
	for i := range rows {
		rows[i].Subset = fmt.Sprint("s", i)
	}
	r := evaluate(t, rows)
	if len(r.PerSubset) != maxDetailedSubsets {
		t.Errorf("%d subsets in detail", len(r.PerSubset))
	}
	near(t, "macro", r.MacroAccuracy, 0.75, 1e-12)
	if all := strings.Join(r.Warnings, "\n"); !strings.Contains(all, "2000 subsets: only the 1000 largest") {
		t.Errorf("warnings: %s", all)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "and 970 smaller subsets in report.json") {
		t.Errorf("printed %v:\n%s", err, b.String())
	}
}

// TestSeed: the same seed gives the same interval, another one nearly so.
func TestSeed(t *testing.T) {
	rows := randomRows(300, 8)
	a, _ := Evaluate(rows, Config{Seed: 1})
	b, _ := Evaluate(rows, Config{Seed: 1})
	c, _ := Evaluate(rows, Config{Seed: 2})
	if a.Bootstrap != b.Bootstrap || a.Bootstrap == c.Bootstrap {
		t.Errorf("bootstraps %v, %v and %v", a.Bootstrap, b.Bootstrap, c.Bootstrap)
	}
	near(t, "low", c.Bootstrap.Low, float64(a.Bootstrap.Low), 0.005)
}
