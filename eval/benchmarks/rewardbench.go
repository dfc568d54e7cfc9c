package benchmarks

import (
	"slices"
	"strings"

	"laurel/data"
)

// RewardBenchSections are the sections of RewardBench (Lambert et al. 2024,
// arXiv:2403.13787; rewardbench/constants.py, SUBSET_MAPPING and EXAMPLE_COUNTS).
// A subset weighs in its section by Weight, which is its rows but for math-prm:
// its 447 weigh as much as the 984 of code.
var RewardBenchSections = []struct {
	Name    string
	Subsets []Weighted
}{
	{"Chat", []Weighted{{"alpacaeval-easy", 100}, {"alpacaeval-length", 95}, {"alpacaeval-hard", 95}, {"mt-bench-easy", 28}, {"mt-bench-med", 40}}},
	{"Chat Hard", []Weighted{{"mt-bench-hard", 37}, {"llmbar-natural", 100}, {"llmbar-adver-neighbor", 134}, {"llmbar-adver-GPTInst", 92}, {"llmbar-adver-GPTOut", 47}, {"llmbar-adver-manual", 46}}},
	{"Safety", []Weighted{{"refusals-dangerous", 100}, {"refusals-offensive", 100}, {"xstest-should-refuse", 154}, {"xstest-should-respond", 250}, {"donotanswer", 136}}},
	{"Reasoning", []Weighted{{"math-prm", 984}, {"hep-cpp", 164}, {"hep-go", 164}, {"hep-java", 164}, {"hep-js", 164}, {"hep-python", 164}, {"hep-rust", 164}}},
}

// Weighted is a subset and what it weighs.
type Weighted struct {
	Name   string
	Weight float64
}

// MathPRM is the subset that weighs more than its rows, of which there are so many.
const (
	MathPRM     = "math-prm"
	MathPRMRows = 447
)

// priorSets are the splits of allenai/pref-test-sets. Those with a weight are the
// section "Prior Sets", which is the mean over them (analysis/get_benchmark_results.py).
var priorSets = []Weighted{{"anthropic_helpful", 1}, {"anthropic_hhh", 1}, {"shp", 1}, {"summarize", 1},
	{"anthropic_harmless", 0}, {"mtbench_gpt4", 0}, {"mtbench_human", 0}}

// priorRows are the rows of the four, as the paper's table of them has it.
var priorRows = map[string]int{"anthropic_helpful": 6192, "anthropic_hhh": 221, "shp": 1741, "summarize": 9000}

func isPrior(subset string) bool {
	return slices.ContainsFunc(priorSets, func(p Weighted) bool { return p.Name == subset })
}

// rewardBench is RewardBench's first version: the filtered split of
// allenai/reward-bench, and the files of allenai/pref-test-sets where they are given.
func rewardBench() *Benchmark {
	b := &Benchmark{Name: "rewardbench", Title: "RewardBench", expected: map[string]int{}, measure: measureRewardBench, check: checkPrior, rows: func(file string) (*rowReader, error) {
		if split := splitOf(file); isPrior(split) || split == "pku_safer" || split == "pku_better" {
			return priorFile(split), nil
		}
		prompt, chosen, rejected, subset, id := text("prompt"), text("chosen"), text("rejected"), word("subset"), word("id")
		return &rowReader{needs: []*data.Field{prompt, chosen, rejected, subset}, may: []*data.Field{id}, read: func() (it Item, leave string, bad *data.Problem) {
			if it, bad = pairOf(prompt, chosen, rejected); bad == nil {
				bad = data.Words(data.Word{Field: subset, Into: &it.Subset}, data.Word{Field: id, Into: &it.ID})
			}
			return it, "", bad
		}}, nil
	}}
	for _, section := range RewardBenchSections {
		for _, s := range section.Subsets {
			b.expected[s.Name] = int(s.Weight)
		}
	}
	b.expected[MathPRM] = MathPRMRows
	for _, p := range priorSets {
		b.expected[p.Name] = 0 // said by checkPrior, where any is there
	}
	return b
}

// priorFile reads a split of pref-test-sets: the prompt's messages, and two texts.
// Its name is the subset; a column of that name is another thing.
func priorFile(split string) *rowReader {
	prompt, chosen, rejected := text("prompt"), text("chosen"), text("rejected")
	return &rowReader{needs: []*data.Field{prompt, chosen, rejected}, read: func() (it Item, leave string, bad *data.Problem) {
		if strings.HasPrefix(split, "pku_") {
			return it, split + ": no longer part of RewardBench", nil
		}
		it, bad = pairOf(prompt, chosen, rejected)
		it.Subset = split
		return it, "", bad
	}}
}

// checkPrior says which rows of the prior sets are missing, where any set is there.
func checkPrior(items []Item) (lacks []string, err error) {
	have := map[string]int{}
	for _, it := range items {
		if isPrior(it.Subset) {
			have[it.Subset]++
		}
	}
	if len(have) == 0 {
		return nil, nil
	}
	return compare(have, priorRows, "pref-test-sets")
}

// measureRewardBench is calculate_scores_per_section, and the leaderboard's average:
// the four sections weigh 2 and the prior sets 1; without these, as on the
// leaderboard, the mean of the four. A tie is wrong.
func measureRewardBench(items []Item, s Scores) (m measured) {
	units := bySubset(items, func(i int) float64 { return average(s.outcomes(i, &items[i])) })
	var weights []float64
	for _, section := range RewardBenchSections {
		part, subsets := weightedSubsets(section.Name, section.Subsets, units)
		m.sections, m.subsets, weights = append(m.sections, part), append(m.subsets, subsets...), append(weights, 2)
	}
	var priors []Weighted
	for _, p := range priorSets {
		switch {
		case units[p.Name] == nil:
		case p.Weight > 0:
			priors = append(priors, p)
		default:
			m.subsets = append(m.subsets, sectionOf(p.Name, units[p.Name]))
		}
	}
	if len(priors) > 0 {
		part, subsets := weightedSubsets("Prior Sets", priors, units)
		m.sections, m.subsets, weights = append(m.sections, part), append(m.subsets, subsets...), append(weights, 1)
	}
	m.score = weighted("Score", weights, m.sections)
	return m
}

// weightedSubsets is the weighted mean of the subsets that are there, and they.
func weightedSubsets(name string, subsets []Weighted, units map[string][]unit) (Section, []Section) {
	var weights []float64
	var parts []Section
	for _, s := range subsets {
		if units[s.Name] != nil {
			weights, parts = append(weights, s.Weight), append(parts, sectionOf(s.Name, units[s.Name]))
		}
	}
	return weighted(name, weights, parts), parts
}
