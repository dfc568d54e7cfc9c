package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
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

	AccuracyTiesHalf         Value `json:"accuracy_ties_half"`
	AccuracyStrict           Value `json:"accuracy_strict"`
	WeightedAccuracyTiesHalf Value `json:"weighted_accuracy_ties_half"`
	WeightedAccuracyStrict   Value `json:"weighted_accuracy_strict"`

	MarginMean      Value     `json:"margin_mean"`
	MarginMedian    Value     `json:"margin_median"`
	MarginStd       Value     `json:"margin_std_ddof1"`
	MarginMin       Value     `json:"margin_min"`
	MarginMax       Value     `json:"margin_max"`
	MarginQuantiles Quantiles `json:"margin_quantiles_linear"`
	CohensDPooled   Value     `json:"cohens_d_pooled"`
	CohensDPaired   Value     `json:"cohens_d_paired"`
	ROCAUC          Value     `json:"roc_auc"`

	BTLossMean       Value `json:"bt_loss_mean"`
	BTLossWeighted   Value `json:"bt_loss_weighted"`
	LogLossSoft      Value `json:"log_loss_soft"`
	LogLossSymmetric Value `json:"log_loss_symmetric"`
	Brier            Value `json:"brier"`
	BrierSymmetric   Value `json:"brier_symmetric"`

	ECEChosenOnly    Value `json:"ece_chosen_only"`
	ECESymmetric     Value `json:"ece_symmetric"`
	ECEConfidence    Value `json:"ece_confidence"`
	ECEBinsSymmetric []Bin `json:"ece_bins_symmetric"`

	ConfidenceMin    Value `json:"confidence_min"` // of the labels
	ConfidenceMean   Value `json:"confidence_mean"`
	ConfidenceMax    Value `json:"confidence_max"`
	LabelAbove90     Value `json:"confidence_above_0.9_share"`
	PredictedAbove99 Value `json:"predicted_above_0.99_share"` // max(p, 1-p) > 0.99

	LengthMetrics

	// The first two are of accuracy_ties_half and accuracy_strict: Wilson's, at the
	// effective number of pairs where prompts repeat. The others take all pairs as
	// independent.
	AccuracyInterval       [2]Value `json:"accuracy_interval_95"`
	StrictInterval         [2]Value `json:"accuracy_strict_interval_95"`
	Wilson95TiesHalf       [2]Value `json:"wilson_95_ties_half"`
	Wilson95Strict         [2]Value `json:"wilson_95_strict"`
	ClopperPearson95Strict [2]Value `json:"clopper_pearson_95_strict"`
}

// Quantiles of the margin, interpolated linearly.
type Quantiles struct {
	Q05 Value `json:"0.05"`
	Q25 Value `json:"0.25"`
	Q75 Value `json:"0.75"`
	Q95 Value `json:"0.95"`
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
	numbers := newPrompts()
	for i := range n {
		r := row(i)
		p.reward[i], p.reward[n+i] = r.Chosen, r.Rejected
		p.length[i], p.length[n+i] = float64(r.LenChosen), float64(r.LenRejected)
		p.margin[i] = r.Chosen - r.Rejected
		p.difference[i] = float64(r.LenChosen - r.LenRejected)
		p.confidence[i] = r.Confidence
		p.right[i] = ranking(p.margin[i])
		p.prompt[i] = numbers.of(r.Prompt)
	}
	p.prompts = int(numbers.n)
	return p
}

// orders are the columns of pairs, sorted once for all that needs it.
type orders struct {
	reward, length                 order // [2n]
	margin, difference, confidence order
}

func (p pairs) order() orders {
	return orders{
		reward: orderOf(p.reward), length: orderOf(p.length),
		margin: orderOf(p.margin), difference: orderOf(p.difference), confidence: orderOf(p.confidence),
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

func (p pairs) measure(o orders, cfg Config) Metrics {
	c := p.count()
	n := float64(c.n())
	m := Metrics{
		N: c.n(), Ties: c.tied, Prompts: p.prompts,
		AccuracyInterval: p.overPrompts(p.right), StrictInterval: p.overPrompts(floors(p.right)),
		AccuracyTiesHalf: Value((float64(c.right) + float64(c.tied)/2) / n),
		AccuracyStrict:   Value(float64(c.right) / n),
		ROCAUC:           rocAUC(o.reward),
		LengthMetrics:    p.lengthMetrics(o),
	}
	p.weigh(&m)
	p.spread(&m, o)
	p.losses(&m)
	p.calibrate(&m, cfg.Bins)
	p.saturate(&m, o.confidence)
	m.Wilson95TiesHalf = wilson95(float64(m.AccuracyTiesHalf), n)
	m.Wilson95Strict = wilson95(float64(m.AccuracyStrict), n)
	m.ClopperPearson95Strict = clopperPearson95(c.right, c.n())
	return m
}

// overPrompts is the interval of the share of right ones, over prompts.
func (p pairs) overPrompts(right []float64) [2]Value {
	var t trials
	for i, x := range right {
		t.add(p.prompt[i], x, 1)
	}
	return t.share().Interval
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
	m.WeightedAccuracyTiesHalf, m.WeightedAccuracyStrict = over(half, sum), over(strict, sum)
}

// spread fills what describes the margin's distribution.
func (p pairs) spread(m *Metrics, o orders) {
	s := o.margin.ascending()
	m.MarginMean = Value(stat.Mean(p.margin, nil))
	m.MarginMedian = Value(quantile(s, 0.5))
	m.MarginMin, m.MarginMax = Value(s[0]), Value(s[len(s)-1])
	m.MarginQuantiles = Quantiles{
		Value(quantile(s, 0.05)), Value(quantile(s, 0.25)), Value(quantile(s, 0.75)), Value(quantile(s, 0.95)),
	}
	n := len(p.margin)
	chosen, rejected := p.reward[:n], p.reward[n:]
	marginVariance := variance(p.margin)
	pooled := (variance(chosen) + variance(rejected)) / 2
	m.MarginStd = Value(math.Sqrt(marginVariance))
	m.CohensDPaired = over(float64(m.MarginMean), math.Sqrt(marginVariance))
	m.CohensDPooled = over(stat.Mean(chosen, nil)-stat.Mean(rejected, nil), math.Sqrt(pooled))
}
