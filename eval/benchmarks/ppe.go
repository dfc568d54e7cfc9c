package benchmarks

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"laurel/data"
	"laurel/eval/stats"
)

// humanPreference is the subset of PPE that people's votes in Chatbot Arena label.
const humanPreference = "human_preference_v1"

// ppeCorrectness are the subsets whose responses were checked, and what names them
// in the path of a file: lmarena-ai/PPE-MMLU-Pro-Best-of-K and so on.
var ppeCorrectness = []struct{ name, path string }{
	{"mmlu_pro_best_of_k", "mmlu-pro"}, {"math_best_of_k", "ppe-math"}, {"gpqa_best_of_k", "gpqa"},
	{"mbpp_plus_best_of_k", "mbpp-plus"}, {"ifeval_best_of_k", "ifeval"},
}

// ppeCorrectnessRows are the prompts of the five together (Frick et al. 2025,
// arXiv:2410.14872).
const ppeCorrectnessRows = 2555

// ppeFlags are columns that say what a prompt of human_preference_v1 is.
var ppeFlags = []string{"hard_prompt", "easy_prompt", "if_prompt", "is_code", "math_prompt", "similar_response"}

// ppe is Preference Proxy Evaluations: human preference, correctness, or both.
func ppe() *Benchmark {
	expected := map[string]int{humanPreference: 0}
	for _, c := range ppeCorrectness {
		expected[c.name] = 0 // said by checkPPE
	}
	return &Benchmark{Name: "ppe", Title: "PPE", expected: expected, check: checkPPE, measure: measurePPE, rows: func(file string) (*rowReader, error) {
		path := strings.ToLower(strings.ReplaceAll(file, "_", "-"))
		for _, c := range ppeCorrectness {
			if strings.Contains(path, c.path) {
				return ppeCorrectnessFile(c.name), nil
			}
		}
		if strings.Contains(path, "human-preference") {
			return ppePreferenceFile(), nil
		}
		return nil, fmt.Errorf("the path does not say which part of PPE it is: keep the data set's name in it (PPE-Human-Preference-V1, PPE-MMLU-Pro-Best-of-K, PPE-MATH-Best-of-K, PPE-GPQA-Best-of-K, PPE-MBPP-Plus-Best-of-K, PPE-IFEval-Best-of-K)")
	}}
}

// ppePreferenceFile reads two responses and the vote between them. Ties are left out.
func ppePreferenceFile() *rowReader {
	id, prompt, a, b, winner := word("question_id"), text("prompt"), text("response_1"), text("response_2"), word("winner")
	language := optional(word("language"))
	r := &rowReader{needs: []*data.Field{id, prompt, a, b, winner}, may: []*data.Field{language}}
	var flags []*data.Field
	for _, name := range ppeFlags {
		flags = append(flags, flag(name))
	}
	r.may = append(r.may, flags...)
	r.read = func() (it Item, leave string, bad *data.Problem) {
		var won, spoken string
		if it, bad = pairOf(prompt, a, b); bad == nil {
			bad = data.Words(data.Word{Field: id, Into: &it.ID}, data.Word{Field: winner, Into: &won}, data.Word{Field: language, Into: &spoken})
		}
		it.Subset = humanPreference
		switch {
		case bad != nil:
			return it, "", bad
		case won == "model_a":
		case won == "model_b":
			it.Right, it.Pairs = []bool{false, true}, [][2]int{{1, 0}}
		case strings.HasPrefix(won, "tie"):
			return it, "a tie", nil
		default:
			return it, "", winner.Problem(data.ReasonLabel, "%q where model_a, model_b or tie should be", data.Clip(won, 20))
		}
		for i, f := range flags {
			if f.Cell.Kind == data.CellBool && f.Cell.True {
				it.Categories = append(it.Categories, ppeFlags[i])
			}
		}
		if spoken != "" {
			it.Categories = append(it.Categories, spokenIn(spoken))
		}
		return it, "", nil
	}
	return r
}

// spokenIn is what PPE tells apart: English, and all others.
func spokenIn(name string) string {
	if strings.EqualFold(name, "english") {
		return "english"
	}
	return "non_english"
}

// ppeCorrectnessFile reads response_1 to response_K of one model, whether each is
// right (scores), and the pairs of a right and a wrong one that are compared
// (sampled_conflict_pairs, of numbers from 0).
func ppeCorrectnessFile(subset string) *rowReader {
	id, prompt, scores, pairs, model := word("question_id"), text("prompt"), list("scores"), list("sampled_conflict_pairs"), optional(word("model_name"))
	r := &rowReader{needs: []*data.Field{id, prompt, scores, pairs}, may: []*data.Field{model}}
	var responses map[string]*data.Field
	r.grow = func(columns []data.Column) (fields []*data.Field) {
		responses = map[string]*data.Field{}
		for _, c := range columns {
			if strings.HasPrefix(c.Name, "response_") {
				responses[c.Name] = text(c.Name)
				fields = append(fields, responses[c.Name])
			}
		}
		return fields
	}
	r.read = func() (it Item, leave string, bad *data.Problem) {
		var of string
		it.Subset = subset
		if bad = data.Words(data.Word{Field: id, Into: &it.ID}, data.Word{Field: model, Into: &of}); bad != nil {
			return it, "", bad
		}
		if of != "" {
			it.ID += " of " + of
		}
		if it.Prompt, bad = promptOf(prompt); bad == nil {
			bad = checked(&it, scores, pairs, responses)
		}
		return it, "", bad
	}
	return r
}

// checked reads the responses with their scores, and the pairs.
func checked(it *Item, scores, pairs *data.Field, responses map[string]*data.Field) *data.Problem {
	for i, cell := range scores.Cell.Items {
		right := cell.Kind == data.CellBool && cell.True || cell.Kind == data.CellNumber && cell.Num == 1
		if !right && cell.Kind != data.CellBool && !(cell.Kind == data.CellNumber && cell.Num == 0) {
			return scores.Problem(data.ReasonLabel, "score %d is neither true nor false", i)
		}
		f := responses[fmt.Sprintf("response_%d", i+1)]
		if f == nil {
			return scores.Problem(data.ReasonMissingField, "%d scores, but no column response_%d", len(scores.Cell.Items), i+1)
		}
		response, bad := responseOf(f)
		if bad != nil {
			return bad
		}
		it.Responses, it.Right = append(it.Responses, response), append(it.Right, right)
	}
	if len(it.Responses) < 2 {
		return scores.Problem(data.ReasonUnpaired, "%d scores, where a choice needs two", len(it.Responses))
	}
	for k, cell := range pairs.Cell.Items {
		p := [2]int{}
		for j := range p {
			x := -1.0
			if len(cell.Items) == 2 {
				x = cell.Items[j].Num
			}
			if p[j] = int(x); x < 0 || x >= float64(len(it.Right)) || float64(p[j]) != x {
				return pairs.Problem(data.ReasonWrongType, "pair %d is no two of the %d responses", k, len(it.Right))
			}
		}
		if it.Right[p[0]] == it.Right[p[1]] {
			return pairs.Problem(data.ReasonTie, "pair %d has responses %d and %d, of which neither is the right one", k, p[0], p[1])
		}
		if it.Right[p[1]] {
			p[0], p[1] = p[1], p[0]
		}
		it.Pairs = append(it.Pairs, p)
	}
	return nil
}

// checkPPE says which parts are missing of the one that is there. How many rows each
// of the five has is known of all together alone.
func checkPPE(items []Item) (lacks []string, err error) {
	have := map[string]int{}
	for _, it := range items {
		have[it.Subset]++
	}
	total := 0
	for _, c := range ppeCorrectness {
		total += have[c.name]
	}
	if total == 0 {
		return nil, nil
	}
	for _, c := range ppeCorrectness {
		if have[c.name] == 0 {
			lacks = append(lacks, c.name+" is missing")
		}
	}
	if len(lacks) == 0 && total < ppeCorrectnessRows {
		lacks = append(lacks, fmt.Sprintf("the five have %d of %d rows", total, ppeCorrectnessRows))
	}
	if total > ppeCorrectnessRows {
		err = fmt.Errorf("the five have %d rows, and PPE has %d in them: is a file named twice?", total, ppeCorrectnessRows)
	}
	return lacks, err
}

// measurePPE: human preference is the accuracy on votes without ties, by category;
// correctness the accuracy over the pairs, and what choosing the best of K gives
// (BestOfK). The score is correctness, the mean over the five; human preference
// stands beside it.
func measurePPE(items []Item, s Scores) (m measured) {
	all, categories := map[string][]unit{}, map[string][]unit{}
	for i := range items {
		it := &items[i]
		for _, x := range s.outcomes(i, it) {
			u := unit{it.prompt(), x, 1}
			all[it.Subset] = append(all[it.Subset], u)
			for _, c := range it.Categories {
				categories[c] = append(categories[c], u)
			}
		}
	}
	if all[humanPreference] != nil {
		m.sections = append(m.sections, sectionOf(humanPreference, all[humanPreference]))
	}
	for _, c := range sortedKeys(categories) {
		m.subsets = append(m.subsets, sectionOf(c, categories[c]))
	}
	var five []Section
	for _, c := range ppeCorrectness {
		five = append(five, sectionOf(c.name, all[c.name]))
	}
	m.score = mean("Score", five)
	m.sections = append(m.sections, slices.DeleteFunc(five, func(s Section) bool { return s.N == 0 })...)
	if s.Rewards != nil {
		m.sections = append(m.sections, endScores(items, s)...)
	}
	return m
}

// endScores are the shares of right responses when the best of all K is taken.
func endScores(items []Item, s Scores) (out []Section) {
	var choices []Item
	var curves [][]float64
	for i, it := range items {
		if it.Subset != humanPreference {
			choices, curves = append(choices, it), append(curves, BestOfK(s.Rewards[i], it.Right))
		}
	}
	end := bySubset(choices, func(i int) float64 { return curves[i][len(curves[i])-1] })
	for _, c := range ppeCorrectness {
		if end[c.name] != nil {
			out = append(out, sectionOf(c.name+" end", end[c.name]))
		}
	}
	return out
}

// BestOfK is, for k from 1 to K, the chance that the response of highest reward among
// k of the K, drawn without replacement, is a right one. PPE draws; this is what its
// draws tend to. Responses of equal reward are taken with equal chance.
//
//	P(rank r of K is the best of k) = C(K-r, k-1) / C(K, k), r from 1
func BestOfK(rewards []float64, right []bool) []float64 {
	n := len(rewards)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rewards[b], rewards[a]) })
	value := make([]float64, n) // by rank, ties shared
	for lo := 0; lo < n; {
		hi, sum := lo, 0.0
		for ; hi < n && rewards[order[hi]] == rewards[order[lo]]; hi++ {
			sum += stats.Indicator(right[order[hi]])
		}
		for r := lo; r < hi; r++ {
			value[r] = sum / float64(hi-lo)
		}
		lo = hi
	}
	curve := make([]float64, n)
	for k := 1; k <= n; k++ {
		chance := float64(k) / float64(n) // of the first rank
		for r := range n - k + 1 {
			curve[k-1] += chance * value[r]
			chance *= float64(n-r-k) / float64(n-r-1)
		}
	}
	return curve
}
