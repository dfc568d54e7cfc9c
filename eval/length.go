package eval

import "math"

// LengthMetrics say how far length alone explains the labels, and the
// rewards. A length is that of the response, in characters. Where every
// length is 0 the lengths are unknown and all of it is undefined.
type LengthMetrics struct {
	SpearmanRewardLength           Value `json:"spearman_reward_length"`
	PearsonRewardLength            Value `json:"pearson_reward_length"`
	KendallTauBRewardLength        Value `json:"kendall_tau_b_reward_length"`
	SpearmanMarginLengthDifference Value `json:"spearman_margin_length_difference"`
	SpearmanMarginConfidence       Value `json:"spearman_margin_confidence"`
	LongerChosenShare              Value `json:"longer_chosen_share"` // of the pairs of unequal length
	AccuracyWhereChosenShorter     Value `json:"accuracy_where_chosen_shorter"`
	AccuracyWhereChosenLonger      Value `json:"accuracy_where_chosen_longer"`
	AccuracyWhereEqualLength       Value `json:"accuracy_where_equal_length"`
	AlwaysLongerAccuracy           Value `json:"always_longer_accuracy"`  // equal lengths one half
	AlwaysShorterAccuracy          Value `json:"always_shorter_accuracy"` // equal lengths one half
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
		SpearmanRewardLength:           spearman(o.reward, o.length),
		PearsonRewardLength:            pearson(o.reward, o.length),
		KendallTauBRewardLength:        kendallTauB(o.reward, o.length),
		SpearmanMarginLengthDifference: spearman(o.margin, o.difference),
		SpearmanMarginConfidence:       spearman(o.margin, o.confidence),
		LongerChosenShare:              over(longer, longer+shorter),
		AccuracyWhereChosenShorter:     over(rightShorter, shorter),
		AccuracyWhereChosenLonger:      over(rightLonger, longer),
		AccuracyWhereEqualLength:       over(rightEqual, equal),
	}
	n := math.NaN()
	if o.length.most() > 0 {
		n = shorter + longer + equal
	} else {
		m.AccuracyWhereEqualLength = Value(math.NaN())
	}
	m.AlwaysLongerAccuracy, m.AlwaysShorterAccuracy = Value((longer+equal/2)/n), Value((shorter+equal/2)/n)
	return m
}
