package audit

import (
	"math"

	"laurel/eval/stats"
	"laurel/eval/surface"
	"laurel/labels"
)

// SurfaceBias is how labels lean to the response with more of something.
type SurfaceBias struct {
	Feature string `json:"feature"`
	// Preferred is how often the label is for the response with more, where the
	// two differ; like for like, where their lengths are within a fifth.
	Preferred      stats.Share `json:"more_preferred"`
	PreferredAlike stats.Share `json:"more_preferred_at_like_length"`
	// Probability is the correlation of p(A better), both orders' mean, with the
	// difference of a and b; Confidence that of the confidence with the
	// difference of chosen and rejected.
	Probability stats.Correlation `json:"probability_correlation"`
	Confidence  stats.Correlation `json:"confidence_correlation"`
	// At matched quality: where gold is a tie; where gold prefers the response
	// with more, and less; and the mean of (label prefers more) - (gold prefers
	// more) where both name a side.
	GoldTie  stats.Share      `json:"more_preferred_gold_tie"`
	GoldMore stats.Share      `json:"more_preferred_gold_more"`
	GoldLess stats.Share      `json:"more_preferred_gold_less"`
	OverGold stats.Difference `json:"over_gold"`
}

// likeLength is the least ratio of lengths of responses of like length.
const likeLength = 0.8

// surfaceCount gathers one feature.
type surfaceCount struct {
	preferred, alike, goldTie, goldMore, goldLess stats.Trials
	overGold                                      stats.Differences
	// [n] of all labels with a probability, and of those with a verdict.
	probability, difference      []float64
	confidence, winnerDifference []float64
	asked, labelled              []int32 // their prompts
}

// add takes the difference of a and b; gold is nil where there is none.
func (c *surfaceCount) add(prompt int32, l *labels.Label, difference, probability float64, alike bool, gold *labels.Gold) {
	if !math.IsNaN(probability) {
		c.probability, c.difference = append(c.probability, probability), append(c.difference, difference)
		c.asked = append(c.asked, prompt)
	}
	if l.Side == labels.Neither {
		return
	}
	sign := 1.0
	if l.Side == labels.SideB {
		sign = -1
	}
	c.confidence, c.winnerDifference = append(c.confidence, l.Confidence), append(c.winnerDifference, sign*difference)
	c.labelled = append(c.labelled, prompt)
	if difference == 0 {
		return
	}
	more := stats.Indicator(sign*difference > 0)
	c.preferred.Add(prompt, more, 1)
	if alike {
		c.alike.Add(prompt, more, 1)
	}
	if gold == nil {
		return
	}
	if gold.Side == labels.Neither {
		c.goldTie.Add(prompt, more, 1)
		return
	}
	goldMore := stats.Indicator((gold.Side == labels.SideA) == (difference > 0))
	if goldMore == 1 {
		c.goldMore.Add(prompt, more, 1)
	} else {
		c.goldLess.Add(prompt, more, 1)
	}
	c.overGold.Add(prompt, more-goldMore)
}

type surfaceCounts [surface.Num]surfaceCount

func (c *surfaceCounts) add(prompt int32, l *labels.Label, gold *labels.Gold) {
	a, b := surface.Of(l.A), surface.Of(l.B)
	shorter, longer := min(a[surface.Length], b[surface.Length]), max(a[surface.Length], b[surface.Length])
	p := preferA(l)
	for f := range c {
		c[f].add(prompt, l, a[f]-b[f], p, shorter >= likeLength*longer, gold)
	}
}

// preferA is the probability that a is better, over both orders.
func preferA(l *labels.Label) float64 {
	switch {
	case math.IsNaN(l.AFirst):
		return l.BFirst
	case math.IsNaN(l.BFirst):
		return l.AFirst
	}
	return (l.AFirst + l.BFirst) / 2
}

func (c *surfaceCounts) report() []SurfaceBias {
	names := surface.Names()
	out := make([]SurfaceBias, surface.Num)
	for f := range c {
		s := &c[f]
		out[f] = SurfaceBias{
			Feature: names[f], Preferred: s.preferred.Share(), PreferredAlike: s.alike.Share(),
			Probability: stats.Correlate(s.asked, s.difference, s.probability), Confidence: stats.Correlate(s.labelled, s.winnerDifference, s.confidence),
			GoldTie: s.goldTie.Share(), GoldMore: s.goldMore.Share(), GoldLess: s.goldLess.Share(), OverGold: s.overGold.Mean(),
		}
	}
	return out
}
