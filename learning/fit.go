package learning

import (
	"math"

	"laurel/eval/stats"
)

// Fit is the power law of learning curves (Hestness et al. 2017; Viering and Loog
// 2023 compare others): with n training pairs
//
//	accuracy = a - b n^(-c)     a ≤ 1, b ≥ 0, 0.01 ≤ c ≤ 3
//
// by least squares over the sizes. Beyond the largest size it is a guess, whose
// interval holds what the bootstrap moves, not that the law may be wrong.
type Fit struct {
	A     stats.Value  `json:"a"`
	B     stats.Value  `json:"b"`
	C     stats.Value  `json:"c"`
	Error stats.Value  `json:"root_mean_square_error"` // at the sizes
	Ahead []Prediction `json:"ahead"`
}

// Prediction is what the law says of another number of pairs.
type Prediction struct {
	Pairs    stats.Value    `json:"pairs"`
	Accuracy stats.Value    `json:"accuracy"`
	Interval stats.Interval `json:"interval_95"`
}

// leastSizes that three coefficients are fitted to.
const leastSizes = 4

// law is accuracy = a - b n^(-c).
type law struct{ a, b, c float64 }

func (l law) at(n float64) float64 { return l.a - l.b*math.Pow(n, -l.c) }

// fitWith fits the sizes' accuracies, and each draw of them.
func fitWith(pairs, accuracy []float64, draws [][]float64) *Fit {
	if len(pairs) < leastSizes {
		return nil
	}
	best, square := fitLaw(pairs, accuracy)
	f := &Fit{A: stats.Value(best.a), B: stats.Value(best.b), C: stats.Value(best.c), Error: stats.Value(math.Sqrt(square / float64(len(pairs))))}
	laws := make([]law, len(draws))
	for b, d := range draws {
		laws[b], _ = fitLaw(pairs, d)
	}
	for _, times := range []float64{2, 4} {
		n := times * pairs[len(pairs)-1]
		each := make([]float64, len(laws))
		for b, l := range laws {
			each[b] = l.at(n)
		}
		f.Ahead = append(f.Ahead, Prediction{stats.Value(n), stats.Value(best.at(n)), stats.Central95(each)})
	}
	return f
}

// Bounds of c, and how finely it is sought: on a grid of its logarithm, then by
// golden section between the neighbours of the best.
const (
	leastC, mostC = 0.01, 3
	gridOfC       = 40
	sections      = 40
)

// fitLaw gives the law and its sum of squares.
func fitLaw(n, accuracy []float64) (best law, square float64) {
	at := func(logC float64) (law, float64) { return fitLine(n, accuracy, math.Exp(logC)) }
	low, step := math.Log(leastC), math.Log(mostC/leastC)/gridOfC
	square = math.Inf(1)
	centre := low
	for k := range gridOfC + 1 {
		if l, s := at(low + float64(k)*step); s < square {
			best, square, centre = l, s, low+float64(k)*step
		}
	}
	from, to := math.Max(low, centre-step), math.Min(math.Log(mostC), centre+step)
	for range sections {
		one, two := to-(to-from)/math.Phi, from+(to-from)/math.Phi
		l1, s1 := at(one)
		l2, s2 := at(two)
		if s1 < s2 {
			to = two
		} else {
			from, l1, s1 = one, l2, s2
		}
		if s1 < square {
			best, square = l1, s1
		}
	}
	return best, square
}

// fitLine is least squares for one c, within the bounds of a and b.
func fitLine(n, accuracy []float64, c float64) (law, float64) {
	x, meanX, meanY := make([]float64, len(n)), 0.0, 0.0
	for i := range n {
		x[i] = math.Pow(n[i]/n[0], -c) // of about 1: the smallest size's is 1
		meanX, meanY = meanX+x[i]/float64(len(n)), meanY+accuracy[i]/float64(len(n))
	}
	xx, xy, over, overX := 0.0, 0.0, 0.0, 0.0
	for i := range n {
		xx, xy = xx+(x[i]-meanX)*(x[i]-meanX), xy+(x[i]-meanX)*(accuracy[i]-meanY)
		over, overX = over+x[i]*x[i], overX+x[i]*(1-accuracy[i])
	}
	b := math.Max(0, -xy/xx)
	a := meanY + b*meanX
	if a > 1 {
		a, b = 1, math.Max(0, overX/over)
	}
	square := 0.0
	for i := range n {
		off := a - b*x[i] - accuracy[i]
		square += off * off
	}
	return law{a, b * math.Pow(n[0], c), c}, square
}
