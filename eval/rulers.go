package eval

import (
	"cmp"
	"fmt"
	"slices"

	"laurel/eval/stats"
)

// Rule ranks pairs without the model: by a property of the texts, or by a
// baseline trained on them.
type Rule struct {
	Name   string    // as always-longer
	Says   string    // what it prefers, or what it was trained on
	Margin []float64 // [rows] above 0 where it ranks chosen higher, 0 where it does not decide
}

// Ruler is how far a rule gets on the pairs, and whether the model gets
// further.
type Ruler struct {
	Name     string         `json:"name"`
	Rule     string         `json:"rule"`
	Accuracy stats.Value    `json:"accuracy_ties_half"`   // undecided pairs one half
	Interval stats.Interval `json:"accuracy_interval_95"` // bootstrap over prompts
	Coverage stats.Value    `json:"coverage"`             // share of the pairs that it decides
	Model    Paired         `json:"model_minus_ruler"`
}

// lengthRules need lengths alone; none where these are unknown, or equal in
// every pair.
func lengthRules(p pairs) []Rule {
	longer, shorter := make([]float64, len(p.difference)), make([]float64, len(p.difference))
	differ := false
	for i, d := range p.difference {
		longer[i], shorter[i] = d, -d
		differ = differ || d != 0
	}
	if !differ {
		return nil
	}
	return []Rule{
		{"always-longer", "the response with more characters", longer},
		{"always-shorter", "the response with fewer characters", shorter},
	}
}

// rulers measures the rules, the most accurate first.
func (p pairs) rulers(cfg Config) ([]Ruler, error) {
	out := []Ruler{}
	for _, rule := range append(lengthRules(p), cfg.Rules...) {
		if len(rule.Margin) != len(p.right) {
			return nil, fmt.Errorf("evaluate: rule %s has %d margins for %d rows", rule.Name, len(rule.Margin), len(p.right))
		}
		picks, decided := make([]float64, len(rule.Margin)), 0.0
		for i, m := range rule.Margin {
			picks[i] = ranking(m)
			decided += stats.Indicator(m != 0)
		}
		r := Ruler{Name: rule.Name, Rule: rule.Says, Coverage: stats.Value(decided / float64(len(picks)))}
		r.Model, r.Accuracy, r.Interval = p.paired(p.right, picks, cfg)
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Ruler) int { return cmp.Compare(b.Accuracy, a.Accuracy) })
	return out, nil
}

// beaten says that the model is not shown to do better than its best ruler; ""
// where it is, or where there is none.
func (r *Report) beaten() string {
	if len(r.Rulers) == 0 || r.Rulers[0].Model.Interval[0] > 0 {
		return ""
	}
	best := &r.Rulers[0]
	return fmt.Sprintf("accuracy %v does not beat the ruler %s (%v: %s): model minus ruler %v, 95%% %v over prompts, McNemar p %v",
		r.AccuracyTiesHalf, best.Name, best.Accuracy, best.Rule, best.Model.Difference, best.Model.Interval, best.Model.McNemar.Exact)
}
