package audit

import (
	"cmp"
	"math"
	"slices"

	"laurel/eval/stats"
	"laurel/labels"
)

// PositionBias is what the place of a response does to the votes that were
// asked in both orders.
type PositionBias struct {
	Judge     string `json:"judge"`     // empty for all
	Principle string `json:"principle"` // empty for all
	// Flipped is the share of votes that name the response at the same place in
	// both orders, of those where neither order calls it even.
	Flipped stats.Share `json:"flipped"`
	// First is the share of answers that prefer the response shown first, even
	// ones left out; 1/2 without bias.
	First stats.Share `json:"first_preferred"`
	// Lean is the mean over comparisons of (p(A better | A first) - p(A better |
	// B first)) / 2: how much probability the first place is worth.
	Lean stats.Difference `json:"first_lean"`
}

// asked is a judge or a principle, or all of them.
type asked struct{ judge, principle string }

type positionCount struct {
	flipped, first stats.Trials
	lean           stats.Differences
}

// placed are the counts of one comparison.
type placed struct{ flipped, flips, first, firsts, lean, leans float64 }

func (p *placed) add(v *labels.Vote) {
	if math.IsNaN(v.AFirst) || math.IsNaN(v.BFirst) {
		return
	}
	a, b := v.AFirst, v.BFirst
	if a != 0.5 && b != 0.5 {
		p.flips++
		if (a > 0.5) != (b > 0.5) {
			p.flipped++
		}
	}
	for _, first := range []float64{a, 1 - b} { // probability of the one shown first
		if first != 0.5 {
			p.firsts++
			if first > 0.5 {
				p.first++
			}
		}
	}
	p.lean += (a - b) / 2
	p.leans++
}

type positionCounts map[asked]*positionCount

// add takes all votes of a comparison together.
func (c positionCounts) add(prompt int32, votes []labels.Vote) {
	here := map[asked]*placed{}
	for i := range votes {
		v := &votes[i]
		for _, key := range []asked{{}, {judge: v.Judge}, {principle: v.Principle}} {
			if here[key] == nil {
				here[key] = &placed{}
			}
			here[key].add(v)
		}
	}
	for key, p := range here {
		if c[key] == nil {
			c[key] = &positionCount{}
		}
		c[key].flipped.Add(prompt, p.flipped, p.flips)
		c[key].first.Add(prompt, p.first, p.firsts)
		if p.leans > 0 {
			c[key].lean.Add(prompt, p.lean/p.leans)
		}
	}
}

// report has all votes first, then judges, then principles.
func (c positionCounts) report() []PositionBias {
	out := []PositionBias{}
	for key, n := range c {
		out = append(out, PositionBias{key.judge, key.principle, n.flipped.Share(), n.first.Share(), n.lean.Mean()})
	}
	slices.SortFunc(out, func(a, b PositionBias) int {
		return cmp.Or(cmp.Compare(a.Principle, b.Principle), cmp.Compare(a.Judge, b.Judge))
	})
	return out
}
