package eval

import (
	"math"

	"laurel/eval/stats"
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
		c, right, wrong := p.confidence[i], stats.Softplus(-margin), stats.Softplus(margin)
		mean += right
		weighted += c * right
		weights += c
		soft += c*right + (1-c)*wrong
		miss := stats.Sigmoid(-margin)
		brier += miss * miss
	}
	n := float64(len(p.margin))
	m.BTLossMean, m.BTLossWeighted = stats.Value(mean/n), stats.Over(weighted, weights)
	m.LogLossSoft, m.Brier = stats.Value(soft/n), stats.Value(brier/n)
	m.LogLossSymmetric, m.BrierSymmetric = m.BTLossMean, m.Brier
}

// calibrate fills the expected calibration errors and the bins of the
// reliability diagram.
func (p pairs) calibrate(m *Metrics, bins int) {
	chosenOnly, symmetric, confidence := stats.NewBinning(bins), stats.NewBinning(bins), stats.NewBinning(bins)
	for i, margin := range p.margin {
		likely, unlikely := stats.Sigmoid(margin), stats.Sigmoid(-margin)
		chosenOnly.Add(likely, 1)
		symmetric.Add(likely, 1)
		symmetric.Add(unlikely, 0)
		confidence.Add(math.Max(likely, unlikely), p.right[i])
	}
	m.ECEChosenOnly = chosenOnly.Error()
	m.ECESymmetric = symmetric.Error()
	m.ECEConfidence = confidence.Error()
	m.ECEBinsSymmetric = symmetric.Bins()
}

// saturate fills how far the confidences, the labels' and the predicted, crowd
// at their upper end.
func (p pairs) saturate(m *Metrics, confidence stats.Order) {
	labels, predicted := 0.0, 0.0
	for i, c := range p.confidence {
		if c > 0.9 {
			labels++
		}
		if stats.Sigmoid(math.Abs(p.margin[i])) > 0.99 {
			predicted++
		}
	}
	n := len(p.confidence)
	m.LabelAbove90, m.PredictedAbove99 = stats.Value(labels/float64(n)), stats.Value(predicted/float64(n))
	m.ConfidenceMin, m.ConfidenceMax = stats.Value(confidence.Least()), stats.Value(confidence.Most())
	m.ConfidenceMean = stats.Mean(p.confidence)
}
