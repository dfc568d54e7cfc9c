package bestofn

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Report is bestofn.json.
type Report struct {
	Gold       string         `json:"gold"`
	Rows       int            `json:"rows"`
	Candidates int            `json:"candidates"` // that are counted
	Prompts    int            `json:"prompts"`
	LeftOut    map[string]int `json:"left_out"` // candidates, by why
	TooFew     int            `json:"prompts_with_fewer_candidates"`
	Method     string         `json:"method"` // of the intervals
	Seed       uint64         `json:"seed"`
	K          float64        `json:"k"` // of an ensemble's lower bound
	Curves     []Curve        `json:"curves"`
	Warnings   []string       `json:"warnings"`
}

// fewPrompts is below what the bootstrap's intervals are trusted with.
const fewPrompts = 30

// Measure draws the curves of proxies, and of several proxies together, held to a
// gold scorer.
func Measure(gold *Scores, proxies []*Scores, cfg Config) (*Report, error) {
	all, leftOut, err := group(gold, proxies)
	if err != nil {
		return nil, err
	}
	r := &Report{Gold: gold.Name, Rows: len(gold.prompts), LeftOut: leftOut, Method: fmt.Sprintf("percentile bootstrap over prompts, %d resamples, 95%%", cfg.Resamples), Seed: cfg.Seed, K: cfg.K, Warnings: []string{}}
	most := cfg.N
	if most == 0 {
		most = max(2, mostFor(all))
	}
	var prompts []Prompt
	for _, p := range all {
		if len(p.Gold) < most {
			r.TooFew++
			continue
		}
		prompts, r.Candidates = append(prompts, p), r.Candidates+len(p.Gold)
	}
	r.Prompts = len(prompts)
	if r.Prompts < 2 {
		return nil, fmt.Errorf("%s: %d of %d prompts have %d candidates or more: best of n needs two prompts of so many, with a score each; --n says how many", gold.Name, r.Prompts, len(all), most)
	}
	names := make([]string, len(proxies))
	for i, p := range proxies {
		names[i] = p.Name
	}
	for _, s := range scorers(names, prompts, cfg.K) {
		r.Curves = append(r.Curves, s.curve(prompts, sizes(most), cfg))
	}
	r.warn(most)
	return r, nil
}

// mostFor is the number of candidates that nine in ten prompts have.
func mostFor(prompts []Prompt) int {
	var counts []int
	for _, p := range prompts {
		counts = append(counts, len(p.Gold))
	}
	slices.Sort(counts)
	if len(counts) == 0 {
		return 0
	}
	return counts[len(counts)/10]
}

func (r *Report) warn(most int) {
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for _, why := range slices.Sorted(maps.Keys(r.LeftOut)) {
		say("%s left out: %s", stats.Plural(r.LeftOut[why], "candidate"), why)
	}
	if r.TooFew > 0 {
		say("%s left out, with fewer than %d candidates", stats.Plural(r.TooFew, "prompt"), most)
	}
	if r.Prompts < fewPrompts {
		say("%s: intervals of so few are too narrow", stats.Plural(r.Prompts, "prompt"))
	}
}

// WriteJSON writes bestofn.json.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// Print writes the tables for a terminal.
func (r *Report) Print(w io.Writer) error {
	return draw.Print(w, []draw.Section{r.curveSection(), r.peakSection()}, r.Warnings)
}
