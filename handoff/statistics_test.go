package handoff

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}

func mustSummarize(t *testing.T, responses []response) Statistics {
	t.Helper()
	s, err := summarize(responses)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestByHand: rewards 1 … 5 have mean 3 and variance 10/4; the 1 % quantile is
// 1.04, whitened −1.2396…, and rounded outward −1.3.
func TestByHand(t *testing.T) {
	var responses []response
	for i := 1; i <= 5; i++ {
		responses = append(responses, response{reward: float64(i), tokens: 10})
	}
	s := mustSummarize(t, responses)
	near(t, "mean", s.Whitening.Mean, 3)
	near(t, "std", s.Whitening.Std, math.Sqrt(2.5))
	for i, want := range []float64{1.04, 1.2, 2, 3, 4, 4.8, 4.96} {
		near(t, "quantile", s.Quantiles[i].Reward, want)
	}
	near(t, "low", s.Clip.Low, -1.3)
	near(t, "high", s.Clip.High, 1.3)
	if s.Length.Slope.Defined() || s.Length.Interval[0].Defined() {
		t.Errorf("a slope of equal lengths: %+v", s.Length)
	}
}

// TestSlopeWithinPrompts: prompts with long answers have low rewards, and within
// each a token more is worth 0.5 or 1.5. By hand: lengths ∓1 in each, so the slope
// is 1; residuals ±0.5, each prompt's Σ x·e is ∓1, so the variance is
// 2·(3/3)·(1+1)/4² = 1/4; t with one degree of freedom is 12.7062….
func TestSlopeWithinPrompts(t *testing.T) {
	responses := []response{
		{prompt: 1, tokens: 10, reward: 5}, {prompt: 1, tokens: 12, reward: 6},
		{prompt: 2, tokens: 100, reward: -9}, {prompt: 2, tokens: 102, reward: -6},
		{prompt: 3, tokens: 1000, reward: 70},          // alone: says nothing within a prompt
		{prompt: 1, tokens: 5, reward: 900, cut: true}, // not of its whole text
	}
	l := mustSummarize(t, responses).Length
	near(t, "slope", float64(l.Slope), 1)
	half := math.Tan(0.475*math.Pi) * 0.5 // the quantile of Cauchy's distribution, which t with 1 is
	near(t, "low", float64(l.Interval[0]), 1-half)
	near(t, "high", float64(l.Interval[1]), 1+half)
	near(t, "mean tokens", float64(l.MeanTokens), (10+12+100+102+1000)/5.0)
	if !l.WithinPrompts || l.Responses != 4 || l.Prompts != 2 || l.Cut != 1 {
		t.Errorf("%+v", l)
	}
}

// TestSlopeOverAll: a line is found where no prompt repeats, known or not, and its
// interval has no width.
func TestSlopeOverAll(t *testing.T) {
	var responses []response
	for i := range 9 {
		responses = append(responses, response{prompt: uint64(i % 2 * i), tokens: float64(i * i), reward: 3 - 0.25*float64(i*i)})
	}
	l := mustSummarize(t, responses).Length
	near(t, "slope", float64(l.Slope), -0.25)
	near(t, "low", float64(l.Interval[0]), -0.25)
	if l.WithinPrompts || l.Responses != 9 || l.Prompts != 9 {
		t.Errorf("%+v", l)
	}
}

// TestConstantsDoTheirWork: whitened rewards have mean 0 and deviation 1 and lie
// within the clip but for 1 % a side; debiased ones have the same mean and no slope;
// rewards that are scaled and moved give constants that are.
func TestConstantsDoTheirWork(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	var plain, moved []response
	for i := range 600 {
		tokens := float64(source.IntN(300))
		r := response{prompt: uint64(1 + i/3), tokens: tokens, reward: source.NormFloat64() + 0.01*tokens + float64(i/3%7)}
		plain = append(plain, r)
		r.reward = 5 - 3*r.reward
		moved = append(moved, r)
	}
	s, m := mustSummarize(t, plain), mustSummarize(t, moved)
	if !s.Length.Interval.Contains(0.01) || s.Length.Interval.Contains(0) {
		t.Errorf("a slope of 0.01 is found as %v, %v", s.Length.Slope, s.Length.Interval)
	}
	near(t, "moved mean", m.Whitening.Mean, 5-3*s.Whitening.Mean)
	near(t, "moved std", m.Whitening.Std, 3*s.Whitening.Std)
	near(t, "moved slope", float64(m.Length.Slope), -3*float64(s.Length.Slope))

	var whitened, debiased []response
	below, above := 0, 0
	for _, r := range plain {
		w, d := r, r
		w.reward = (r.reward - s.Whitening.Mean) / s.Whitening.Std
		d.reward = r.reward - float64(s.Length.Slope)*(r.tokens-float64(s.Length.MeanTokens))
		whitened, debiased = append(whitened, w), append(debiased, d)
		if w.reward < s.Clip.Low {
			below++
		}
		if w.reward > s.Clip.High {
			above++
		}
	}
	if below > 6 || above > 6 {
		t.Errorf("%d of 600 are below the clip and %d above", below, above)
	}
	w, d := mustSummarize(t, whitened), mustSummarize(t, debiased)
	near(t, "whitened mean", w.Whitening.Mean, 0)
	near(t, "whitened std", w.Whitening.Std, 1)
	near(t, "debiased mean", d.Whitening.Mean, s.Whitening.Mean)
	near(t, "debiased slope", float64(d.Length.Slope), 0)
}

func TestNothingToWhiten(t *testing.T) {
	for want, responses := range map[string][]response{
		"fewer than two":  {{reward: 1}},
		"the same reward": {{reward: 0.1, tokens: 1}, {reward: 0.1, tokens: 2}},
	} {
		if _, err := summarize(responses); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
