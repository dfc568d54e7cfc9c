package eval

import (
	"fmt"
	"math"

	"laurel/eval/stats"
)

// LengthControlled is the accuracy that is left where both responses are as long,
// by the regression of length-controlled AlpacaEval (Dubois et al. 2024): with Δ
// the length of chosen minus rejected and sd its standard deviation,
//
//	logit P(right) = β + φ tanh(Δ/sd)     accuracy at equal length = σ(β)
//
// A tie is one half right. β and φ have weak normal priors of standard deviation
// 10, without which neither would be finite where length decides every pair. Intervals are those of the coefficients,
// by the larger of two variances: the model's and that between prompts.
type LengthControlled struct {
	Accuracy stats.Value    `json:"accuracy"`
	Interval stats.Interval `json:"accuracy_interval_95"`
	Effect   stats.Value    `json:"length_effect"` // φ: above 0 the longer response is ranked higher
	EffectIn stats.Interval `json:"length_effect_interval_95"`
	SD       stats.Value    `json:"length_difference_sd"` // characters
}

// lengthL2 is one over the priors' variance.
const lengthL2 = 1. / (10 * 10)

// lengthControlled is nil where lengths are unknown, or equal in every pair. The
// rows of the regression are labelled by sign; a tie is a row of each label at
// half the weight.
func (p pairs) lengthControlled() (*LengthControlled, error) {
	sd := math.Sqrt(stats.Variance(p.difference))
	if !(sd > 0) {
		return nil, nil
	}
	l := stats.Logistic{Dim: 2, L2: lengthL2}
	at, prompt := []int32{0, 1}, []int32{}
	add := func(i int, sign, weight float64) {
		x := []float64{sign, sign * math.Tanh(p.difference[i]/sd)}
		l.Rows, l.Weight, prompt = append(l.Rows, stats.Sparse{At: at, X: x}), append(l.Weight, weight), append(prompt, p.prompt[i])
	}
	for i, right := range p.right {
		if right > 0 {
			add(i, 1, right)
		}
		if right < 1 {
			add(i, -1, 1-right)
		}
	}
	theta, err := l.Fit()
	if err != nil {
		return nil, fmt.Errorf("evaluate: length-controlled accuracy: %w", err)
	}
	spread, err := widest(l, theta, prompt)
	if err != nil {
		return nil, fmt.Errorf("evaluate: length-controlled accuracy: %w", err)
	}
	beta, half := theta[0], stats.Z95()*spread[0]
	return &LengthControlled{
		Accuracy: stats.Value(stats.Sigmoid(beta)), Interval: stats.Interval{stats.Value(stats.Sigmoid(beta - half)), stats.Value(stats.Sigmoid(beta + half))},
		Effect: stats.Value(theta[1]), EffectIn: stats.Around(theta[1], spread[1]), SD: stats.Value(sd),
	}, nil
}

// widest are the standard errors of coefficients, of the larger of both variances.
func widest(l stats.Logistic, theta []float64, prompt []int32) ([]float64, error) {
	model, robust, err := l.Covariance(theta, prompt)
	if err != nil {
		return nil, err
	}
	out := make([]float64, l.Dim)
	for i := range out {
		variance := model.At(i, i)
		if robust != nil {
			variance = math.Max(variance, robust.At(i, i))
		}
		out[i] = math.Sqrt(variance)
	}
	return out, nil
}

// accuracy is n/a where there is none.
func (l *LengthControlled) accuracy() string {
	if l == nil {
		return "n/a"
	}
	return l.Accuracy.String()
}

func (l *LengthControlled) note() string {
	if l == nil {
		return "lengths unknown, or differ alike in every pair"
	}
	return fmt.Sprintf("95%% %v, predicted at equal length; length effect %v (%v)", l.Interval, l.Effect, l.EffectIn)
}
