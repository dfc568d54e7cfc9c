package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Share is a share of n trials with its 95% interval.
type Share struct {
	N        int      `json:"n"`
	Share    Value    `json:"share"`
	Interval Interval `json:"interval_95"`
}

// String is the share in per cent, with its interval.
func (s Share) String() string {
	if !s.Share.Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%s (%s)", Percent(s.Share), s.Interval.percent())
}

// OfN is the share with the number of trials.
func (s Share) OfN() string {
	if s.N == 0 {
		return "none"
	}
	return fmt.Sprintf("%s of %d (%s)", Percent(s.Share), s.N, s.Interval.percent())
}

// Trials are yeses of so many trials, by prompt: several rows of a prompt, and
// a comparison's votes and orders, are not independent of one another. Their
// effective number, for Wilson's interval (1927; at an effective number: Korn and
// Graubard 1998), is p(1-p) over the variance of a ratio of sums over prompts
// (Kish 1965): the number of trials where they are independent, that of prompts
// where all trials of a prompt agree. It is never so large that the interval
// would be narrower than that of unanimous trials of the same prompts.
type Trials struct {
	prompt []int32
	yes, n []float32
}

// Add takes a row's trials.
func (t *Trials) Add(prompt int32, yes, n float64) {
	if n == 0 {
		return
	}
	t.prompt, t.yes, t.n = append(t.prompt, prompt), append(t.yes, float32(yes)), append(t.n, float32(n))
}

// Share has Wilson's interval at the effective number of trials.
func (t *Trials) Share() Share {
	byYes, byN := ByPrompt(t.prompt, t.yes), ByPrompt(t.prompt, t.n)
	var yes, n, yy, yn, nn float64
	for i, of := range byN {
		y := byYes[i]
		yes, n = yes+y, n+of
		yy, yn, nn = yy+y*y, yn+y*of, nn+of*of
	}
	if n == 0 {
		return Share{0, undefined(), Interval{undefined(), undefined()}}
	}
	p := yes / n
	effective := math.Min(n, noNarrower(p, n*n/nn))
	if variance := (yy - 2*p*yn + p*p*nn) / (n * n); variance > 0 {
		effective = math.Min(effective, p*(1-p)/variance)
	}
	return Share{int(n), Value(p), Wilson95(p, effective)}
}

// noNarrower is the number of trials at which Wilson's interval of a share p
// is as wide as that of a share of 1 (or 0) has with prompts trials. Unanimous
// trials do not tell how alike those of a prompt are, and count as alike
// throughout: n²/Σn² trials, the prompts where all have as many. A share short
// of unanimous must not be taken to know more, however alike its few
// exceptions make the trials look. With h half that width, q = p(1-p):
//
//	z √(mq + z²/4) = h (m + z²), solved for m
//
// At p = 1 it is prompts; for any p it is at least that.
func noNarrower(p, prompts float64) float64 {
	zz := Z95() * Z95()
	h := zz / (2 * (prompts + zz))
	b := zz*p*(1-p) - 2*h*h*zz
	c := zz * zz * (h*h - 0.25)
	return (b + math.Sqrt(b*b-4*h*h*c)) / (2 * h * h)
}

// Difference is a mean of n paired differences with its 95% interval.
type Difference struct {
	N        int      `json:"n"`
	Mean     Value    `json:"mean"`
	Interval Interval `json:"interval_95"`
}

// String is the mean in per cent, with its interval where it has one.
func (d Difference) String() string {
	if !d.Interval[0].Defined() {
		return Percent(d.Mean)
	}
	return fmt.Sprintf("%s (%s)", Percent(d.Mean), d.Interval.percent())
}

// Differences are paired differences, one a comparison.
type Differences struct {
	prompt []int32
	x      []float64
}

// Add takes in a row's difference, under the number of its prompt.
func (d *Differences) Add(prompt int32, x float64) {
	d.prompt, d.x = append(d.prompt, prompt), append(d.x, x)
}

// Mean has the normal interval, of the variance between prompts; one prompt has
// none.
func (d *Differences) Mean() Difference {
	n := float64(len(d.x))
	m := float64(Mean(d.x))
	prompts, squares := 0.0, 0.0
	off := make([]float64, len(d.x))
	counted := make([]float64, len(d.x))
	for i, x := range d.x {
		off[i], counted[i] = x-m, 1
	}
	rows := ByPrompt(d.prompt, counted)
	for i, sum := range ByPrompt(d.prompt, off) {
		prompts += Indicator(rows[i] > 0)
		squares += sum * sum
	}
	half := math.NaN()
	if prompts >= 2 {
		half = Z95() * math.Sqrt(squares*prompts/(prompts-1)) / n
	}
	return Difference{len(d.x), Value(m), Interval{Value(m - half), Value(m + half)}}
}

// Z95 is the half width of a 95% interval in standard deviations of a normal.
func Z95() float64 { return distuv.UnitNormal.Quantile(0.975) }
