package trainer

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"laurel/data/batches"
)

// objective is BradleyTerryLoss of all pairs as one batch, from their rewards, in
// float64: what training minimises, of pairs that it does not see, without
// dropout.
func (c Config) objective(pair func(i int) (batches.PairInfo, error), chosen, rejected []float32) (float64, error) {
	var sum, norm, square float64
	for i := range chosen {
		p, err := pair(i)
		if err != nil {
			return 0, err
		}
		weight, target, margin := 1.0, 1.0, 0.0
		switch c.Confidence {
		case "weight":
			weight = p.Confidence
		case "soft":
			target = p.Confidence
		}
		if c.Margin {
			margin = p.Margin
		}
		target = target*(1-c.LabelSmoothing) + (1-target)*c.LabelSmoothing
		a, b := float64(chosen[i]), float64(rejected[i])
		d := a - b - margin
		sum += weight * (math.Max(d, 0) + math.Log1p(math.Exp(-math.Abs(d))) - target*d)
		norm += weight
		square += (a + b) * (a + b)
	}
	n := float64(len(chosen))
	if c.Normalize == "mean" {
		norm = n
	}
	return sum/cmp.Or(norm, 1) + c.CenterRewardsCoefficient*square/n, nil
}

// LossName says what the loss of this configuration is, beyond Bradley and
// Terry's.
func (c Config) LossName() string {
	var with []string
	switch c.Confidence {
	case "weight":
		with = append(with, "weighted by confidence")
	case "soft":
		with = append(with, "soft labels")
	}
	if c.LabelSmoothing > 0 {
		with = append(with, fmt.Sprintf("smoothing %v", c.LabelSmoothing))
	}
	if c.Margin {
		with = append(with, "margins")
	}
	if c.CenterRewardsCoefficient > 0 {
		with = append(with, fmt.Sprintf("centring %v", c.CenterRewardsCoefficient))
	}
	if len(with) == 0 {
		return "Bradley-Terry loss"
	}
	return "Bradley-Terry loss: " + strings.Join(with, ", ")
}
