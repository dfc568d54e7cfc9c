package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Bin is one equal-width bin of predicted probability: how many predictions
// fell in, their mean, and the observed share of right ones.
type Bin struct {
	Bin      int   `json:"bin"`
	Count    int   `json:"count"`
	MeanP    Value `json:"mean_p"`
	Observed Value `json:"observed"`
}

// softplus is log(1 + e^x), stable for any x: the Bradley-Terry loss of a
// margin m is softplus(-m) = -log sigmoid(m).
func softplus(x float64) float64 {
	return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// sigmoid keeps full precision at both ends: 1 - sigmoid(m) is sigmoid(-m).
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// losses fills the proper scoring rules. With c the label's confidence:
//
//	bt_loss       = -log p
//	log_loss_soft = -(c log p + (1-c) log(1-p))
//	brier         = (1-p)^2
//
// The symmetric ones take each pair in both orders, (p, 1) and (1-p, 0).
// Both orders cost the same, -log p and (1-p)^2, so they equal the plain ones.
func (p pairs) losses(m *Metrics) {
	var mean, weighted, weights, soft, brier float64
	for i, margin := range p.margin {
		c, right, wrong := p.confidence[i], softplus(-margin), softplus(margin)
		mean += right
		weighted += c * right
		weights += c
		soft += c*right + (1-c)*wrong
		miss := sigmoid(-margin)
		brier += miss * miss
	}
	n := float64(len(p.margin))
	m.BTLossMean, m.BTLossWeighted = Value(mean/n), over(weighted, weights)
	m.LogLossSoft, m.Brier = Value(soft/n), Value(brier/n)
	m.LogLossSymmetric, m.BrierSymmetric = m.BTLossMean, m.Brier
}

// calibrate fills the expected calibration errors and the bins of the
// reliability diagram.
func (p pairs) calibrate(m *Metrics, bins int) {
	chosenOnly, symmetric, confidence := newBinning(bins), newBinning(bins), newBinning(bins)
	for i, margin := range p.margin {
		likely, unlikely := sigmoid(margin), sigmoid(-margin)
		chosenOnly.add(likely, 1)
		symmetric.add(likely, 1)
		symmetric.add(unlikely, 0)
		confidence.add(math.Max(likely, unlikely), p.right[i])
	}
	m.ECEChosenOnly = chosenOnly.error()
	m.ECESymmetric = symmetric.error()
	m.ECEConfidence = confidence.error()
	m.ECEBinsSymmetric = symmetric.bins()
}

// saturate fills how far the confidences, the labels' and the predicted, crowd
// at their upper end.
func (p pairs) saturate(m *Metrics, confidence order) {
	labels, predicted := 0.0, 0.0
	for i, c := range p.confidence {
		if c > 0.9 {
			labels++
		}
		if sigmoid(math.Abs(p.margin[i])) > 0.99 {
			predicted++
		}
	}
	n := len(p.confidence)
	m.LabelAbove90, m.PredictedAbove99 = Value(labels/float64(n)), Value(predicted/float64(n))
	m.ConfidenceMin, m.ConfidenceMax = Value(confidence.least()), Value(confidence.most())
	m.ConfidenceMean = Value(stat.Mean(p.confidence, nil))
}

// binning sums predictions and outcomes over equal-width bins of [0, 1]:
// [k/K, (k+1)/K), the last one closed. Every slice is [K].
type binning struct {
	count                   []int
	predicted, seen, spread []float64 // spread: sums of p(1-p)
}

func newBinning(k int) binning {
	return binning{make([]int, k), make([]float64, k), make([]float64, k), make([]float64, k)}
}

func (b binning) add(p, outcome float64) {
	k := binOf(p, len(b.count))
	b.count[k]++
	b.predicted[k] += p
	b.seen[k] += outcome
	b.spread[k] += p * (1 - p)
}

// binOf compares with the edges themselves, since p*K may round across one.
func binOf(p float64, bins int) int {
	k := min(int(p*float64(bins)), bins-1)
	switch {
	case k > 0 && p < float64(k)/float64(bins):
		return k - 1
	case k+1 < bins && p >= float64(k+1)/float64(bins):
		return k + 1
	}
	return k
}

// error is the expected calibration error: the mean over predictions of
// their bin's |mean predicted - mean observed|.
func (b binning) error() Value {
	gap, n := 0.0, 0
	for k, count := range b.count {
		gap += math.Abs(b.predicted[k] - b.seen[k])
		n += count
	}
	return over(gap, float64(n))
}

// byChance is about what the error would be, were every p right and the
// outcomes independent: the mean of the absolute value of a normal variable in
// each bin.
func (b binning) byChance() Value {
	gap, n := 0.0, 0
	for k, count := range b.count {
		gap += math.Sqrt(2 / math.Pi * b.spread[k])
		n += count
	}
	return over(gap, float64(n))
}

func (b binning) bins() []Bin {
	out := make([]Bin, len(b.count))
	for k, count := range b.count {
		n := float64(count)
		out[k] = Bin{k, count, over(b.predicted[k], n), over(b.seen[k], n)}
	}
	return out
}
