package handoff

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"laurel/eval/stats"
)

// response is one reference response that has a reward.
type response struct {
	prompt uint64  // as data.PromptKey: 0 where it is not known
	reward float64 // the raw logit
	tokens float64 // of the response alone, without special tokens
	cut    bool    // the sequence was cut to max_length: its tokens are not all in the reward
}

// Whitening turns a reward r into (r − Mean)/Std.
type Whitening struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"` // with n − 1, as torch.std
}

// Quantile is of the rewards, Hyndman and Fan's type 7 (numpy's default).
type Quantile struct {
	Percent int     `json:"percent"`
	Reward  float64 `json:"reward"`
}

// percents are those of the quantiles; the first and last give the clip.
var percents = []int{1, 5, 25, 50, 75, 95, 99}

// Clip is where whitened rewards may be cut off, in standard deviations: the 1 %
// and the 99 % quantile, rounded outward to tenths.
type Clip struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Length is how rewards go with the length of a response, by least squares. What
// the rows leave undefined is null: where no lengths differ, or of one prompt.
type Length struct {
	// Slope is reward per token; Interval its 95 % interval, by prompts.
	Slope    stats.Value    `json:"slope"`
	Interval stats.Interval `json:"interval95"`
	// WithinPrompts: lengths and rewards are taken from their means in each
	// prompt, so that prompts which call for long answers do not count. Else no
	// prompt has responses of two lengths, and all responses are one group.
	WithinPrompts bool        `json:"within_prompts"`
	Responses     int         `json:"responses"`   // that the slope is from
	Prompts       int         `json:"prompts"`     // that they answer
	MeanTokens    stats.Value `json:"mean_tokens"` // of all uncut responses
	Cut           int         `json:"cut"`         // responses left out, as max_length cut their sequence
}

// Statistics are those of the rewards of reference responses.
type Statistics struct {
	Whitening Whitening  `json:"whitening"`
	Quantiles []Quantile `json:"quantiles"`
	Clip      Clip       `json:"clip_whitened"`
	Length    Length     `json:"length"`
}

// summarize is an error where the rewards cannot be whitened.
func summarize(responses []response) (Statistics, error) {
	var s Statistics
	rewards := make([]float64, len(responses))
	for i, r := range responses {
		rewards[i] = r.reward
	}
	if len(rewards) < 2 {
		return s, errors.New("fewer than two responses have a reward: whitening needs more reference responses")
	}
	s.Whitening = Whitening{Mean: float64(stats.Mean(rewards)), Std: math.Sqrt(stats.Variance(rewards))}
	if s.Whitening.Std == 0 {
		return s, errors.New("all responses have the same reward, which cannot be whitened: laurel verify tells whether the model is sound")
	}
	slices.Sort(rewards)
	for _, percent := range percents {
		s.Quantiles = append(s.Quantiles, Quantile{percent, stats.Quantile(rewards, float64(percent)/100)})
	}
	whitened := func(q Quantile) float64 { return (q.Reward - s.Whitening.Mean) / s.Whitening.Std }
	s.Clip.Low = math.Floor(10*whitened(s.Quantiles[0])) / 10
	s.Clip.High = math.Ceil(10*whitened(s.Quantiles[len(percents)-1])) / 10
	s.Length = lengthSlope(responses)
	return s, nil
}

// lengthSlope is least squares of reward on tokens, with the variance clustered
// by prompt (Cameron and Miller 2015, A Practitioner's Guide to Cluster-Robust
// Inference, eq. 11, with the factor of their section II.B and t with clusters − 1
// degrees of freedom).
func lengthSlope(responses []response) Length {
	l := Length{Slope: stats.Value(math.NaN()), Interval: stats.Interval{stats.Value(math.NaN()), stats.Value(math.NaN())}}
	numbers := stats.NewPrompts()
	var prompt []int32
	var x, y []float64
	for _, r := range responses {
		if r.cut {
			l.Cut++
			continue
		}
		prompt, x, y = append(prompt, numbers.Of(r.prompt)), append(x, r.tokens), append(y, r.reward)
	}
	l.MeanTokens = stats.Mean(x)
	prompt, x, y, l.WithinPrompts = centred(prompt, x, y)
	l.Responses, l.Prompts = len(x), distinct(prompt)
	var xx, xy float64
	for i := range x {
		xx += x[i] * x[i]
		xy += x[i] * y[i]
	}
	if !(xx > 0) {
		return l
	}
	slope := xy / xx
	l.Slope = stats.Value(slope)
	scores := make([]float64, len(x))
	for i := range x {
		scores[i] = x[i] * (y[i] - slope*x[i])
	}
	var squares float64
	for _, sum := range stats.ByPrompt(prompt, scores) {
		squares += sum * sum
	}
	n, clusters, estimated := float64(l.Responses), float64(l.Prompts), 2.0 // slope and constant
	if l.WithinPrompts {
		estimated = 1 // the prompts' means lie within the clusters, and are not counted
	}
	if clusters < 2 || n <= estimated {
		return l
	}
	factor := clusters / (clusters - 1) * (n - 1) / (n - estimated)
	half := distuv.StudentsT{Sigma: 1, Nu: clusters - 1}.Quantile(0.975) * math.Sqrt(factor*squares) / xx
	l.Interval = stats.Interval{stats.Value(slope - half), stats.Value(slope + half)}
	return l
}

// centred takes each prompt's means away, and leaves out the prompts that have
// one response; where no prompt has responses of two lengths, it takes away the
// means of all.
func centred(prompt []int32, x, y []float64) (kept []int32, cx, cy []float64, within bool) {
	n, sumX, sumY := stats.CountByPrompt(prompt), stats.ByPrompt(prompt, x), stats.ByPrompt(prompt, y)
	for i, p := range prompt {
		if n[p] < 2 {
			continue
		}
		dx := stats.Minus(x[i], sumX[p]/n[p])
		within = within || dx != 0
		kept, cx, cy = append(kept, p), append(cx, dx), append(cy, y[i]-sumY[p]/n[p])
	}
	if within {
		return kept, cx, cy, true
	}
	cx, cy = make([]float64, len(x)), make([]float64, len(x))
	meanX, meanY := float64(stats.Mean(x)), float64(stats.Mean(y))
	for i := range x {
		cx[i], cy[i] = stats.Minus(x[i], meanX), y[i]-meanY
	}
	return prompt, cx, cy, false
}

func distinct(prompt []int32) int {
	seen := map[int32]bool{}
	for _, p := range prompt {
		seen[p] = true
	}
	return len(seen)
}
