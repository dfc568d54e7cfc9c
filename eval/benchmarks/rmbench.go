package benchmarks

import (
	"math"
	"strings"

	"laurel/data"
	"laurel/eval/stats"
)

// rmBenchDomains are those of THU-KEG/RM-Bench (Liu et al. 2025, arXiv:2410.16184)
// with the rows of the subsets that make them up.
var rmBenchDomains = []struct {
	name string
	rows map[string]int
}{
	{"chat", map[string]int{"chat": 129}},
	{"math", map[string]int{"math": 529}},
	{"code", map[string]int{"code": 228}},
	{"safety", map[string]int{"safety-refuse": 284, "safety-response": 157}},
}

// rmStyles are the responses on each side, in the file's order: concise, detailed,
// detailed with markdown.
const rmStyles = 3

// rmBench compares three right responses with three wrong ones. The rows of one
// domain's file, which has no domain column, take it from the file's name.
func rmBench() *Benchmark {
	b := &Benchmark{Name: "rm-bench", Title: "RM-Bench", expected: map[string]int{}, measure: measureRMBench, rows: func(file string) (*rowReader, error) {
		id, prompt, chosen, rejected, domain := word("id"), text("prompt"), list("chosen"), list("rejected"), optional(word("domain"))
		r := &rowReader{needs: []*data.Field{id, prompt, chosen, rejected}, may: []*data.Field{domain}}
		r.read = func() (it Item, leave string, bad *data.Problem) {
			it.Subset = strings.TrimSuffix(splitOf(file), "_filtered")
			if bad = data.Words(data.Word{Field: domain, Into: &it.Subset}, data.Word{Field: id, Into: &it.ID}); bad != nil {
				return it, "", bad
			}
			if it.Prompt, bad = promptOf(prompt); bad == nil {
				bad = styles(&it, chosen, rejected)
			}
			return it, "", bad
		}
		return r, nil
	}}
	for _, domain := range rmBenchDomains {
		for subset, n := range domain.rows {
			b.expected[subset] = n
		}
	}
	return b
}

// styles reads the three responses of both sides; Pairs are the matrix by rows,
// the right response's style first.
func styles(it *Item, chosen, rejected *data.Field) *data.Problem {
	for side, f := range []*data.Field{chosen, rejected} {
		responses, bad := responsesOf(f)
		if bad != nil {
			return bad
		}
		if len(responses) != rmStyles {
			return f.Problem(data.ReasonWrongType, "%d responses, where RM-Bench has %d", len(responses), rmStyles)
		}
		for _, r := range responses {
			it.Responses, it.Right = append(it.Responses, r), append(it.Right, side == 0)
		}
	}
	for i := range rmStyles {
		for j := range rmStyles {
			it.Pairs = append(it.Pairs, [2]int{i, rmStyles + j})
		}
	}
	return nil
}

// rmLevels says of each place of the matrix which level it is of: easy where the
// right response has the fancier style, hard where the wrong one has it.
var rmLevels = []struct {
	name string
	of   func(i, j int) bool
}{
	{"easy", func(i, j int) bool { return i > j }},
	{"normal", func(i, j int) bool { return i == j }},
	{"hard", func(i, j int) bool { return i < j }},
}

// measureRMBench is scripts/utils.py's compute_accuracy: a comparison counts where
// the right response's reward is higher; a domain is the mean of its three levels, a
// level and the score the mean over the four domains.
func measureRMBench(items []Item, s Scores) (m measured) {
	outcomes := make([][]float64, len(items))
	for i := range items {
		outcomes[i] = s.outcomes(i, &items[i])
	}
	m.matrix = map[string][][]stats.Value{}
	byLevel := make([][]Section, len(rmLevels))
	for _, domain := range rmBenchDomains {
		var levels []Section
		for k, level := range rmLevels {
			part := sectionOf(domain.name+" "+level.name, levelUnits(items, outcomes, domain.rows, level.of))
			levels, byLevel[k] = append(levels, part), append(byLevel[k], part)
		}
		m.subsets = append(m.subsets, levels...)
		m.sections = append(m.sections, mean(domain.name, levels))
		m.matrix[domain.name] = rmMatrix(items, outcomes, domain.rows)
	}
	m.score = mean("Score", m.sections)
	for k, level := range rmLevels {
		m.sections = append(m.sections, mean(level.name, byLevel[k]))
	}
	return m
}

// levelUnits are the mean outcomes of a domain's rows at a level.
func levelUnits(items []Item, outcomes [][]float64, domain map[string]int, of func(i, j int) bool) (units []unit) {
	for at := range items {
		if _, in := domain[items[at].Subset]; !in {
			continue
		}
		var x []float64
		for k, p := range items[at].Pairs {
			if of(p[0], p[1]-rmStyles) {
				x = append(x, outcomes[at][k])
			}
		}
		units = append(units, unit{items[at].prompt(), average(x), 1})
	}
	return units
}

// rmMatrix is [3][3]: the share of a domain's rows in which the right response of
// style i beats the wrong one of style j.
func rmMatrix(items []Item, outcomes [][]float64, domain map[string]int) [][]stats.Value {
	out := make([][]stats.Value, rmStyles)
	for i := range out {
		out[i] = make([]stats.Value, rmStyles)
		for j := range out[i] {
			s := sectionOf("", levelUnits(items, outcomes, domain, func(a, b int) bool { return a == i && b == j }))
			if out[i][j] = s.Score; s.N == 0 {
				out[i][j] = stats.Value(math.NaN())
			}
		}
	}
	return out
}
