package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

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
