package sweep

import (
	"math"

	"laurel/eval/audit"
	"laurel/eval/stats"
	"laurel/labels"
)

// Pair is how two principles vote on the same comparisons; a judge's two votes on
// one are one trial.
type Pair struct {
	A        string      `json:"a"`
	B        string      `json:"b"`
	Same     stats.Share `json:"same"`     // of the trials in which both name a side
	Opposite stats.Share `json:"opposite"` // the others of them
	// Expected is the share of opposite sides, were the two independent: with the
	// shares p and q that are for a, p(1-q) + q(1-p).
	Expected    stats.Value       `json:"opposite_expected"`
	Kappa       audit.Kappa       `json:"kappa_decided"` // where both name a side
	All         audit.Kappa       `json:"kappa"`         // over a, b and neither
	Correlation stats.Correlation `json:"correlation"`   // of the probabilities that a is better
	Verdict     string            `json:"verdict"`
	Examples    []string          `json:"opposite_examples"` // ids, the surest first
}

// The verdicts on a pair, by the 95% interval of κ where both name a side.
const (
	Redundant   = "redundant"   // above 0.8
	Conflicting = "conflicting" // below 0: opposite sides more often than by chance
	Neutral     = ""
)

const almostPerfect = 0.8 // Landis and Koch (Biometrics 1977)

// pairExamples bounds the ids of a pair.
const pairExamples = 5

// trials are the votes of two principles on the same comparisons.
type trials struct {
	prompt, bothPrompt []int32
	one, other         []labels.Side
	x, y               []float64 // probabilities that a is better, where both have one
	opposite           []opposed
}

type opposed struct {
	id   string
	sure float64
}

func (s *Set) trials(a, b int) *trials {
	t := &trials{}
	n := len(s.constitution.Principles)
	for i := range s.rows {
		r := &s.rows[i]
		for j := 0; j < len(r.votes); j += n {
			t.add(r, r.votes[j+a], r.votes[j+b])
		}
	}
	return t
}

func (t *trials) add(r *row, v, w labels.Vote) {
	if lacking(v) || lacking(w) {
		return
	}
	t.prompt, t.one, t.other = append(t.prompt, r.prompt), append(t.one, v.Side), append(t.other, w.Side)
	if p, q := betterA(v), betterA(w); !math.IsNaN(p) && !math.IsNaN(q) {
		t.bothPrompt, t.x, t.y = append(t.bothPrompt, r.prompt), append(t.x, p), append(t.y, q)
	}
	if v.Side != labels.Neither && w.Side != labels.Neither && v.Side != w.Side {
		t.opposite = keepMost(t.opposite, opposed{r.id, min(v.Confidence, w.Confidence)}, pairExamples, func(o opposed) float64 { return o.sure })
	}
}

// lacking is whether a vote has no answer.
func lacking(v labels.Vote) bool {
	return v.Reason == labels.AbstainFailed || v.Reason == labels.AbstainUnparseable
}

func (s *Set) pair(a, b int, cfg Config) Pair {
	t := s.trials(a, b)
	names := s.names()
	out := Pair{A: names[a], B: names[b], Correlation: stats.Correlate(t.bothPrompt, t.x, t.y), Examples: []string{}}
	out.All, out.Kappa = audit.CohenOf(t.prompt, t.one, t.other, cfg.Bootstrap, cfg.Seed)
	var same, opposite stats.Trials
	n, forA, forAToo := 0.0, 0.0, 0.0
	for i := range t.one {
		if t.one[i] == labels.Neither || t.other[i] == labels.Neither {
			continue
		}
		n++
		forA += stats.Indicator(t.one[i] == labels.SideA)
		forAToo += stats.Indicator(t.other[i] == labels.SideA)
		same.Add(t.prompt[i], stats.Indicator(t.one[i] == t.other[i]), 1)
		opposite.Add(t.prompt[i], stats.Indicator(t.one[i] != t.other[i]), 1)
	}
	p, q := forA/n, forAToo/n
	out.Same, out.Opposite, out.Expected = same.Share(), opposite.Share(), stats.Value(p*(1-q)+q*(1-p))
	switch {
	case out.Kappa.Interval[0] > almostPerfect:
		out.Verdict = Redundant
	case out.Kappa.Interval[1] < 0:
		out.Verdict = Conflicting
	}
	for _, o := range t.opposite {
		out.Examples = append(out.Examples, o.id)
	}
	return out
}

// pairs are all two by two, in the constitution's order.
func (s *Set) pairs(cfg Config) []Pair {
	out := []Pair{}
	for a := range s.constitution.Principles {
		for b := a + 1; b < len(s.constitution.Principles); b++ {
			out = append(out, s.pair(a, b, cfg))
		}
	}
	return out
}
