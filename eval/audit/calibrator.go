package audit

import (
	"cmp"
	"math"
	"slices"

	"laurel/eval/stats"
)

// judged is a label whose gold names a side: how sure it is, and whether it
// is right.
type judged struct {
	confidence float64
	right      bool
}

func (j judged) outcome() float64 {
	if j.right {
		return 1
	}
	return 0
}

// The methods of calibration.
const (
	Raw         = "raw"
	Temperature = "temperature"
	Isotonic    = "isotonic"
)

// Calibrator maps the confidence of a label to the probability that it is
// right.
type Calibrator struct {
	Method string `json:"method"`
	// Temperature divides the logit of the confidence (Guo et al. 2017); null
	// where it is infinite: the confidence says nothing, and all become 1/2.
	Temperature stats.Value `json:"temperature"`
	// Knots of the isotonic map, by confidence; linear between them, constant
	// beyond.
	Knots []Knot `json:"knots,omitempty"`
}

// Knot is a point of an isotonic map.
type Knot struct {
	Confidence  float64 `json:"confidence"`
	Probability float64 `json:"probability"`
}

// Apply gives the probability that a label of this confidence is right.
func (c Calibrator) Apply(confidence float64) float64 {
	switch c.Method {
	case Temperature:
		return stats.Sigmoid(logit(confidence) / float64(c.Temperature))
	case Isotonic:
		return interpolate(c.Knots, confidence)
	}
	return confidence
}

// certain is as near to 0 and 1 as a logarithm is taken: a label that is sure
// and wrong costs 13.8 nats, not infinitely many.
const certain = 1e-6

func logit(p float64) float64 {
	p = min(max(p, certain), 1-certain)
	return math.Log(p / (1 - p))
}

// Bounds of 1/T. A larger one is asked for by labels that are all right,
// and changes nothing that can be told from 1.
const coldest = 100

// fitTemperature minimises the log loss over β = 1/T, in which it is convex:
//
//	L(β) = Σ softplus(-β s),  L'(β) = -Σ s σ(-β s),  s = ± logit(confidence)
//
// with + for a right label. Where L'(0) >= 0 the confidence does not help, and
// T is infinite; where every logit is 0 the temperature is 1.
func fitTemperature(labels []judged) Calibrator {
	signed, all0 := make([]float64, len(labels)), true
	for i, l := range labels {
		signed[i] = logit(l.confidence)
		if !l.right {
			signed[i] = -signed[i]
		}
		all0 = all0 && signed[i] == 0
	}
	slope := func(beta float64) float64 {
		sum := 0.0
		for _, s := range signed {
			sum -= s * stats.Sigmoid(-beta*s)
		}
		return sum
	}
	c := Calibrator{Method: Temperature, Temperature: 1}
	switch {
	case all0:
	case slope(0) >= 0:
		c.Temperature = stats.Value(math.Inf(1))
	case slope(coldest) < 0:
		c.Temperature = 1.0 / coldest
	default:
		c.Temperature = stats.Value(1 / root(slope, 0, coldest))
	}
	return c
}

// root halves the interval until it is as small as floats go.
func root(rising func(float64) float64, low, high float64) float64 {
	for range 100 {
		middle := (low + high) / 2
		if rising(middle) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// block is a run of confidences that the isotonic map sends to one value.
type block struct {
	first, last float64 // confidences
	sum, n      float64 // of outcomes
}

func (b block) mean() float64 { return b.sum / b.n }

// fitIsotonic pools adjacent violators (Ayer et al. 1955): the least-squares
// map among those that never fall. Labels of one confidence are one point.
func fitIsotonic(labels []judged) Calibrator {
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b judged) int { return cmp.Compare(a.confidence, b.confidence) })
	var blocks []block
	for _, l := range sorted {
		last := len(blocks) - 1
		if last >= 0 && blocks[last].last == l.confidence && blocks[last].first == l.confidence {
			blocks[last].sum += l.outcome()
			blocks[last].n++
			continue
		}
		blocks = append(pool(blocks), block{l.confidence, l.confidence, l.outcome(), 1})
	}
	c := Calibrator{Method: Isotonic, Temperature: stats.Value(math.NaN())}
	for _, b := range pool(blocks) {
		c.Knots = append(c.Knots, Knot{b.first, b.mean()})
		if b.last > b.first {
			c.Knots = append(c.Knots, Knot{b.last, b.mean()})
		}
	}
	return c
}

// pool merges the last blocks until their means rise.
func pool(blocks []block) []block {
	for n := len(blocks); n >= 2 && blocks[n-2].mean() >= blocks[n-1].mean(); n = len(blocks) {
		a, b := blocks[n-2], blocks[n-1]
		blocks = append(blocks[:n-2], block{a.first, b.last, a.sum + b.sum, a.n + b.n})
	}
	return blocks
}

func interpolate(knots []Knot, x float64) float64 {
	at, found := slices.BinarySearchFunc(knots, x, func(k Knot, x float64) int { return cmp.Compare(k.Confidence, x) })
	switch {
	case found:
		return knots[at].Probability
	case at == 0:
		return knots[0].Probability
	case at == len(knots):
		return knots[at-1].Probability
	}
	a, b := knots[at-1], knots[at]
	share := (x - a.Confidence) / (b.Confidence - a.Confidence)
	return a.Probability + share*(b.Probability-a.Probability)
}
