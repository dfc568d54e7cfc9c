package eval

import (
	"math"
	"slices"

	"laurel/eval/stats"
)

// Figures is what the plots draw, reduced to a size that does not grow with
// the rows.
type Figures struct {
	Rewards   []Box           `json:"reward_boxes"`     // all pairs first, then the largest subsets
	Densities []stats.Density `json:"reward_densities"` // of chosen and rejected, over the same rewards; empty where either is constant
	Margins   stats.Histogram `json:"margin_histogram"`
	Predicted stats.Histogram `json:"predicted_confidence_histogram"` // max(p, 1-p)
	Labels    stats.Histogram `json:"label_confidence_histogram"`
	ByLength  []LengthBin     `json:"accuracy_by_length_difference"`
}

const (
	maxBoxedSubsets = 6
	maxOutliers     = 60 // drawn per box
	marginBins      = 50 // at most, about: the width is a round number
	confidenceBins  = 20 // of [0.5, 1]
	lengthBins      = 8
)

// Box is Tukey's box of the rewards of one side: whiskers reach the furthest
// reward within 1.5 interquartile ranges of the box.
type Box struct {
	Subset       string    `json:"subset"`
	Chosen       bool      `json:"chosen"`
	Count        int       `json:"count"`
	Low          float64   `json:"low_whisker"`
	Q1           float64   `json:"q1"`
	Median       float64   `json:"median"`
	Q3           float64   `json:"q3"`
	High         float64   `json:"high_whisker"`
	Mean         float64   `json:"mean"`
	Outliers     []float64 `json:"outliers"` // evenly picked, both extremes kept
	OutlierCount int       `json:"outlier_count"`
}

// LengthBin is the accuracy, ties one half, of the pairs whose difference in
// length (chosen minus rejected, characters) lies from Low to High.
type LengthBin struct {
	Low      int            `json:"low"`
	High     int            `json:"high"`
	Count    int            `json:"count"`
	Accuracy stats.Value    `json:"accuracy"`
	Wilson95 stats.Interval `json:"wilson_95"`
}

func drawable(p pairs, o orders) Figures {
	predicted := make([]float64, len(p.margin))
	for i, m := range p.margin {
		predicted[i] = stats.Sigmoid(math.Abs(m))
	}
	low := 0.5
	if o.confidence.Least() < low {
		low = 0
	}
	bins := int(math.Round((1 - low) * 2 * confidenceBins))
	return Figures{
		Rewards:   rewardBoxes("", p, o),
		Densities: rewardDensities(p, o.reward.Ascending()),
		Margins:   marginHistogram(o.margin.Ascending()),
		Predicted: stats.NewHistogram(predicted, low, 1, bins),
		Labels:    stats.NewHistogram(p.confidence, low, 1, bins),
		ByLength:  accuracyByLength(p, o.difference),
	}
}

// densityPoints are drawn of each.
const densityPoints = 128

// rewardDensities frame the bulk of all rewards, which come sorted too.
func rewardDensities(p pairs, sorted []float64) []stats.Density {
	low, high := stats.Bulk(sorted)
	pad := 0.05 * (high - low)
	n := len(p.margin)
	chosen, ok := stats.NewDensity(p.reward[:n], low-pad, high+pad, densityPoints)
	rejected, too := stats.NewDensity(p.reward[n:], low-pad, high+pad, densityPoints)
	if !ok || !too {
		return []stats.Density{}
	}
	return []stats.Density{chosen, rejected}
}

// rewardBoxes splits the ordered rewards into those of chosen (the first n
// rows of the column) and rejected.
func rewardBoxes(subset string, p pairs, o orders) []Box {
	n := len(p.margin)
	chosen, rejected := make([]float64, 0, n), make([]float64, 0, n)
	for k, row := range o.reward.From {
		if int(row) < n {
			chosen = append(chosen, o.reward.At(k))
		} else {
			rejected = append(rejected, o.reward.At(k))
		}
	}
	return []Box{boxOf(subset, true, chosen), boxOf(subset, false, rejected)}
}

func boxOf(subset string, isChosen bool, sorted []float64) Box {
	b := Box{
		Subset: subset, Chosen: isChosen, Count: len(sorted),
		Q1: stats.Quantile(sorted, 0.25), Median: stats.Quantile(sorted, 0.5), Q3: stats.Quantile(sorted, 0.75),
	}
	reach := 1.5 * (b.Q3 - b.Q1)
	first, _ := slices.BinarySearch(sorted, b.Q1-reach)
	last, _ := slices.BinarySearch(sorted, math.Nextafter(b.Q3+reach, math.Inf(1)))
	b.Low, b.High = math.Min(sorted[first], b.Q1), math.Max(sorted[last-1], b.Q3)
	for _, v := range sorted {
		b.Mean += v / float64(len(sorted))
	}
	b.OutlierCount = first + len(sorted) - last
	b.Outliers = append(evenly(sorted[:first], maxOutliers/2), evenly(sorted[last:], maxOutliers/2)...)
	return b
}

// evenly picks at most n values, the first and the last among them.
func evenly(sorted []float64, n int) []float64 {
	if len(sorted) <= n {
		return slices.Clone(sorted)
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = sorted[i*(len(sorted)-1)/(n-1)]
	}
	return out
}

// marginHistogram puts an edge at 0, so that a bin is all right or all wrong
// (ties lie in the first bin from 0). Margins far outside the bulk are
// counted but not binned: they would flatten the rest.
func marginHistogram(sorted []float64) stats.Histogram {
	low, high := stats.Bulk(sorted)
	low, high = stats.Widen(low, high)
	bins := min(max(2*math.Sqrt(float64(len(sorted))), 10), marginBins)
	width := stats.NiceWidth((high - low) / bins)
	first, last := math.Floor(low/width), math.Floor(high/width)+1
	return stats.NewHistogram(sorted, first*width, last*width, int(last-first))
}

// accuracyByLength cuts the pairs, ordered by difference in length, into bins
// of about equal count; equal differences stay together.
func accuracyByLength(p pairs, difference stats.Order) []LengthBin {
	n := len(p.margin)
	out := []LengthBin{}
	if difference.Constant() {
		return out
	}
	for lo := 0; lo < n; {
		hi := max(lo+1, (len(out)+1)*n/lengthBins)
		for hi < n && difference.At(hi) == difference.At(hi-1) {
			hi++
		}
		right := 0.0
		for _, row := range difference.From[lo:hi] {
			right += p.right[row]
		}
		count := float64(hi - lo)
		out = append(out, LengthBin{
			Low: int(difference.At(lo)), High: int(difference.At(hi - 1)), Count: hi - lo,
			Accuracy: stats.Value(right / count), Wilson95: stats.Wilson95(right/count, count),
		})
		lo = hi
	}
	return out
}
