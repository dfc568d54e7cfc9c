package audit

import "laurel/eval/stats"

// RiskCoverage says what leaving out the least confident labels buys.
type RiskCoverage struct {
	N     int               `json:"n"`    // labels whose gold names a side
	AURC  stats.Value       `json:"aurc"` // mean risk over coverages 1/n to n/n (Geifman and El-Yaniv 2017); equal confidences in any order
	Curve []stats.RiskPoint `json:"curve"`
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

// riskCoverage takes the labels, and the comparisons that were abstained from.
func riskCoverage(labels []groupedLabel, abstained []place, wanted float64, seed uint64) RiskCoverage {
	var all, fit []judged
	for _, l := range labels {
		all = append(all, l.judged)
		if stats.FirstHalf(l.key, seed) {
			fit = append(fit, l.judged)
		}
	}
	r := RiskCoverage{N: len(all), Wanted: wanted}
	r.Curve, r.AURC = stats.RiskCurve(byConfidence(all))
	confidence, right := byConfidence(fit)
	r.Threshold = stats.PrecisionThreshold(confidence, right, wanted)
	r.Precision, r.Coverage = atThreshold(labels, abstained, r.Threshold, func(key uint64) bool { return !stats.FirstHalf(key, seed) })
	r.PrecisionAll, r.CoverageAll = atThreshold(labels, abstained, r.Threshold, func(uint64) bool { return true })
	return r
}

// byConfidence are the labels' confidences, and which are right.
func byConfidence(labels []judged) (confidence, right []float64) {
	for _, l := range labels {
		confidence, right = append(confidence, l.confidence), append(right, l.outcome())
	}
	return confidence, right
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
