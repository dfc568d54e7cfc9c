package sweep

import (
	"cmp"
	"slices"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/labels"
)

// WhyConflict is the reason for which a comparison is put to people. More would tell
// them what the judges think.
const WhyConflict = "principles_conflict"

// Conflict is a comparison whose principles name different sides.
type Conflict struct {
	ID         string      `json:"id"`
	Label      labels.Side `json:"label"` // empty: abstained
	Confidence stats.Value `json:"confidence"`
	Gold       labels.Side `json:"gold,omitempty"`
	ForA       []string    `json:"for_a"`
	ForB       []string    `json:"for_b"`
	// Strength is the smaller of both sides' Σ w (2c - 1) over its votes, by the
	// weight of all votes: 0 for no conflict, one half where two halves are sure of
	// opposite sides.
	Strength float64  `json:"strength"`
	Decides  []string `json:"decided_by"`
	texts    *data.Comparison
	at       int
}

// keepMost keeps the first so many by measure, of equal ones the earliest.
func keepMost[T any](kept []T, one T, most int, measure func(T) float64) []T {
	at, _ := slices.BinarySearchFunc(kept, one, func(x, y T) int { return cmp.Or(cmp.Compare(measure(y), measure(x)), -1) })
	if at >= most {
		return kept
	}
	kept = slices.Insert(kept, at, one)
	return kept[:min(len(kept), most)]
}

// strength is how strongly the votes on a comparison contradict one another.
func strength(votes []labels.Vote) float64 {
	var lean [2]float64
	weight := 0.0
	for _, v := range votes {
		weight += v.Weight
		switch v.Side {
		case labels.SideA:
			lean[0] += v.Weight * (2*v.Confidence - 1)
		case labels.SideB:
			lean[1] += v.Weight * (2*v.Confidence - 1)
		}
	}
	return float64(stats.Over(min(lean[0], lean[1]), weight))
}

// conflicts are the strongest, and how many comparisons there are whose principles
// name different sides.
func (s *Set) conflicts(decided [][]int, most int) (kept []Conflict, share stats.Share) {
	var trials stats.Trials
	for i := range s.rows {
		r := &s.rows[i]
		if len(r.votes) == 0 {
			continue
		}
		forA, forB := s.sides(r)
		conflict := len(forA) > 0 && len(forB) > 0
		trials.Add(r.prompt, stats.Indicator(conflict), 1)
		if conflict {
			d := s.decision(i, decided[i])
			one := Conflict{ID: r.id, Label: d.Label, Confidence: d.Confidence, Gold: r.gold, ForA: forA, ForB: forB, Strength: strength(r.votes), Decides: d.DecidedBy, at: i}
			kept = keepMost(kept, one, most, func(c Conflict) float64 { return c.Strength })
		}
	}
	return kept, trials.Share()
}

// sides are the principles for each side.
func (s *Set) sides(r *row) (forA, forB []string) {
	for p, name := range s.names() {
		switch sideOf(s.say(r, p)) {
		case labels.SideA:
			forA = append(forA, name)
		case labels.SideB:
			forB = append(forB, name)
		}
	}
	return forA, forB
}

// readTexts reads the comparisons again for the texts of the conflicts.
func (s *Set) readTexts(conflicts []Conflict) error {
	wanted := map[int]*Conflict{}
	for i := range conflicts {
		wanted[conflicts[i].at] = &conflicts[i]
	}
	at := 0
	for c, err := range s.run.Comparisons(nil) {
		if err != nil {
			return err
		}
		if one := wanted[at]; one != nil {
			one.texts = &c
		}
		at++
	}
	return nil
}

// Reviews are the conflicts as people get them, shuffled by seed so that their order
// tells nothing.
func (r *Report) Reviews() []labels.Review {
	var out []labels.Review
	for _, at := range shuffled(len(r.Conflicts), r.Seed) {
		if c := r.Conflicts[at]; c.texts != nil {
			out = append(out, labels.Review{Comparison: *c.texts, Why: WhyConflict})
		}
	}
	return out
}
