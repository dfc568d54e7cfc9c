package drift

import (
	"math"
	"slices"

	"laurel/eval/stats"
)

// Compared are two samples of a quantity, one value a prompt, set side by side.
type Compared struct {
	Name   string         `json:"name"`
	N      [2]int         `json:"n"` // of the reference, of the data
	Median [2]stats.Value `json:"median"`
	KS     stats.Value    `json:"ks"`     // the largest distance of the two distribution functions
	P      stats.Value    `json:"p"`      // of so large a KS where both are drawn from one distribution
	Energy stats.Value    `json:"energy"` // 0: alike, 1: each a constant of its own
}

// compare sets two samples side by side. The Kolmogorov-Smirnov p is asymptotic,
// with Stephens' correction (JRSS B 1970):
//
//	p = 2 Σ_{k≥1} (−1)^{k−1} exp(−2k²λ²), λ = (√e + 0.12 + 0.11/√e) KS, e = nm/(n+m)
//
// Energy is the coefficient of Székely and Rizzo (2013), (2E|X−Y| − E|X−X'| −
// E|Y−Y'|) / 2E|X−Y|, which in one dimension is ∫(F−G)² over ∫ F(1−G) + G(1−F).
func compare(name string, a, b []float64) Compared {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	undefined := stats.Over(0, 0)
	c := Compared{Name: name, N: [2]int{len(a), len(b)}, Median: [2]stats.Value{undefined, undefined}, KS: undefined, P: undefined, Energy: undefined}
	if len(a) == 0 || len(b) == 0 {
		return c
	}
	c.Median = [2]stats.Value{stats.Value(stats.Quantile(a, 0.5)), stats.Value(stats.Quantile(b, 0.5))}
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	ks, apart, between := 0.0, 0.0, 0.0
	i, j := 0, 0
	for k, x := range all {
		for i < len(a) && a[i] <= x {
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		f, g := float64(i)/float64(len(a)), float64(j)/float64(len(b))
		ks = math.Max(ks, math.Abs(f-g))
		if k+1 < len(all) {
			width := all[k+1] - x
			apart += width * (f - g) * (f - g)
			between += width * (f*(1-g) + g*(1-f))
		}
	}
	c.KS, c.P = stats.Value(ks), stats.Value(kolmogorov(ks, len(a), len(b)))
	c.Energy = 0
	if between > 0 {
		c.Energy = stats.Value(apart / between)
	}
	return c
}

func kolmogorov(ks float64, n, m int) float64 {
	root := math.Sqrt(float64(n) * float64(m) / float64(n+m))
	lambda := (root + 0.12 + 0.11/root) * ks
	if lambda < 0.2 { // where the sum does not converge, and p is 1 to twelve digits
		return 1
	}
	p, sign := 0.0, 2.0
	for k := 1.0; k <= 100; k++ {
		p += sign * math.Exp(-2*k*k*lambda*lambda)
		sign = -sign
	}
	return math.Max(0, math.Min(1, p))
}

// Layout is the share of responses that have something, by prompt.
type Layout struct {
	Name       string         `json:"name"`
	Share      [2]stats.Value `json:"share"`      // of the reference, of the data
	Difference stats.Value    `json:"difference"` // data minus reference
	Interval   stats.Interval `json:"interval_95"`
}

// layout has the normal interval of the difference of two means over prompts.
func layout(name string, a, b []float64) Layout {
	l := Layout{Name: name, Share: [2]stats.Value{stats.Mean(a), stats.Mean(b)}}
	l.Difference = l.Share[1] - l.Share[0]
	half := stats.Over(0, 0)
	if len(a) > 1 && len(b) > 1 {
		half = stats.Value(stats.Z95() * math.Sqrt(stats.Variance(a)/float64(len(a))+stats.Variance(b)/float64(len(b))))
	}
	l.Interval = stats.Interval{l.Difference - half, l.Difference + half}
	return l
}
