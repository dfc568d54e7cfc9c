package stats

import "math"

// Bin is one equal-width bin of predicted probability: how many predictions
// fell in, their mean, and the observed share of right ones.
type Bin struct {
	Bin      int   `json:"bin"`
	Count    int   `json:"count"`
	MeanP    Value `json:"mean_p"`
	Observed Value `json:"observed"`
}

// Softplus is log(1 + e^x), stable for any x: the Bradley-Terry loss of a
// margin m is softplus(-m) = -log sigmoid(m).
func Softplus(x float64) float64 {
	return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// Sigmoid keeps full precision at both ends: 1 - sigmoid(m) is sigmoid(-m).
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// Binning sums predictions and outcomes over equal-width bins of [0, 1]:
// [k/K, (k+1)/K), the last one closed. Every slice is [K].
type Binning struct {
	count                   []int
	predicted, seen, spread []float64 // spread: sums of p(1-p)
}

// NewBinning has k bins of equal width over [0, 1], all empty.
func NewBinning(k int) Binning {
	return Binning{make([]int, k), make([]float64, k), make([]float64, k), make([]float64, k)}
}

// Add counts a prediction p, and its outcome: 1 for right, 0 for wrong, one half for
// a tie.
func (b Binning) Add(p, outcome float64) {
	k := BinOf(p, len(b.count))
	b.count[k]++
	b.predicted[k] += p
	b.seen[k] += outcome
	b.spread[k] += p * (1 - p)
}

// BinOf compares with the edges themselves, since p*K may round across one.
func BinOf(p float64, bins int) int {
	k := min(int(p*float64(bins)), bins-1)
	switch {
	case k > 0 && p < float64(k)/float64(bins):
		return k - 1
	case k+1 < bins && p >= float64(k+1)/float64(bins):
		return k + 1
	}
	return k
}

// Error is the expected calibration error: the mean over predictions of
// their bin's |mean predicted - mean observed|.
func (b Binning) Error() Value {
	gap, n := 0.0, 0
	for k, count := range b.count {
		gap += math.Abs(zeroed(b.predicted[k]-b.seen[k], b.predicted[k]+b.seen[k], count))
		n += count
	}
	return Over(gap, float64(n))
}

// ByChance is about what the error would be, were every p right and the
// outcomes independent: the mean of the absolute value of a normal variable in
// each bin.
func (b Binning) ByChance() Value {
	gap, n := 0.0, 0
	for k, count := range b.count {
		gap += math.Sqrt(2 / math.Pi * b.spread[k])
		n += count
	}
	return Over(gap, float64(n))
}

// Bins are the bins with their means; those of an empty one are not known.
func (b Binning) Bins() []Bin {
	out := make([]Bin, len(b.count))
	for k, count := range b.count {
		n := float64(count)
		out[k] = Bin{k, count, Over(b.predicted[k], n), Over(b.seen[k], n)}
	}
	return out
}
