package eval

import (
	"math"

	"laurel/eval/stats"
)

// LengthMetrics say how far length alone explains the labels, and the
// rewards. A length is that of the response, in characters. Where every
// length is 0 the lengths are unknown and all of it is undefined.
type LengthMetrics struct {
	SpearmanRewardLength           stats.Value `json:"spearman_reward_length"`
	PearsonRewardLength            stats.Value `json:"pearson_reward_length"`
	KendallTauBRewardLength        stats.Value `json:"kendall_tau_b_reward_length"`
	SpearmanMarginLengthDifference stats.Value `json:"spearman_margin_length_difference"`
	SpearmanMarginConfidence       stats.Value `json:"spearman_margin_confidence"`
	LongerChosenShare              stats.Value `json:"longer_chosen_share"` // of the pairs of unequal length
	AccuracyWhereChosenShorter     stats.Value `json:"accuracy_where_chosen_shorter"`
	AccuracyWhereChosenLonger      stats.Value `json:"accuracy_where_chosen_longer"`
	AccuracyWhereEqualLength       stats.Value `json:"accuracy_where_equal_length"`
	AlwaysLongerAccuracy           stats.Value `json:"always_longer_accuracy"`  // equal lengths one half
	AlwaysShorterAccuracy          stats.Value `json:"always_shorter_accuracy"` // equal lengths one half
}

func (p pairs) lengthMetrics(o orders) LengthMetrics {
	var shorter, longer, equal, rightShorter, rightLonger, rightEqual float64
	for i, d := range p.difference {
		switch {
		case d < 0:
			shorter++
			rightShorter += p.right[i]
		case d > 0:
			longer++
			rightLonger += p.right[i]
		default:
			equal++
			rightEqual += p.right[i]
		}
	}
	m := LengthMetrics{
		SpearmanRewardLength:           stats.Spearman(o.reward, o.length),
		PearsonRewardLength:            stats.Pearson(o.reward, o.length),
		KendallTauBRewardLength:        stats.KendallTauB(o.reward, o.length),
		SpearmanMarginLengthDifference: stats.Spearman(o.margin, o.difference),
		SpearmanMarginConfidence:       stats.Spearman(o.margin, o.confidence),
		LongerChosenShare:              stats.Over(longer, longer+shorter),
		AccuracyWhereChosenShorter:     stats.Over(rightShorter, shorter),
		AccuracyWhereChosenLonger:      stats.Over(rightLonger, longer),
		AccuracyWhereEqualLength:       stats.Over(rightEqual, equal),
	}
	n := math.NaN()
	if o.length.Most() > 0 {
		n = shorter + longer + equal
	} else {
		m.AccuracyWhereEqualLength = stats.Value(math.NaN())
	}
	m.AlwaysLongerAccuracy, m.AlwaysShorterAccuracy = stats.Value((longer+equal/2)/n), stats.Value((shorter+equal/2)/n)
	return m
}
