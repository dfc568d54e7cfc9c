package benchmarks

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"laurel/eval/stats"
)

// Result is benchmark.json: what a model, or a judge, has on a benchmark.
type Result struct {
	Benchmark string         `json:"benchmark"`
	Model     string         `json:"model"`
	Partial   []string       `json:"partial,omitempty"` // what is missing of the benchmark: then no score is the leaderboard's
	Rows      int            `json:"rows"`
	Left      map[string]int `json:"rows_not_measured,omitempty"` // by why
	Prompts   int            `json:"prompts"`
	Texts     int            `json:"texts"` // responses scored
	Empty     int            `json:"texts_empty,omitempty"`
	Cut       int            `json:"texts_cut"` // to max_length
	MaxLength int            `json:"max_length,omitempty"`
	Ties      int            `json:"comparisons_tied"` // equal rewards; docs/benchmarks.md says what each rule makes of them
	Template  string         `json:"chat_template,omitempty"`
	Specials  string         `json:"special_tokens,omitempty"`
	DType     string         `json:"dtype,omitempty"`               // of matrix products
	Unscored  map[string]int `json:"rows_without_reward,omitempty"` // by why; they are left out

	Score    Section   `json:"score"`
	Sections []Section `json:"sections"`
	Subsets  []Section `json:"subsets,omitempty"`
	// Matrix is RM-Bench's, by domain: [right style][wrong style].
	Matrix map[string][][]stats.Value `json:"matrix,omitempty"`
	// BestOfK is PPE's, by benchmark: what choosing the best of k gives, k from 1.
	BestOfK map[string]Curve `json:"best_of_k,omitempty"`
	Judge   *JudgeFacts      `json:"judge,omitempty"`
}

// Curve is the mean share of right responses chosen, by k; End the last and Best the
// highest of them.
type Curve struct {
	ByK  []float64 `json:"by_k"`
	End  float64   `json:"end"`
	Best float64   `json:"best"`
}

// Measure scores the items by the benchmark's rules. A row with a reward that is NaN
// is left out, and the benchmark is partial then.
func (s *Set) Measure(scores Scores) *Result {
	items, scores, without := s.scored(scores)
	r := &Result{Benchmark: s.Name, Partial: slices.Clone(s.Partial), Rows: len(items), Left: s.Left, Empty: s.Empty, Ties: tied(items, scores)}
	if without > 0 {
		r.Partial = append(r.Partial, fmt.Sprintf("%d rows have no reward", without))
	}
	prompts := map[uint64]bool{}
	for i := range items {
		r.Texts += len(items[i].Responses)
		prompts[items[i].prompt()] = true
	}
	r.Prompts = len(prompts)
	m, longer := s.measure(items, scores), s.measure(items, lengths(items))
	r.Score, r.Sections, r.Subsets, r.Matrix = m.score, m.sections, m.subsets, m.matrix
	beside([]Section{m.score}, []Section{longer.score}, func(to *Section, x Section) { r.Score.AlwaysLonger = x.Score })
	beside(r.Sections, longer.sections, func(to *Section, x Section) { to.AlwaysLonger = x.Score })
	beside(r.Subsets, longer.subsets, func(to *Section, x Section) { to.AlwaysLonger = x.Score })
	if scores.Rewards != nil && s.Name == "ppe" {
		r.BestOfK = curves(items, scores)
	}
	r.mark(len(r.Partial) > 0)
	return r
}

// beside gives the sections of one name to each other.
func beside(to, from []Section, give func(to *Section, x Section)) {
	for i := range to {
		for _, x := range from {
			if x.Name == to[i].Name {
				give(&to[i], x)
			}
		}
	}
}

// mark says of the score and of every section that rows may be missing.
func (r *Result) mark(partial bool) {
	r.Score.Partial = partial
	for _, sections := range [][]Section{r.Sections, r.Subsets} {
		for i := range sections {
			sections[i].Partial = partial
		}
	}
}

// scored leaves out items with a reward that is no number.
func (s *Set) scored(scores Scores) (items []Item, kept Scores, without int) {
	for i, it := range s.Items {
		if scores.Rewards != nil && slices.ContainsFunc(scores.Rewards[i], math.IsNaN) {
			without++
			continue
		}
		items = append(items, it)
		if scores.Rewards != nil {
			kept.Rewards = append(kept.Rewards, scores.Rewards[i])
		} else {
			kept.Outcomes = append(kept.Outcomes, scores.Outcomes[i])
		}
	}
	return items, kept, without
}

// curves are the means of BestOfK over the rows of each of PPE's benchmarks that
// have as many responses as its first.
func curves(items []Item, s Scores) map[string]Curve {
	out, n := map[string]Curve{}, map[string]float64{}
	for i, it := range items {
		c := out[it.Subset]
		if it.Subset == humanPreference || c.ByK != nil && len(c.ByK) != len(it.Right) {
			continue
		}
		if c.ByK == nil {
			c.ByK = make([]float64, len(it.Right))
		}
		for k, x := range BestOfK(s.Rewards[i], it.Right) {
			c.ByK[k] += x
		}
		out[it.Subset] = c
		n[it.Subset]++
	}
	for name, c := range out {
		for k := range c.ByK {
			c.ByK[k] /= n[name]
		}
		out[name] = Curve{c.ByK, c.ByK[len(c.ByK)-1], slices.Max(c.ByK)}
	}
	return out
}

// Print writes the result as a table.
func (r *Result) Print(w io.Writer) error {
	fmt.Fprintf(w, "\n%s of %s: %d rows, %d prompts, %d texts (%d cut", r.Benchmark, r.Model, r.Rows, r.Prompts, r.Texts, r.Cut)
	if r.Empty > 0 {
		fmt.Fprintf(w, ", %d empty", r.Empty)
	}
	fmt.Fprintf(w, "), %d comparisons tied\n", r.Ties)
	for _, counts := range []struct {
		what string
		of   map[string]int
	}{{"not measured", r.Left}, {"without a reward", r.Unscored}} {
		if len(counts.of) > 0 {
			fmt.Fprintf(w, "rows %s: %s\n", counts.what, reasons(counts.of))
		}
	}
	if len(r.Partial) > 0 {
		fmt.Fprintf(w, "PARTIAL: %s\n", strings.Join(r.Partial, "; "))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	consistency := ""
	if r.Judge != nil {
		consistency = "\tsame in both orders"
	}
	fmt.Fprintf(table, "\t\t95%%\talways longer%s\n", consistency)
	for _, s := range append(slices.Clone(r.Sections), r.Score) {
		fmt.Fprintf(table, "%s\n", s.row())
	}
	return table.Flush()
}

// row is the section as a line of the table.
func (s Section) row() string {
	name := s.Name
	if s.Partial {
		name += " (partial)"
	}
	line := fmt.Sprintf("%s\t%v\t%v\t%v", name, s.Score, s.Interval, s.AlwaysLonger)
	if s.Consistency != nil {
		line += "\t" + s.Consistency.String()
	}
	return line
}

// reasons lists counts by their names.
func reasons(counts map[string]int) string {
	var parts []string
	for _, why := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%s %d", why, counts[why]))
	}
	return strings.Join(parts, ", ")
}
