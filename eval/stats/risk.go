package stats

import (
	"cmp"
	"math"
	"slices"
)

// RiskPoint is the share of wrong predictions among those of at least a
// confidence.
type RiskPoint struct {
	Threshold float64 `json:"threshold"`
	Coverage  Value   `json:"coverage"` // of the predictions
	Risk      Value   `json:"risk"`
}

// maxRiskPoints bounds a curve.
const maxRiskPoints = 200

// falling sorts by confidence and yields the runs of one confidence, from the
// highest: how many predictions, how many of them right.
func falling(confidence, right []float64, yield func(confidence float64, n int, right float64)) {
	order := make([]int, len(confidence))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(confidence[b], confidence[a]) })
	for lo := 0; lo < len(order); {
		hi, sum, level := lo, 0.0, confidence[order[lo]]
		for ; hi < len(order) && confidence[order[hi]] == level; hi++ {
			sum += right[order[hi]]
		}
		yield(level, hi-lo, sum)
		lo = hi
	}
}

// RiskCurve is the risk at every coverage, and its mean over coverages 1/n to n/n
// (AURC, Geifman and El-Yaniv 2017), in which the wrong ones of a run of equal
// confidences are spread evenly over it: their mean place in a random order.
// right is 1, 0, or one half.
func RiskCurve(confidence, right []float64) (curve []RiskPoint, aurc Value) {
	total, sum := float64(len(confidence)), 0.0
	n, wrong := 0.0, 0.0
	curve = []RiskPoint{}
	falling(confidence, right, func(level float64, more int, moreRight float64) {
		moreWrong := float64(more) - moreRight
		for j := 1; j <= more; j++ {
			sum += (wrong + moreWrong*float64(j)/float64(more)) / (n + float64(j))
		}
		n, wrong = n+float64(more), wrong+moreWrong
		curve = append(curve, RiskPoint{level, Value(n / total), Value(wrong / n)})
	})
	if len(curve) > maxRiskPoints {
		few := make([]RiskPoint, maxRiskPoints)
		for i := range few {
			few[i] = curve[i*(len(curve)-1)/(maxRiskPoints-1)]
		}
		curve = few
	}
	return curve, Over(sum, total)
}

// PrecisionThreshold is the lowest confidence from which on the predictions are as
// precise as wanted; undefined where there is none.
func PrecisionThreshold(confidence, right []float64, wanted float64) Value {
	best, n, sum := math.NaN(), 0, 0.0
	falling(confidence, right, func(level float64, more int, moreRight float64) {
		n, sum = n+more, sum+moreRight
		if sum >= wanted*float64(n) {
			best = level
		}
	})
	return Value(best)
}

// FirstHalf sends about half of the prompts to one part, by a hash of prompt and
// seed, so that the rows of a prompt stay together.
func FirstHalf(key, seed uint64) bool {
	x := key ^ (seed+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9 // splitmix64's finaliser
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x^x>>31)&1 == 0
}
