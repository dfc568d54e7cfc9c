package eval

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Share is a share of n trials with its 95% interval.
type Share struct {
	N        int      `json:"n"`
	Share    Value    `json:"share"`
	Interval [2]Value `json:"interval_95"`
}

// shareOf is the share of independent trials, with Wilson's interval.
func shareOf(k, n int) Share {
	p := over(float64(k), float64(n))
	return Share{n, p, wilson95(float64(p), float64(n))}
}

// trials sums yeses over comparisons, whose several votes and orders are not
// independent of one another.
type trials struct {
	yes, n      float64
	yy, yn, nn  float64 // sums over comparisons of squares and products
	comparisons float64
}

// add takes one comparison's trials.
func (t *trials) add(yes, n float64) {
	if n == 0 {
		return
	}
	t.yes, t.n, t.comparisons = t.yes+yes, t.n+n, t.comparisons+1
	t.yy, t.yn, t.nn = t.yy+yes*yes, t.yn+yes*n, t.nn+n*n
}

// share has Wilson's interval at the effective number of trials, which is
// p(1-p) over the variance of a ratio of sums over clusters (Kish 1965): the
// number of trials where they are independent, that of comparisons where all
// trials of a comparison agree.
func (t trials) share() Share {
	p := float64(over(t.yes, t.n))
	effective := t.n
	if variance := (t.yy - 2*p*t.yn + p*p*t.nn) / (t.n * t.n); variance > 0 && p > 0 && p < 1 {
		effective = math.Min(t.n, p*(1-p)/variance)
	} else if p == 0 || p == 1 {
		effective = t.comparisons
	}
	return Share{int(t.n), Value(p), wilson95(p, effective)}
}

// Difference is a mean of n paired differences with its 95% interval.
type Difference struct {
	N        int      `json:"n"`
	Mean     Value    `json:"mean"`
	Interval [2]Value `json:"interval_95"`
}

// differences sums paired differences, one a comparison.
type differences struct{ n, sum, squares float64 }

func (d *differences) add(x float64) { d.n, d.sum, d.squares = d.n+1, d.sum+x, d.squares+x*x }

// mean has the normal interval; one difference has none.
func (d differences) mean() Difference {
	m := float64(over(d.sum, d.n))
	half := math.NaN()
	if d.n >= 2 {
		half = z95() * math.Sqrt(math.Max(0, d.squares-d.n*m*m)/(d.n-1)/d.n)
	}
	return Difference{int(d.n), Value(m), [2]Value{Value(m - half), Value(m + half)}}
}

// Correlation is Spearman's with its 95% interval.
type Correlation struct {
	N        int      `json:"n"`
	Spearman Value    `json:"spearman"`
	Interval [2]Value `json:"interval_95"`
}

// correlate has the interval of Bonett and Wright (Psychometrika 2000), of
// Fisher's z with the variance (1 + r²/2)/(n-3).
func correlate(x, y []float64) Correlation {
	undefined := Value(math.NaN())
	c := Correlation{len(x), undefined, [2]Value{undefined, undefined}}
	if len(x) < 2 {
		return c
	}
	c.Spearman = spearman(orderOf(x), orderOf(y))
	r := float64(c.Spearman)
	if n := float64(len(x)); n > 3 && math.Abs(r) < 1 {
		half := z95() * math.Sqrt((1+r*r/2)/(n-3))
		c.Interval = [2]Value{Value(math.Tanh(math.Atanh(r) - half)), Value(math.Tanh(math.Atanh(r) + half))}
	}
	return c
}

func z95() float64 { return distuv.UnitNormal.Quantile(0.975) }
