package eval

import (
	"math"

	"laurel/eval/stats"
)

// Metrics are the statistics of one set of pairs, under the key names of
// report.json. Margin is chosen minus rejected reward, p = sigmoid(margin),
// weights are the labels' confidences.
type Metrics struct {
	N    int `json:"n"`
	Ties int `json:"ties"` // pairs of equal rewards
	// Prompts counts different ones; a pair whose prompt is not known is one by
	// itself.
	Prompts int `json:"prompts"`

	AccuracyTiesHalf         stats.Value `json:"accuracy_ties_half"`
	AccuracyStrict           stats.Value `json:"accuracy_strict"`
	WeightedAccuracyTiesHalf stats.Value `json:"weighted_accuracy_ties_half"`
	WeightedAccuracyStrict   stats.Value `json:"weighted_accuracy_strict"`

	MarginMean      stats.Value `json:"margin_mean"`
	MarginMedian    stats.Value `json:"margin_median"`
	MarginStd       stats.Value `json:"margin_std_ddof1"`
	MarginMin       stats.Value `json:"margin_min"`
	MarginMax       stats.Value `json:"margin_max"`
	MarginQuantiles Quantiles   `json:"margin_quantiles_linear"`
	CohensDPooled   stats.Value `json:"cohens_d_pooled"`
	CohensDPaired   stats.Value `json:"cohens_d_paired"`
	ROCAUC          stats.Value `json:"roc_auc"`

	BTLossMean       stats.Value `json:"bt_loss_mean"`
	BTLossWeighted   stats.Value `json:"bt_loss_weighted"`
	LogLossSoft      stats.Value `json:"log_loss_soft"`
	LogLossSymmetric stats.Value `json:"log_loss_symmetric"`
	Brier            stats.Value `json:"brier"`
	BrierSymmetric   stats.Value `json:"brier_symmetric"`

	ECEChosenOnly    stats.Value `json:"ece_chosen_only"`
	ECESymmetric     stats.Value `json:"ece_symmetric"`
	ECEConfidence    stats.Value `json:"ece_confidence"`
	ECEBinsSymmetric []stats.Bin `json:"ece_bins_symmetric"`

	ConfidenceMin    stats.Value `json:"confidence_min"` // of the labels
	ConfidenceMean   stats.Value `json:"confidence_mean"`
	ConfidenceMax    stats.Value `json:"confidence_max"`
	LabelAbove90     stats.Value `json:"confidence_above_0.9_share"`
	PredictedAbove99 stats.Value `json:"predicted_above_0.99_share"` // max(p, 1-p) > 0.99

	LengthMetrics
	LengthControlled *LengthControlled `json:"length_controlled"` // null where lengths are unknown, or differ alike in every pair

	// The first two are of accuracy_ties_half and accuracy_strict: Wilson's, at the
	// effective number of pairs where prompts repeat. The others take all pairs as
	// independent.
	AccuracyInterval       stats.Interval `json:"accuracy_interval_95"`
	StrictInterval         stats.Interval `json:"accuracy_strict_interval_95"`
	Wilson95TiesHalf       stats.Interval `json:"wilson_95_ties_half"`
	Wilson95Strict         stats.Interval `json:"wilson_95_strict"`
	ClopperPearson95Strict stats.Interval `json:"clopper_pearson_95_strict"`
}

// Quantiles of the margin, interpolated linearly.
type Quantiles struct {
	Q05 stats.Value `json:"0.05"`
	Q25 stats.Value `json:"0.25"`
	Q75 stats.Value `json:"0.75"`
	Q95 stats.Value `json:"0.95"`
}

// pairs holds rows as columns. Every slice is [n] unless marked [2n], where
// the chosen responses come first.
type pairs struct {
	reward, length                        []float64 // [2n]
	margin, difference, confidence, right []float64 // difference in length; right is 1, 0.5 or 0
	prompt                                []int32   // their numbers
	prompts                               int       // different ones
}

func newPairs(n int, row func(i int) *Row) pairs {
	p := pairs{
		reward: make([]float64, 2*n), length: make([]float64, 2*n),
		margin: make([]float64, n), difference: make([]float64, n),
		confidence: make([]float64, n), right: make([]float64, n), prompt: make([]int32, n),
	}
	numbers := stats.NewPrompts()
	for i := range n {
		r := row(i)
		p.reward[i], p.reward[n+i] = r.Chosen, r.Rejected
		p.length[i], p.length[n+i] = float64(r.LenChosen), float64(r.LenRejected)
		p.margin[i] = r.Chosen - r.Rejected
		p.difference[i] = float64(r.LenChosen - r.LenRejected)
		p.confidence[i] = r.Confidence
		p.right[i] = ranking(p.margin[i])
		p.prompt[i] = numbers.Of(r.Prompt)
	}
	p.prompts = int(numbers.N)
	return p
}

// orders are the columns of pairs, sorted once for all that needs it.
type orders struct {
	reward, length                 stats.Order // [2n]
	margin, difference, confidence stats.Order
}

func (p pairs) order() orders {
	return orders{
		reward: stats.OrderOf(p.reward), length: stats.OrderOf(p.length),
		margin: stats.OrderOf(p.margin), difference: stats.OrderOf(p.difference), confidence: stats.OrderOf(p.confidence),
	}
}

// outcomes counts how pairs were ranked.
type outcomes struct{ right, tied, wrong int }

func (c outcomes) n() int { return c.right + c.tied + c.wrong }

func (p pairs) count() (c outcomes) {
	for _, right := range p.right {
		switch right {
		case 1:
			c.right++
		case 0.5:
			c.tied++
		default:
			c.wrong++
		}
	}
	return c
}

func (p pairs) measure(o orders, cfg Config) (m Metrics, err error) {
	c := p.count()
	n := float64(c.n())
	m = Metrics{
		N: c.n(), Ties: c.tied, Prompts: p.prompts,
		AccuracyInterval: p.overPrompts(p.right), StrictInterval: p.overPrompts(floors(p.right)),
		AccuracyTiesHalf: stats.Value((float64(c.right) + float64(c.tied)/2) / n),
		AccuracyStrict:   stats.Value(float64(c.right) / n),
		ROCAUC:           stats.ROCAUC(o.reward),
		LengthMetrics:    p.lengthMetrics(o),
	}
	p.weigh(&m)
	p.spread(&m, o)
	p.losses(&m)
	p.calibrate(&m, cfg.Bins)
	p.saturate(&m, o.confidence)
	m.Wilson95TiesHalf = stats.Wilson95(float64(m.AccuracyTiesHalf), n)
	m.Wilson95Strict = stats.Wilson95(float64(m.AccuracyStrict), n)
	m.ClopperPearson95Strict = stats.ClopperPearson95(c.right, c.n())
	m.LengthControlled, err = p.lengthControlled()
	return m, err
}

// overPrompts is the interval of the share of right ones, over prompts.
func (p pairs) overPrompts(right []float64) stats.Interval {
	var t stats.Trials
	for i, x := range right {
		t.Add(p.prompt[i], x, 1)
	}
	return t.Share().Interval
}

// floors makes ties wrong.
func floors(right []float64) []float64 {
	out := make([]float64, len(right))
	for i, x := range right {
		out[i] = math.Floor(x)
	}
	return out
}

// weigh fills the accuracies weighted by confidence.
func (p pairs) weigh(m *Metrics) {
	half, strict, sum := 0.0, 0.0, 0.0
	for i, w := range p.confidence {
		sum += w
		half += w * p.right[i]
		strict += w * math.Floor(p.right[i])
	}
	m.WeightedAccuracyTiesHalf, m.WeightedAccuracyStrict = stats.Over(half, sum), stats.Over(strict, sum)
}

// spread fills what describes the margin's distribution.
func (p pairs) spread(m *Metrics, o orders) {
	s := o.margin.Ascending()
	m.MarginMean = stats.Mean(p.margin)
	m.MarginMedian = stats.Value(stats.Quantile(s, 0.5))
	m.MarginMin, m.MarginMax = stats.Value(s[0]), stats.Value(s[len(s)-1])
	m.MarginQuantiles = Quantiles{
		stats.Value(stats.Quantile(s, 0.05)), stats.Value(stats.Quantile(s, 0.25)), stats.Value(stats.Quantile(s, 0.75)), stats.Value(stats.Quantile(s, 0.95)),
	}
	n := len(p.margin)
	chosen, rejected := p.reward[:n], p.reward[n:]
	marginVariance := stats.Variance(p.margin)
	pooled := (stats.Variance(chosen) + stats.Variance(rejected)) / 2
	m.MarginStd = stats.Value(math.Sqrt(marginVariance))
	m.CohensDPaired = stats.Over(float64(m.MarginMean), math.Sqrt(marginVariance))
	m.CohensDPooled = stats.Over(stats.Minus(float64(stats.Mean(chosen)), float64(stats.Mean(rejected))), math.Sqrt(pooled))
}
