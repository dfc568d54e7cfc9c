package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Correlation is Spearman's with its 95% interval.
type Correlation struct {
	N        int      `json:"n"`
	Spearman Value    `json:"spearman"`
	Interval Interval `json:"interval_95"`
}

// String has two decimals, and the interval where there is one.
func (c Correlation) String() string {
	switch {
	case !c.Spearman.Defined():
		return "n/a"
	case !c.Interval[0].Defined():
		return fmt.Sprintf("%.2f", c.Spearman)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", c.Spearman, c.Interval[0], c.Interval[1])
}

// Correlate has the interval of Fisher's z with the larger of two variances:
// Bonett and Wright's (Psychometrika 2000), (1 + r²/2)/(n-3), where n is divided
// by the design effect of the prompts; and that between prompts, of the sums of
// each row's influence on r, which rows of unlike spread make larger.
func Correlate(prompt []int32, x, y []float64) Correlation {
	c := Correlation{len(x), undefined(), Interval{undefined(), undefined()}}
	if len(x) < 2 {
		return c
	}
	ox, oy := OrderOf(x), OrderOf(y)
	c.Spearman = Spearman(ox, oy)
	r := float64(c.Spearman)
	if !(math.Abs(r) < 1) {
		return c
	}
	influence := onCorrelation(ox.rank, oy.rank, r)
	if n := float64(len(x)) / DesignEffect(prompt, influence); n > 3 {
		between := 0.0
		for _, sum := range ByPrompt(prompt, influence) {
			between += sum * sum / float64(len(x)) / float64(len(x))
		}
		half := Z95() * math.Sqrt(math.Max((1+r*r/2)/(n-3), between/(1-r*r)/(1-r*r)))
		c.Interval = Interval{Value(math.Tanh(math.Atanh(r) - half)), Value(math.Tanh(math.Atanh(r) + half))}
	}
	return c
}

// onCorrelation is each row's influence on Pearson's r: uv - r(u² + v²)/2, of
// the standardised columns.
func onCorrelation(x, y []float64, r float64) []float64 {
	mx, sx := stat.PopMeanStdDev(x, nil)
	my, sy := stat.PopMeanStdDev(y, nil)
	out := make([]float64, len(x))
	for i := range x {
		u, v := (x[i]-mx)/sx, (y[i]-my)/sy
		out[i] = u*v - r*(u*u+v*v)/2
	}
	return out
}
