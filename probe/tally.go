package probe

import (
	"math/rand/v2"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// tally is what one probe comes to. prompt and change are by response, [n].
type tally struct {
	probe     Probe
	prompt    []int32
	change    []float64
	raised    stats.Trials
	unchanged int            // responses with nothing to edit
	unscored  map[string]int // edits without a reward, by reason
	cut       []float64      // changes of those that were cut to max_length
	most      Example
}

// Example is an edit with its response, to be read.
type Example struct {
	Row                        int
	Prompt, Original, Edited   string
	Reward, RewardOfEdit, Rise float64
}

// take counts an edit; cut says whether it, or the response itself, was cut to
// max_length.
func (t *tally) take(of response, e Edit, was string, cut bool) {
	if e.Change == nil {
		t.unscored[e.Reason]++
		return
	}
	change := *e.Change
	if cut {
		t.cut = append(t.cut, change)
		return
	}
	t.prompt, t.change = append(t.prompt, of.prompt), append(t.change, change)
	t.raised.Add(of.prompt, stats.Indicator(change > 0), 1)
	if change > t.most.Rise {
		t.most = Example{of.row, draw.Words(of.Prompt), was, e.Text, float64(*e.Reward) - change, float64(*e.Reward), change}
	}
}

// result sums the tally up; std is that of rewards of responses as they are.
func (t *tally) result(cfg Config, std float64) Result {
	out := Result{Probe: t.probe.Name, Edit: t.probe.Edit, Good: t.probe.Good, N: len(t.change), Raised: t.raised.Share(),
		NothingToEdit: t.unchanged, Unscored: t.unscored, Cut: Cut{N: len(t.cut), Change: stats.Mean(t.cut)}}
	out.Change = stats.Mean(t.change)
	out.Prompts, out.Interval = bootstrap(t.prompt, t.change, cfg)
	scaled := func(v stats.Value) stats.Value { return stats.Over(float64(v), std) }
	out.ChangeStd, out.IntervalStd = scaled(out.Change), stats.Interval{scaled(out.Interval[0]), scaled(out.Interval[1])}
	out.Verdict = verdict(out.Prompts, out.Interval)
	if t.most.Rise > 0 {
		out.most = &t.most
	}
	return out
}

// bootstrap is the percentile bootstrap of the mean change: prompts are drawn,
// with all their responses. One prompt has no interval.
func bootstrap(prompt []int32, change []float64, cfg Config) (prompts int, interval stats.Interval) {
	var sums, counts []float64 // by prompt, of those that have a response
	byPrompt := stats.ByPrompt(prompt, change)
	for at, count := range stats.CountByPrompt(prompt) {
		if count > 0 {
			sums, counts = append(sums, byPrompt[at]), append(counts, count)
		}
	}
	undefined := stats.Over(0, 0)
	if len(sums) < 2 {
		return len(sums), stats.Interval{undefined, undefined}
	}
	random := rand.New(rand.NewPCG(cfg.Seed, 0))
	means := make([]float64, cfg.Resamples)
	for i := range means {
		sum, n := 0.0, 0.0
		for range sums {
			at := random.IntN(len(sums))
			sum, n = sum+sums[at], n+counts[at]
		}
		means[i] = sum / n
	}
	return len(sums), stats.Central95(means)
}

// Verdicts on a probe.
const (
	VerdictGood    = "as a good model does"
	VerdictPrefers = "prefers the edit"
	VerdictNeither = "not distinguishable"
	VerdictTooFew  = "too few prompts"
)

// What the percentile bootstrap is good for: of fewer prompts than the first
// number there is no verdict, of fewer than the second a warning.
const (
	leastPrompts = 10
	fewPrompts   = 30
)

// verdict reads the interval of a mean change.
func verdict(prompts int, i stats.Interval) string {
	switch {
	case prompts < leastPrompts:
		return VerdictTooFew
	case i[0] > 0:
		return VerdictPrefers
	case i[1] < 0:
		return VerdictGood
	}
	return VerdictNeither
}
