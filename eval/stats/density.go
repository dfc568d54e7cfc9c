package stats

import (
	"math"
	"slices"
)

// Density is an estimate of a density at evenly spaced points from Low to High.
type Density struct {
	Low       float64   `json:"low"`
	High      float64   `json:"high"`
	Bandwidth float64   `json:"bandwidth"` // standard deviation of the kernel
	Values    []float64 `json:"values"`    // per unit of x
}

// densityCells holds the values for the sum over the kernel: much finer than any
// bandwidth that the rule below gives within the frame.
const densityCells = 8192

// NewDensity is the Gaussian kernel estimate with Silverman's bandwidth (Density
// Estimation, 1986, eq. 3.31), 0.9 min(sd, IQR/1.34) n^(-1/5). Values are
// spread linearly over the two neighbours among a fine grid's points (Wand 1994),
// so that the work does not grow with their number. ok is false where x has no
// spread to estimate from. What lies beyond low and high counts as a part of the
// whole, and is not seen.
func NewDensity(x []float64, low, high float64, points int) (d Density, ok bool) {
	h := silverman(x)
	if !(h > 0) || !(high > low) {
		return d, false
	}
	reach := 5 * h // the kernel of values just outside reaches in
	from, step := low-reach, (high-low+2*reach)/(densityCells-1)
	weight := make([]float64, densityCells)
	for _, v := range x {
		at := (v - from) / step
		if k := int(math.Floor(at)); at >= 0 && k < densityCells-1 {
			weight[k] += float64(k+1) - at
			weight[k+1] += at - float64(k)
		}
	}
	d = Density{low, high, h, make([]float64, points)}
	for i := range d.Values {
		centre := low + (high-low)*float64(i)/float64(points-1)
		for k, w := range weight {
			if z := (from + float64(k)*step - centre) / h; w > 0 && math.Abs(z) < 9 {
				d.Values[i] += w * math.Exp(-z*z/2)
			}
		}
		d.Values[i] /= float64(len(x)) * h * math.Sqrt(2*math.Pi)
	}
	return d, true
}

func silverman(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	spread := math.Sqrt(Variance(x))
	if iqr := Quantile(sorted, 0.75) - Quantile(sorted, 0.25); iqr > 0 {
		spread = math.Min(spread, iqr/1.34)
	}
	return 0.9 * spread * math.Pow(float64(len(x)), -0.2)
}
