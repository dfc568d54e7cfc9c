package benchmarks

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
)

// goldenRow is a row of testdata/golden.json, as cmd/interop/benchmarks.py draws it.
type goldenRow struct {
	Subset     string
	ID         string
	NumCorrect int `json:"num_correct"`
	Rewards    []float64
	Right      []bool
	Label      string
	First      string
	Second     string
}

type goldenScores struct {
	Subsets, Sections map[string]float64
	Score             float64
}

// golden reads what the published code gives for a benchmark's rows.
func golden(t *testing.T, name string, expected any) (rows []goldenRow) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Rows     []goldenRow
		Expected json.RawMessage
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[name].Expected, expected); err != nil {
		t.Fatal(err)
	}
	return all[name].Rows
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-12) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// holds compares sections with what the published code gives.
func holds(t *testing.T, m measured, want goldenScores) {
	t.Helper()
	near(t, "score", float64(m.score.Score), want.Score)
	for _, group := range []struct {
		have []Section
		want map[string]float64
	}{{m.sections, want.Sections}, {append(m.subsets, m.sections...), want.Subsets}} {
		for name, score := range group.want {
			found := false
			for _, s := range group.have {
				if s.Name == name {
					found = true
					near(t, name, float64(s.Score), score)
					if s.Score <= 1 && !s.Interval.Contains(s.Score) {
						t.Errorf("%s: %v is not in %v", name, s.Score, s.Interval)
					}
				}
			}
			if !found {
				t.Errorf("no section %s", name)
			}
		}
	}
}

// prompted is a set of items with a prompt each.
func prompted(rows []goldenRow, of func(r goldenRow) Item) (items []Item, s Scores) {
	for i, r := range rows {
		it := of(r)
		it.Subset, it.ID = r.Subset, r.ID
		it.Prompt = data.Text{Plain: strings.Repeat("p", i+1)}
		items, s.Rewards = append(items, it), append(s.Rewards, r.Rewards)
	}
	return items, s
}

// TestPublishedRules: rewards and judgements with many ties are scored as the
// published code scores them (cmd/interop/benchmarks.py).
func TestPublishedRules(t *testing.T) {
	t.Run("rewardbench", func(t *testing.T) {
		var want goldenScores
		items, s := prompted(golden(t, "rewardbench", &want), func(goldenRow) Item { return Item{Pairs: [][2]int{{0, 1}}} })
		holds(t, measureRewardBench(items, s), want)
	})
	t.Run("rewardbench2", func(t *testing.T) {
		var want goldenScores
		items, s := prompted(golden(t, "rewardbench2", &want), func(r goldenRow) (it Item) {
			for i := range r.Rewards {
				it.Right = append(it.Right, i < r.NumCorrect)
			}
			if _, number, ties := strings.Cut(r.ID, ":"); ties {
				it.Group = number
			}
			return it
		})
		holds(t, measureRewardBench2(items, s), want)
	})
	t.Run("rm-bench", func(t *testing.T) {
		var want goldenScores
		items, s := prompted(golden(t, "rm-bench", &want), func(goldenRow) (it Item) {
			for i := range rmStyles {
				for j := range rmStyles {
					it.Pairs = append(it.Pairs, [2]int{i, rmStyles + j})
				}
			}
			return it
		})
		holds(t, measureRMBench(items, s), want)
	})
	t.Run("best_of_k", func(t *testing.T) {
		var want [][]float64
		for i, r := range golden(t, "best_of_k", &want) {
			for k, share := range BestOfK(r.Rewards, r.Right) {
				near(t, "best of k", share, want[i][k])
			}
		}
	})
}

// TestJudgeBenchRules: a model's rewards, and a judge's decisions in both orders.
func TestJudgeBenchRules(t *testing.T) {
	var want map[string]goldenScores
	rows := golden(t, "judgebench", &want)
	two := []data.Text{{Plain: "a"}, {Plain: "b"}}
	items, s := prompted(rows, func(r goldenRow) Item {
		if r.Label == "A>B" {
			return Item{Responses: two, Right: []bool{true, false}, Pairs: [][2]int{{0, 1}}}
		}
		return Item{Responses: two, Right: []bool{false, true}, Pairs: [][2]int{{1, 0}}}
	})
	holds(t, measureJudgeBench(items, s), want["model"])
	set := &Set{Benchmark: judgeBench(), Items: items}
	answers := NewAnswers(set)
	probability := map[string]float64{"A>B": 0.9, "B>A": 0.1, "A=B": 0.5, "": math.NaN()}
	for i, c := range set.Comparisons() {
		answers.Add(c.ID, probability[rows[i].First], 1-probability[rows[i].Second])
	}
	r := answers.Measure()
	holds(t, measured{score: r.Score, sections: r.Sections}, want["judge"])
	if r.Judge.Comparisons != len(rows) || r.Score.Consistency == nil || float64(*r.Score.Consistency) != float64(r.Judge.Consistent.Share) {
		t.Errorf("%+v, consistency %v", r.Judge, r.Score.Consistency)
	}
}
