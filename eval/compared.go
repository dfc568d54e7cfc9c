package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"laurel/eval/stats"
)

// Other is another model's rewards of the same pairs, row by row.
type Other struct {
	Name string
	Rows []Row
	Note string // what was otherwise for it, such as where sequences were cut; "" where nothing was
}

// Comparison sets the model beside another on the same pairs. Differences are the
// model's figure minus the other's.
type Comparison struct {
	Other    string         `json:"other"`
	Note     string         `json:"note,omitempty"`
	Accuracy stats.Value    `json:"other_accuracy_ties_half"`
	Interval stats.Interval `json:"other_accuracy_interval_95"` // bootstrap over prompts
	Model    Paired         `json:"model_minus_other"`
	Loss     Change         `json:"bt_loss"`
	ECE      Change         `json:"ece_symmetric"`
	// Pairs that one ranks better than the other: right rather than tied or wrong,
	// or tied rather than wrong. Those of the widest apart margins are listed.
	Won  Flips `json:"model_better"`
	Lost Flips `json:"other_better"`
}

// Change is a figure twice, of the same pairs.
type Change struct {
	Model      stats.Value    `json:"model"`
	Other      stats.Value    `json:"other"`
	Difference stats.Value    `json:"difference"`
	Interval   stats.Interval `json:"difference_interval_95"`
	Method     string         `json:"method"`
}

// Flips are pairs on which two models differ.
type Flips struct {
	Count  int    `json:"count"`
	Listed []Flip `json:"listed"`
}

// Flip is one of them.
type Flip struct {
	Ranked
	OtherMargin float64 `json:"other_margin"`
}

// maxFlips bounds the report, in either direction.
const maxFlips = 500

// comparisons are those with each of the others.
func (p pairs) comparisons(rows []Row, cfg Config) ([]Comparison, error) {
	out := []Comparison{}
	for _, other := range cfg.Others {
		if err := samePairs(rows, other); err != nil {
			return nil, err
		}
		q := newPairs(len(other.Rows), func(i int) *Row { return &other.Rows[i] })
		c := Comparison{Other: other.Name, Note: other.Note}
		c.Model, c.Accuracy, c.Interval = p.paired(p.right, q.right, cfg)
		c.Loss, c.ECE = p.changes(p.margin, q.margin, cfg)
		c.Won, c.Lost = flipped(rows, other.Rows, p, q), flipped(rows, other.Rows, q, p)
		out = append(out, c)
	}
	return out, nil
}

// samePairs refuses rewards of other pairs, or of the same in another order.
func samePairs(rows []Row, other Other) error {
	if len(other.Rows) != len(rows) {
		return fmt.Errorf("compare with %s: it has rewards of %d pairs, the model of %d: both must be of the same pairs", other.Name, len(other.Rows), len(rows))
	}
	for i := range rows {
		a, b := &rows[i], &other.Rows[i]
		if a.Place != b.Place || a.ID != b.ID || a.Prompt != b.Prompt || a.LenChosen != b.LenChosen || a.LenRejected != b.LenRejected {
			return fmt.Errorf("compare with %s: pair %d is another: id %q, prompt key %s, lengths %d and %d, not id %q, prompt key %s, lengths %d and %d: both must be of the same pairs in the same order",
				other.Name, i, b.ID, promptKey(b.Prompt), b.LenChosen, b.LenRejected, a.ID, promptKey(a.Prompt), a.LenChosen, a.LenRejected)
		}
		if err := b.check(); err != nil {
			return fmt.Errorf("compare with %s: row %d (id %q): %w", other.Name, i, b.ID, err)
		}
	}
	return nil
}

// changes compare the losses and the calibration errors of two columns of margins,
// by one paired bootstrap over prompts.
func (p pairs) changes(model, other []float64, cfg Config) (loss, ece Change) {
	n, pairsOf := p.resamples(cfg), stats.CountByPrompt(p.prompt)
	lossA, lossB := stats.ByPrompt(p.prompt, lossesOf(model)), stats.ByPrompt(p.prompt, lossesOf(other))
	eceA, eceB := p.symmetricGaps(model, cfg.Bins), p.symmetricGaps(other, cfg.Bins)
	losses := func(times []float64) (a, b float64) {
		total := 0.0
		for at, k := range times {
			a, b, total = a+k*lossA[at], b+k*lossB[at], total+k*pairsOf[at]
		}
		return a / total, b / total
	}
	var lossDraws, eceDraws []float64
	p.eachResample(n, cfg.Seed, func(times []float64) {
		a, b := losses(times)
		lossDraws, eceDraws = append(lossDraws, stats.Minus(a, b)), append(eceDraws, stats.Minus(eceA.error(times), eceB.error(times)))
	})
	once := p.once()
	a, b := losses(once)
	loss = changeOf(a, b, lossDraws, fmt.Sprintf("paired basic bootstrap over prompts, %d resamples, 95%%", n))
	return loss, changeOf(eceA.error(once), eceB.error(once), eceDraws, loss.Method)
}

func changeOf(model, other float64, draws []float64, method string) Change {
	difference := stats.Minus(model, other)
	return Change{stats.Value(model), stats.Value(other), stats.Value(difference), stats.Pivotal95(difference, draws), method}
}

// flipped are the pairs that better ranks better than worse does.
func flipped(rows, other []Row, better, worse pairs) Flips {
	var at []int
	for i := range rows {
		if better.right[i] > worse.right[i] {
			at = append(at, i)
		}
	}
	apart := func(i int) float64 { return math.Abs(better.margin[i] - worse.margin[i]) }
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(apart(b), apart(a)) })
	f := Flips{Count: len(at), Listed: make([]Flip, min(len(at), maxFlips))}
	for k, i := range at[:len(f.Listed)] {
		f.Listed[k] = Flip{rows[i].ranked(), other[i].Chosen - other[i].Rejected}
	}
	return f
}
