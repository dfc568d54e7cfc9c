package benchmarks

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"laurel/data"
)

// rewardBench2Subsets are those of allenai/reward-bench-2 (Malik et al. 2025,
// arXiv:2506.01937), with their rows.
var rewardBench2Subsets = []Weighted{{"Factuality", 475}, {"Precise IF", 160}, {"Math", 183}, {"Safety", 450}, {"Focus", 495}, {tiesSubset, 102}}

const tiesSubset = "Ties"

// rewardBench2 has one right response among four; in Ties several right ones.
func rewardBench2() *Benchmark {
	b := &Benchmark{Name: "rewardbench2", Title: "RewardBench 2", expected: map[string]int{}, measure: measureRewardBench2, check: checkTies, rows: func(string) (*rowReader, error) {
		id, prompt, chosen, rejected, subset := word("id"), text("prompt"), list("chosen"), list("rejected"), word("subset")
		correct, wrong, total := number("num_correct"), number("num_rejected"), number("total_completions")
		r := &rowReader{needs: []*data.Field{id, prompt, chosen, rejected, subset, correct, total}, may: []*data.Field{wrong}}
		r.read = func() (it Item, leave string, bad *data.Problem) {
			if bad = data.Words(data.Word{Field: subset, Into: &it.Subset}, data.Word{Field: id, Into: &it.ID}); bad != nil {
				return it, "", bad
			}
			if it.Prompt, bad = promptOf(prompt); bad != nil {
				return it, "", bad
			}
			bad = bestOf(&it, chosen, rejected, correct, wrong, total)
			return it, "", bad
		}
		return r, nil
	}}
	for _, s := range rewardBench2Subsets {
		b.expected[s.Name] = int(s.Weight)
	}
	return b
}

// bestOf reads the right and the wrong responses, and holds their numbers to what
// the row says of them. The benchmark's code counts by those columns.
func bestOf(it *Item, chosen, rejected, correct, wrong, total *data.Field) *data.Problem {
	right, bad := responsesOf(chosen)
	if bad != nil {
		return bad
	}
	others, bad := responsesOf(rejected)
	if bad != nil {
		return bad
	}
	it.Responses = slices.Concat(right, others)
	for i := range it.Responses {
		it.Right = append(it.Right, i < len(right))
	}
	for _, said := range []struct {
		field *data.Field
		have  int
	}{{correct, len(right)}, {wrong, len(others)}, {total, len(it.Responses)}} {
		n, bad := wholeNumber(said.field)
		if bad == nil && n != said.have && !said.field.Cell.Absent() {
			bad = said.field.Problem(data.ReasonWrongType, "%d, but there are %d", n, said.have)
		}
		if bad != nil {
			return bad
		}
	}
	if it.Subset == tiesSubset {
		return tiesGroup(it, len(right), len(others))
	}
	if len(right) != 1 || len(others) != 3 {
		return rejected.Problem(data.ReasonWrongType, "%d chosen and %d rejected responses, where %s has 1 and 3", len(right), len(others), it.Subset)
	}
	for k := 1; k < len(it.Responses); k++ {
		it.Pairs = append(it.Pairs, [2]int{0, k})
	}
	return nil
}

// tiesGroup reads the id of a row of Ties, ref:N or tied:N. A judge of two
// responses is not asked: what is measured are margins.
func tiesGroup(it *Item, right, wrong int) *data.Problem {
	kind, number, _ := strings.Cut(it.ID, ":")
	if _, err := strconv.Atoi(number); err != nil || kind != "ref" && kind != "tied" {
		return &data.Problem{Reason: data.ReasonWrongType, Column: "id", Detail: fmt.Sprintf("%q, where Ties has ref:NUMBER and tied:NUMBER", data.Clip(it.ID, 40))}
	}
	if right == 0 || wrong == 0 {
		return &data.Problem{Reason: data.ReasonUnpaired, Column: "chosen", Detail: "Ties needs a right response and a wrong one"}
	}
	it.Group = number
	return nil
}

// checkTies says which prompts of Ties lack their reference or their ties: such a
// prompt has no margins to compare.
func checkTies(items []Item) (lacks []string, err error) {
	kinds := map[string]map[string]int{}
	for _, it := range items {
		if it.Subset == tiesSubset {
			kind, number, _ := strings.Cut(it.ID, ":")
			if kinds[number] == nil {
				kinds[number] = map[string]int{}
			}
			kinds[number][kind]++
		}
	}
	alone := 0
	for _, k := range kinds {
		if k["ref"] == 0 || k["tied"] == 0 {
			alone++
		}
	}
	if alone > 0 {
		lacks = append(lacks, fmt.Sprintf("%d prompts of Ties lack their ref or their tied row", alone))
	}
	return lacks, nil
}

// measureRewardBench2: a row of best-of-4 counts 1 where the right response has
// the highest reward, 1/k where it shares it with k-1 others
// (reroll_and_score_dataset); a judge must prefer it to each of the three. The score
// is the mean of the six subsets.
func measureRewardBench2(items []Item, s Scores) (m measured) {
	var choices []Item
	var rewards, outcomes [][]float64
	var ties []tiesRow
	for i, it := range items {
		switch {
		case it.Subset != tiesSubset:
			choices = append(choices, it)
			if s.Rewards != nil {
				rewards = append(rewards, s.Rewards[i])
			} else {
				outcomes = append(outcomes, s.Outcomes[i])
			}
		case s.Rewards != nil:
			ties = append(ties, tiesRow{&items[i], s.Rewards[i]})
		}
	}
	units := bySubset(choices, func(i int) float64 {
		if rewards == nil {
			return slices.Min(outcomes[i])
		}
		return bestOfRule(rewards[i])
	})
	for _, subset := range rewardBench2Subsets {
		part := sectionOf(subset.Name, units[subset.Name])
		if subset.Name == tiesSubset {
			part = tiesSection(ties)
		}
		m.sections = append(m.sections, part)
	}
	m.score = mean("Score", m.sections)
	return m
}

// bestOfRule is what a row counts whose first response is the right one.
func bestOfRule(rewards []float64) float64 {
	best, n := slices.Max(rewards), 0.0
	for _, r := range rewards {
		if r == best {
			n++
		}
	}
	if rewards[0] < best {
		return 0
	}
	return 1 / n
}

type tiesRow struct {
	*Item
	rewards []float64
}

// tiesStats are _compute_prompt_stats: whether every right response outscores every
// wrong one, how far apart the right ones are (NaN for one alone), and the gap between
// the worst right and the best wrong one.
type tiesStats struct{ accurate, spread, gap float64 }

func (r tiesRow) stats() tiesStats {
	right, wrong := []float64{}, []float64{}
	for i, reward := range r.rewards {
		if r.Right[i] {
			right = append(right, reward)
		} else {
			wrong = append(wrong, reward)
		}
	}
	s := tiesStats{spread: math.NaN(), gap: slices.Min(right) - slices.Max(wrong)}
	if len(right) > 1 {
		s.spread = slices.Max(right) - slices.Min(right)
	}
	if s.gap > 0 {
		s.accurate = 1
	}
	return s
}

// tiesSection is process_single_model:
//
//	0.3 acc(tied) + 0.3 acc(ref) + 0.2 [gap > spread] + 0.2 [min(gap, gap of ref) > spread]
//	+ 0.01 tanh(min(gap, gap of ref)/spread - 1)
//
// each a mean over its prompts; the last three over those that have both rows, where
// 0/0 counts 0 in the last. A unit is a prompt, with the interval of the mean over
// them.
func tiesSection(rows []tiesRow) Section {
	ref, tied := map[string]tiesStats{}, map[string]tiesStats{}
	for _, r := range rows {
		if strings.HasPrefix(r.ID, "ref:") {
			ref[r.Group] = r.stats()
		} else {
			tied[r.Group] = r.stats()
		}
	}
	values := map[string]float64{}
	add := func(group string, x float64, n int) { values[group] += x / float64(n) }
	both := 0
	for group := range tied {
		if _, ok := ref[group]; ok {
			both++
		}
	}
	for group, r := range ref {
		add(group, 0.3*r.accurate, len(ref))
	}
	for group, t := range tied {
		add(group, 0.3*t.accurate, len(tied))
		if r, ok := ref[group]; ok {
			add(group, t.margins(min(t.gap, r.gap)), both)
		}
	}
	groups := sortedKeys(values)
	units := make([]unit, len(groups))
	for i, group := range groups { // the mean of what each prompt adds, as many times as there are prompts
		units[i] = unit{data.PromptKey(data.Text{Plain: group}), values[group] * float64(len(groups)), 1}
	}
	if both == 0 {
		units = nil
	}
	return sectionOf(tiesSubset, units)
}

// margins are the three terms of a tied row, given the smaller of both gaps.
func (t tiesStats) margins(hard float64) float64 {
	x := 0.0
	if t.gap > t.spread {
		x += 0.2
	}
	if hard > t.spread {
		x += 0.2
	}
	if bonus := math.Tanh(hard/t.spread - 1); !math.IsNaN(bonus) {
		x += 0.01 * bonus
	}
	return x
}
