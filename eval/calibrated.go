package eval

import (
	"fmt"
	"math"
	"slices"

	"laurel/eval/stats"
)

// Calibration says how far σ(margin) is a probability, what a temperature mends,
// and how far the margin's size tells which pairs are ranked right.
type Calibration struct {
	ECE           stats.Interval `json:"ece_symmetric_interval_95"`
	ECEConfidence stats.Interval `json:"ece_confidence_interval_95"`
	Method        string         `json:"method"` // of these and of margin_auroc's
	// Fitted is the temperature of these very pairs; null where none fits best. What
	// it does to them is not reported.
	Fitted *Temperature `json:"fitted_temperature"`
	// Calibrated is what a temperature does to pairs that it was not fitted on; null
	// where there is none.
	Calibrated *Calibrated    `json:"calibrated"`
	Note       string         `json:"note,omitempty"` // why the stored temperature is not applied
	AUROC      stats.Value    `json:"margin_auroc"`   // chance that a pair ranked right has a wider margin than one ranked wrong; ties one half
	AUROCIn    stats.Interval `json:"margin_auroc_interval_95"`
	Risk       MarginRisk     `json:"risk_coverage"`
}

// The sources of a temperature.
const (
	StoredTemperature = "stored"       // with the model
	CrossFitted       = "cross-fitted" // each half of the prompts by that of the other
)

// Calibrated compares figures at a temperature with those at T = 1; differences
// below 0 are gains.
type Calibrated struct {
	Source       string        `json:"source"`
	Temperatures []stats.Value `json:"temperatures"` // of stored one, of cross-fitted those of both halves
	Loss         Change        `json:"bt_loss"`      // model: at the temperature; other: at 1
	ECE          Change        `json:"ece_symmetric"`
}

// MarginRisk says what leaving out the pairs of narrow margins buys. Ties are one
// half wrong.
type MarginRisk struct {
	AURC  stats.Value       `json:"aurc"`
	Curve []stats.RiskPoint `json:"curve"` // thresholds are margins, whatever their sign
	// The threshold is the least margin from which on the pairs of one half of the
	// prompts are as precise as wanted; null where none is. Precision and coverage
	// are those of the other half.
	Wanted    float64     `json:"wanted_precision"`
	Threshold stats.Value `json:"threshold"`
	Precision stats.Share `json:"precision"`
	Coverage  stats.Share `json:"coverage"`
}

func (p pairs) calibration(rows []Row, cfg Config) (*Calibration, error) {
	c := &Calibration{}
	p.calibrationIntervals(c, cfg)
	c.Risk = p.marginRisk(cfg)
	var err error
	if c.Fitted, err = fitTemperature(p.margin, p.prompt); err != nil {
		return nil, err
	}
	if c.Fitted != nil {
		c.Fitted.Prompts, c.Fitted.SHA256 = p.prompts, pairsSHA256(rows)
	}
	stored := cfg.Stored
	if stored != nil && stored.SHA256 != "" && stored.SHA256 == pairsSHA256(rows) {
		c.Note = fmt.Sprintf("the temperature stored with the model, %v, was fitted on these very pairs and is not applied to them", stored.Value)
		stored = nil
	}
	c.Calibrated, err = p.calibrated(stored, cfg)
	return c, err
}

// calibrated applies the stored temperature, or those of a cross-fit.
func (p pairs) calibrated(stored *Temperature, cfg Config) (*Calibrated, error) {
	out := &Calibrated{Source: StoredTemperature}
	var margin []float64
	if stored != nil {
		out.Temperatures = []stats.Value{stored.Value}
		for _, m := range p.margin {
			margin = append(margin, m/float64(stored.Value))
		}
	} else {
		out.Source = CrossFitted
		var err error
		if margin, out.Temperatures, err = p.crossFitted(cfg.Seed); err != nil || margin == nil {
			return nil, err
		}
	}
	out.Loss, out.ECE = p.changes(margin, p.margin, cfg)
	return out, nil
}

// crossFitted divides the margins of each half of the prompts by the temperature
// of the other half; nil where a half has none.
func (p pairs) crossFitted(seed uint64) (margin []float64, temperatures []stats.Value, err error) {
	margin = slices.Clone(p.margin)
	for _, first := range []bool{true, false} {
		var fit []float64
		var prompts []int32
		for i, m := range p.margin {
			if p.inFirstHalf(i, seed) == first {
				fit, prompts = append(fit, m), append(prompts, p.prompt[i])
			}
		}
		t, err := fitTemperature(fit, prompts)
		if err != nil || t == nil {
			return nil, nil, err
		}
		temperatures = append(temperatures, t.Value)
		for i := range margin {
			if p.inFirstHalf(i, seed) != first {
				margin[i] = p.margin[i] / float64(t.Value)
			}
		}
	}
	return margin, temperatures, nil
}

func (p pairs) inFirstHalf(i int, seed uint64) bool {
	return stats.FirstHalf(uint64(p.prompt[i]), seed)
}

// calibrationIntervals fill the calibration errors' intervals and how far margins tell
// right from wrong, by one bootstrap over prompts.
func (p pairs) calibrationIntervals(c *Calibration, cfg Config) {
	n, once := p.resamples(cfg), p.once()
	symmetric, confidence, widths := p.symmetricGaps(p.margin, cfg.Bins), p.confidenceGaps(p.margin, cfg.Bins), p.widths()
	var a, b, tells []float64
	p.eachResample(n, cfg.Seed, func(times []float64) {
		a, b = append(a, symmetric.error(times)), append(b, confidence.error(times))
		if x := p.auroc(widths, times); stats.Finite(x) {
			tells = append(tells, x)
		}
	})
	c.ECE = notBelow0(stats.Pivotal95(symmetric.error(once), a))
	c.ECEConfidence = notBelow0(stats.Pivotal95(confidence.error(once), b))
	c.AUROC = stats.Value(p.auroc(widths, once))
	c.AUROCIn = stats.Interval{stats.Value(math.NaN()), stats.Value(math.NaN())}
	if c.AUROC.Defined() && len(tells) > 0 { // few resamples of few pairs may all be right, or all wrong
		c.AUROCIn = stats.Central95(tells)
	}
	c.Method = fmt.Sprintf("bootstrap over prompts, %d resamples, 95%%: basic for calibration errors, percentile for margin_auroc", n)
}

func (p pairs) widths() stats.Order {
	width := make([]float64, len(p.margin))
	for i, m := range p.margin {
		width[i] = math.Abs(m)
	}
	return stats.OrderOf(width)
}

// auroc is the Mann-Whitney statistic of the margins' widths, right pairs against
// wrong ones, of prompts that count so many times; a tie is one half of each.
func (p pairs) auroc(width stats.Order, times []float64) float64 {
	right, wrong, sum := 0.0, 0.0, 0.0
	for lo := 0; lo < len(width.From); {
		hi, moreRight, moreWrong := lo, 0.0, 0.0
		for ; hi < len(width.From) && width.At(hi) == width.At(lo); hi++ {
			i := width.From[hi]
			k := times[p.prompt[i]]
			moreRight, moreWrong = moreRight+k*p.right[i], moreWrong+k*(1-p.right[i])
		}
		sum += moreRight * (wrong + moreWrong/2)
		right, wrong = right+moreRight, wrong+moreWrong
		lo = hi
	}
	return sum / right / wrong
}

func (p pairs) marginRisk(cfg Config) MarginRisk {
	r := MarginRisk{Wanted: cfg.Precision}
	width := make([]float64, len(p.margin))
	var fitWidth, fitRight []float64
	for i, m := range p.margin {
		width[i] = math.Abs(m)
		if p.inFirstHalf(i, cfg.Seed) {
			fitWidth, fitRight = append(fitWidth, width[i]), append(fitRight, p.right[i])
		}
	}
	r.Curve, r.AURC = stats.RiskCurve(width, p.right)
	r.Threshold = stats.PrecisionThreshold(fitWidth, fitRight, cfg.Precision)
	var right, kept stats.Trials
	for i := range width {
		if p.inFirstHalf(i, cfg.Seed) {
			continue
		}
		keep := width[i] >= float64(r.Threshold)
		kept.Add(p.prompt[i], stats.Indicator(keep), 1)
		if keep {
			right.Add(p.prompt[i], p.right[i], 1)
		}
	}
	r.Precision, r.Coverage = right.Share(), kept.Share()
	return r
}
