package eval

import (
	"fmt"
	"math"

	"laurel/eval/stats"
)

// What makes a statistic weak.
const (
	fewPairs           = 100
	dominantShare      = 0.8 // of the pairs, by one subset
	manyTies           = 0.05
	strongCorrelation  = 0.3
	poorCalibration    = 0.1
	saturatedPredicted = 0.5 // of the pairs at p above 0.99
	saturatedLabels    = 0.8 // of the pairs at a confidence above 0.9
)

// warnings are findings about the statistics themselves: a reader should know
// them before quoting a figure.
func warnings(r *Report, subsets []subset) []string {
	out := r.first()
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	n := float64(r.N)
	say(r.N < fewPairs, "only %s: the 95%% interval spans %.0f points; evaluate on %d or more",
		stats.Plural(r.N, "pair"), 100*float64(r.AccuracyInterval[1]-r.AccuracyInterval[0]), fewPairs)
	say(r.AccuracyInterval.Contains(0.5), "accuracy %v is not distinguishable from chance: its 95%% interval %v to %v contains 0.5",
		r.AccuracyTiesHalf, r.AccuracyInterval[0], r.AccuracyInterval[1])
	say(float64(r.Ties)/n > manyTies, "ties: %d of %d pairs have equal rewards and count one half", r.Ties, r.N)
	out = append(out, lengthWarnings(r)...)
	say(r.N >= fewPairs && float64(r.ECESymmetric) > poorCalibration,
		"predicted probabilities are off by %v on average (ece_symmetric): do not read sigmoid(margin) as a probability", r.ECESymmetric)
	out = append(out, saturationWarnings(r)...)
	say(!r.WeightedAccuracyTiesHalf.Defined(), "every confidence is 0: the weighted statistics are undefined")
	largest := float64(len(subsets[0].rows)) / n
	say(len(subsets) > 1 && largest > dominantShare, "subset %q holds %.0f%% of the pairs: the overall figures are mostly its own; see macro_accuracy",
		subsets[0].name, 100*largest)
	say(len(subsets) > maxDetailedSubsets, "%d subsets: only the %d largest have their own statistics; is the column right?",
		len(subsets), maxDetailedSubsets)
	return out
}

// first are the warnings that stand before all figures.
func (r *Report) first() []string {
	out := append([]string{}, r.Seen.warnings(r.N)...)
	if beaten := r.beaten(); beaten != "" {
		out = append(out, beaten)
	}
	return out
}

// lengthWarnings say where the margin follows length.
func lengthWarnings(r *Report) (out []string) {
	if c := r.SpearmanMarginLengthDifference; math.Abs(float64(c)) > strongCorrelation {
		longer := map[bool]string{true: "longer", false: "shorter"}[c > 0]
		out = append(out, fmt.Sprintf("margin follows length: rank correlation %v with the difference in length; the model may reward %s responses", c, longer))
	}
	if l := r.LengthControlled; l != nil && l.Interval.Contains(0.5) && !r.AccuracyInterval.Contains(0.5) {
		out = append(out, fmt.Sprintf("at equal length nothing is shown to be learnt: length-controlled accuracy %v, 95%% %v, contains 0.5", l.Accuracy, l.Interval))
	}
	return out
}

// saturationWarnings say where confidences no longer tell pairs apart.
func saturationWarnings(r *Report) (out []string) {
	if s := r.PredictedAbove99; s > saturatedPredicted {
		out = append(out, fmt.Sprintf("predicted confidence is saturated: above 0.99 for %.0f%% of the pairs", 100*float64(s)))
	}
	if s := r.LabelAbove90; s > saturatedLabels && r.ConfidenceMin < r.ConfidenceMax {
		out = append(out, fmt.Sprintf("label confidence is saturated: above 0.9 for %.0f%% of the pairs, so that weighting hardly tells them apart", 100*float64(s)))
	}
	return out
}
