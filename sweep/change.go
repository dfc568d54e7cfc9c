package sweep

import (
	"laurel/eval/stats"
	"laurel/labels"
)

// Change is what other weights make of the labels. Every interval takes the prompts
// as what was drawn.
type Change struct {
	Labelled   int         `json:"labelled"`
	Flips      count       `json:"flips"`   // labels that are for the other side
	Lost       count       `json:"lost"`    // labels that are abstentions
	Gained     count       `json:"gained"`  // abstentions that are labels
	Flipped    stats.Share `json:"flipped"` // of the labels as they were
	Abstaining stats.Share `json:"lost_share"`
	Labelling  stats.Share `json:"gained_share"` // of the abstentions as they were
	Confidence stats.Value `json:"confidence_mean"`
	Gold       *GoldChange `json:"gold,omitempty"`
}

// GoldChange is how labels with other weights do on the comparisons whose gold names
// a side.
type GoldChange struct {
	Agreement stats.Share `json:"agreement"` // of the labels
	Coverage  stats.Share `json:"coverage"`  // labels, of the comparisons
	Score     stats.Value `json:"score"`     // mean of 1 for gold's side, one half for an abstention, 0 for the other side
	// More is the agreement less that of the labels as they were, each over the
	// labels of its own; Over is the same difference of the score, which is over the
	// same comparisons.
	More stats.Difference `json:"agreement_difference"`
	Over stats.Difference `json:"score_difference"`
}

// change compares labels with those as they were. Identical responses, of which
// nothing is asked, are no part of it.
func (s *Set) change(now []outcome) Change {
	var c Change
	var flipped, lost, gained stats.Trials
	var confidence []float64
	for i := range s.rows {
		r, is := &s.rows[i], now[i]
		if len(r.votes) == 0 {
			continue
		}
		if is.side != labels.Neither {
			confidence = append(confidence, is.confidence)
		}
		if r.base.side == labels.Neither {
			gained.Add(r.prompt, c.Gained.add(is.side != labels.Neither), 1)
			continue
		}
		flipped.Add(r.prompt, c.Flips.add(is.side != r.base.side && is.side != labels.Neither), 1)
		lost.Add(r.prompt, c.Lost.add(is.side == labels.Neither), 1)
	}
	c.Labelled, c.Confidence = len(confidence), stats.Mean(confidence)
	c.Flipped, c.Abstaining, c.Labelling = flipped.Share(), lost.Share(), gained.Share()
	if s.gold {
		gold := s.goldChange(now)
		c.Gold = &gold
	}
	return c
}

// count is a number of yeses.
type count int

func (c *count) add(yes bool) float64 {
	n := stats.Indicator(yes)
	*c += count(n)
	return n
}

func (s *Set) goldChange(now []outcome) GoldChange {
	var agree, coverage stats.Trials
	var over stats.Differences
	var more stats.RatioDifference
	var scores []float64
	for i := range s.rows {
		r := &s.rows[i]
		if !r.golden() {
			continue
		}
		right, labelled := r.agrees(now[i])
		rightBefore, labelledBefore := r.agrees(r.base)
		agree.Add(r.prompt, right, labelled)
		coverage.Add(r.prompt, labelled, 1)
		more.Add(r.prompt, right, labelled, rightBefore, labelledBefore)
		over.Add(r.prompt, r.score(now[i])-r.score(r.base))
		scores = append(scores, r.score(now[i]))
	}
	return GoldChange{agree.Share(), coverage.Share(), stats.Mean(scores), more.Difference(), over.Mean()}
}

// golden is whether gold names a side, and the judges were asked.
func (r *row) golden() bool { return r.gold != labels.Neither && len(r.votes) > 0 }

// agrees is 1 where a label is gold's, and 1 where there is a label.
func (r *row) agrees(o outcome) (right, labelled float64) {
	return stats.Indicator(o.side == r.gold), stats.Indicator(o.side != labels.Neither)
}

// score is 1 for gold's side, one half for an abstention, 0 for the other side.
func (r *row) score(o outcome) float64 {
	right, labelled := r.agrees(o)
	return right + (1-labelled)/2
}

// Step is a principle's weight times a factor, the others left as they are: labels
// depend on the ratios of weights alone.
type Step struct {
	Factor float64 `json:"factor"`
	Weight float64 `json:"weight"`
	Share  float64 `json:"share_of_weight"` // of all
	Change
}

// step changes one principle's weight; from is the outcomes.
func (s *Set) step(principle int, factor float64) (Step, []outcome) {
	weights := s.shipped()
	weights[principle] *= factor
	total := 0.0
	for _, w := range weights {
		total += w
	}
	now := s.outcomes(weights)
	return Step{factor, weights[principle], weights[principle] / total, s.change(now)}, now
}
