package eval

import (
	"fmt"
	"slices"

	"laurel/eval/stats"
)

// Seen says how much of the evaluated pairs the model was trained on, the order of
// the responses, white space and case aside.
type Seen struct {
	Pairs    int         `json:"pairs"`              // that it was trained on
	LeftOut  bool        `json:"left_out"`           // whether the report's figures are without them; else they are all that there is
	Accuracy stats.Value `json:"accuracy_ties_half"` // on them; null where there are none
	Prompts  int         `json:"prompts"`            // of the other pairs: those whose prompt it was trained on, with other responses
}

// WithoutSeen leaves the rows out whose pairs the model was trained on, and with
// them what rules and other models say of them, unless no row would be left. pair
// tells of a row's place whether its pair, and whether its prompt, is a training
// pair's.
func WithoutSeen(rows []Row, cfg Config, seen func(place int) (pair, prompt bool)) ([]Row, Config) {
	s := &Seen{}
	var right []float64
	var kept []int
	for i, r := range rows {
		switch pair, prompt := seen(r.Place); {
		case pair:
			s.Pairs, right = s.Pairs+1, append(right, r.Right())
		case prompt:
			s.Prompts++
			fallthrough
		default:
			kept = append(kept, i)
		}
	}
	s.Accuracy, s.LeftOut = stats.Mean(right), s.Pairs > 0 && len(kept) > 0
	cfg.Seen = s
	if !s.LeftOut {
		return rows, cfg
	}
	cfg.Rules, cfg.Others = slices.Clone(cfg.Rules), slices.Clone(cfg.Others)
	for i, rule := range cfg.Rules {
		cfg.Rules[i].Margin = at(rule.Margin, kept)
	}
	for i, other := range cfg.Others {
		cfg.Others[i].Rows = at(other.Rows, kept)
	}
	return at(rows, kept), cfg
}

func at[T any](all []T, kept []int) []T {
	out := make([]T, len(kept))
	for k, i := range kept {
		out[k] = all[i]
	}
	return out
}

// Whole says that every evaluated pair is one that the model was trained on, so
// that no verdict can be had.
func (s *Seen) Whole() bool { return s != nil && s.Pairs > 0 && !s.LeftOut }

// warnings stand before all figures.
func (s *Seen) warnings(n int) (out []string) {
	if s == nil {
		return nil
	}
	if s.Whole() {
		out = append(out, fmt.Sprintf("the model was trained on all %s: the figures say how well it has learnt them, not how it ranks others, and there is no verdict; evaluate on pairs that it has not seen",
			stats.Plural(n, "pair")))
	}
	if s.LeftOut {
		out = append(out, fmt.Sprintf("the model was trained on %d of the %d pairs: they are left out of all figures (accuracy on them %v)", s.Pairs, s.Pairs+n, s.Accuracy))
	}
	if s.Prompts > 0 {
		out = append(out, fmt.Sprintf("the prompts of %d of the %s are training prompts, with other responses: accuracy on prompts that it has not seen may be lower", s.Prompts, stats.Plural(n, "pair")))
	}
	return out
}
