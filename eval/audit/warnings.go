package audit

import (
	"fmt"
	"math"

	"laurel/eval/stats"
)

// What a reader of labels should know first.
const (
	manyFlips       = 0.25
	strongPlace     = 0.1 // of the share of answers for the first place, beyond 1/2
	strongSurface   = 0.1 // of the preferred share, beyond 1/2
	fewGold         = 100
	manyAbstentions = 0.5
)

func warnings(r *Report) []string {
	out := []string{}
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	share := float64(r.Abstained) / float64(r.Labels)
	say(share > manyAbstentions, "abstained from %.0f%% of the comparisons", 100*share)
	for _, p := range r.Position {
		if p.Judge == "" && p.Principle == "" {
			say(p.Flipped.Share > manyFlips, "position: %s of the votes flip when the responses change places (%s)", stats.Percent(p.Flipped.Share), p.Flipped.Interval.Percent())
			say(math.Abs(float64(p.First.Share)-0.5) > strongPlace && !p.First.Interval.Contains(0.5),
				"position: %s of the answers prefer the response shown first (%s)", stats.Percent(p.First.Share), p.First.Interval.Percent())
		}
	}
	for _, s := range r.Surface {
		out = append(out, surfaceWarnings(s)...)
	}
	for _, s := range r.SelfPreference {
		say(s.OverGold.Interval[0] > 0, "self-preference: %s votes for responses of its own family (%s) %s more often than gold does", s.Judge, s.Family, points(s.OverGold.Mean))
	}
	for _, i := range r.Injections {
		say(i.Sign == "", "injection: %s flagged as speaking to the judge, preferred in %s of the labels where just one is; look at the ids in report.json", stats.Plural(i.Responses, "response"), i.Preferred.OfN())
	}
	if r.Gold != nil {
		out = append(out, goldWarnings(r.Gold)...)
	}
	return out
}

// surfaceWarnings speak up where labels lean further than gold, or where
// there is no gold to tell.
func surfaceWarnings(s SurfaceBias) (out []string) {
	lean := float64(s.Preferred.Share) - 0.5
	if !(math.Abs(lean) > strongSurface) || s.Preferred.Interval.Contains(0.5) {
		return nil
	}
	text := fmt.Sprintf("%s: the response with more is preferred in %s of the labels where they differ (%s)", s.Feature, stats.Percent(s.Preferred.Share), s.Preferred.Interval.Percent())
	switch {
	case s.OverGold.N == 0:
		return []string{text + "; there is no gold to tell whether rightly"}
	case lean > 0 && s.OverGold.Interval[0] > 0:
		return []string{text + ", " + points(s.OverGold.Mean) + " more often than by gold"}
	case lean < 0 && s.OverGold.Interval[1] < 0:
		return []string{text + ", " + points(-s.OverGold.Mean) + " less often than by gold"}
	}
	return nil
}

func points(v stats.Value) string { return fmt.Sprintf("%.1f points", 100*float64(v)) }

func goldWarnings(g *Agreement) (out []string) {
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(g.Matched == 0, "no label has gold: neither ids nor texts are the same")
	say(g.LabelsWithout > 0 && g.Matched > 0, "%s without gold, %s without a label", stats.Plural(g.LabelsWithout, "label"), stats.Plural(g.GoldWithout, "gold row"))
	say(g.TextsDiffer > 0, "%s with gold of their id but of other texts, which is not used: are the ids of the same data?", stats.Plural(g.TextsDiffer, "label"))
	say(g.Matched > 0 && g.Agreement.N < fewGold, "only %s with gold for a side: intervals are wide", stats.Plural(g.Agreement.N, "label"))
	say(g.Agreement.N > 0 && g.Agreement.Interval.Contains(0.5), "agreement with gold %s is not distinguishable from chance (%s)", stats.Percent(g.Agreement.Share), g.Agreement.Interval.Percent())
	if c := g.Calibration; c != nil {
		say(c.Final.Method == Raw, "calibration does not lower the log loss on the tested part: the confidences are best left as they are")
		say(math.IsInf(float64(c.Final.Temperature), 1), "the confidence does not tell right from wrong labels: temperature makes every one 1/2")
	}
	say(g.Agreement.N > 0 && g.Calibration == nil, "no calibration: it takes %d labels with gold for a side in each half of the prompts", fewCalibrated)
	r := g.Risk
	say(g.Agreement.N > 0 && !r.Threshold.Defined(), "no confidence buys a precision of %v", r.Wanted)
	say(float64(r.Precision.Share) < r.Wanted, "from confidence %v on, labels are as precise as wanted (%v) on the part that chose it, but not on the other: %s", r.Threshold, r.Wanted, r.Precision.OfN())
	return out
}
