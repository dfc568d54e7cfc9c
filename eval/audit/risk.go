package audit

import (
	"cmp"
	"math"
	"slices"

	"laurel/eval/stats"
)

// RiskCoverage says what leaving out the least confident labels buys.
type RiskCoverage struct {
	N     int         `json:"n"`    // labels whose gold names a side
	AURC  stats.Value `json:"aurc"` // mean risk over coverages 1/n to n/n (Geifman and El-Yaniv 2017); equal confidences in any order
	Curve []RiskPoint `json:"curve"`
	// The threshold is the lowest confidence from which on the labels of the
	// fitting part are as precise as wanted; null where none is. Precision and
	// coverage are those it has on the test part; coverage is of all comparisons
	// whose gold names a side, abstentions among them.
	Wanted    float64     `json:"wanted_precision"`
	Threshold stats.Value `json:"threshold"`
	Precision stats.Share `json:"precision"`
	Coverage  stats.Share `json:"coverage"`
	// Of all labels at that threshold, fitting part included.
	PrecisionAll stats.Share `json:"precision_all"`
	CoverageAll  stats.Share `json:"coverage_all"`
}

// RiskPoint is the share of wrong labels among those of at least a
// confidence.
type RiskPoint struct {
	Threshold float64     `json:"threshold"`
	Coverage  stats.Value `json:"coverage"` // of the labels
	Risk      stats.Value `json:"risk"`
}

// maxRiskPoints bounds the report.
const maxRiskPoints = 200

// riskCoverage takes the labels, and the comparisons that were abstained from.
func riskCoverage(labels []groupedLabel, abstained []place, wanted float64, seed uint64) RiskCoverage {
	var all, fit []judged
	for _, l := range labels {
		all = append(all, l.judged)
		if inFit(l.key, seed) {
			fit = append(fit, l.judged)
		}
	}
	r := RiskCoverage{N: len(all), Wanted: wanted}
	r.Curve, r.AURC = riskCurve(all)
	r.Threshold = threshold(fit, wanted)
	r.Precision, r.Coverage = atThreshold(labels, abstained, r.Threshold, func(key uint64) bool { return !inFit(key, seed) })
	r.PrecisionAll, r.CoverageAll = atThreshold(labels, abstained, r.Threshold, func(uint64) bool { return true })
	return r
}

// falling sorts by confidence and yields the runs of one confidence, from the
// highest: how many labels, how many wrong.
func falling(labels []judged, yield func(confidence float64, n, wrong int)) {
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b judged) int { return cmp.Compare(b.confidence, a.confidence) })
	for lo := 0; lo < len(sorted); {
		hi, wrong := lo, 0
		for ; hi < len(sorted) && sorted[hi].confidence == sorted[lo].confidence; hi++ {
			if !sorted[hi].right {
				wrong++
			}
		}
		yield(sorted[lo].confidence, hi-lo, wrong)
		lo = hi
	}
}

// riskCurve spreads the wrong ones of a run evenly over it, which is their
// mean place in a random order.
func riskCurve(labels []judged) (curve []RiskPoint, aurc stats.Value) {
	total, sum := float64(len(labels)), 0.0
	n, wrong := 0.0, 0.0
	curve = []RiskPoint{}
	falling(labels, func(confidence float64, more, moreWrong int) {
		for j := 1; j <= more; j++ {
			sum += (wrong + float64(moreWrong)*float64(j)/float64(more)) / (n + float64(j))
		}
		n, wrong = n+float64(more), wrong+float64(moreWrong)
		curve = append(curve, RiskPoint{confidence, stats.Value(n / total), stats.Value(wrong / n)})
	})
	if len(curve) > maxRiskPoints {
		few := make([]RiskPoint, maxRiskPoints)
		for i := range few {
			few[i] = curve[i*(len(curve)-1)/(maxRiskPoints-1)]
		}
		curve = few
	}
	return curve, stats.Over(sum, total)
}

// threshold keeps as many labels as the wanted precision allows.
func threshold(labels []judged, wanted float64) stats.Value {
	best := math.NaN()
	n, wrong := 0, 0
	falling(labels, func(confidence float64, more, moreWrong int) {
		n, wrong = n+more, wrong+moreWrong
		if float64(n-wrong) >= wanted*float64(n) {
			best = confidence
		}
	})
	return stats.Value(best)
}

// atThreshold is of the prompts that the part has.
func atThreshold(labels []groupedLabel, abstained []place, least stats.Value, part func(key uint64) bool) (precision, coverage stats.Share) {
	var right, kept stats.Trials
	for _, l := range labels {
		if !part(l.key) {
			continue
		}
		keep := l.confidence >= float64(least)
		kept.Add(l.prompt, stats.Indicator(keep), 1)
		if keep {
			right.Add(l.prompt, l.outcome(), 1)
		}
	}
	for _, at := range abstained {
		if part(at.key) {
			kept.Add(at.prompt, 0, 1)
		}
	}
	return right.Share(), kept.Share()
}
