package eval

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"laurel/eval/stats"
)

// Temperature divides margins, so that σ(margin/T) is a probability (Guo et al.
// 2017). It is fitted by the Bradley-Terry loss, every pair alike: 1/T is the one
// coefficient of a logistic regression without intercept on the margins.
type Temperature struct {
	Value    stats.Value    `json:"temperature"`
	Interval stats.Interval `json:"temperature_interval_95"` // of 1/T, by the larger variance of the model's and that between prompts; no upper end where 1/T may be 0
	Pairs    int            `json:"pairs"`                   // that it was fitted on
	Prompts  int            `json:"prompts"`
	SHA256   string         `json:"pairs_sha256"` // of these pairs, by prompt and lengths; "" where prompts are unknown
}

// FewFitted is the least number of pairs that a temperature is fitted on.
const FewFitted = 20

// fitTemperature is nil where no temperature fits best: with too few pairs, all
// ranked right, or none that the margin tells better than chance.
func fitTemperature(margin []float64, prompt []int32) (*Temperature, error) {
	size := 0.0
	for _, m := range margin {
		size += m * m / float64(len(margin))
	}
	size = math.Sqrt(size)
	if len(margin) < FewFitted || !(size > 0) {
		return nil, nil
	}
	scaled := make([]float64, len(margin))
	for i, m := range margin {
		scaled[i] = m / size
	}
	l := stats.LogisticOf(scaled)
	theta, err := l.Fit()
	if errors.Is(err, stats.ErrSeparable) || err == nil && !(theta[0] > 0) {
		return nil, nil
	}
	var spread []float64
	if err == nil {
		spread, err = widest(l, theta, prompt)
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate: temperature: %w", err)
	}
	t := &Temperature{Value: stats.Value(size / theta[0]), Pairs: len(margin)}
	inverse := stats.Around(theta[0], spread[0])
	t.Interval = stats.Interval{stats.Value(size) / inverse[1], stats.Value(math.Inf(1))}
	if inverse[0] > 0 {
		t.Interval[1] = stats.Value(size) / inverse[0]
	}
	return t, nil
}

// Describe is the temperature with its interval and what it was fitted on.
func (t *Temperature) Describe() string {
	return fmt.Sprintf("%v (95%% %v), fitted on %s of %s", t.Value, t.Interval, stats.Plural(t.Pairs, "pair"), stats.Plural(t.Prompts, "prompt"))
}

// pairsSHA256 tells sets of pairs apart, whatever their order.
func pairsSHA256(rows []Row) string {
	keys := make([][3]uint64, len(rows))
	for i, r := range rows {
		if r.Prompt == 0 {
			return ""
		}
		keys[i] = [3]uint64{r.Prompt, uint64(r.LenChosen), uint64(r.LenRejected)}
	}
	slices.SortFunc(keys, func(a, b [3]uint64) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]))
	})
	sum := sha256.New()
	for _, k := range keys {
		for _, x := range k {
			sum.Write(binary.LittleEndian.AppendUint64(nil, x))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
