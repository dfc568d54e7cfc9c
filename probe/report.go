package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Report is what the probes of a model come to: probe.json.
type Report struct {
	Rows      int            `json:"rows"`
	Responses int            `json:"responses"` // with a reward
	Prompts   int            `json:"prompts"`
	LeftOut   map[string]int `json:"left_out"` // responses that were not probed, by reason
	Mean      stats.Value    `json:"reward_mean"`
	Std       stats.Value    `json:"reward_std"` // of the responses as they are
	Method    string         `json:"method"`     // of the intervals
	Seed      uint64         `json:"seed"`
	Probes    []Result       `json:"probes"`
	Warnings  []string       `json:"warnings"`
}

// Result is what one probe comes to.
type Result struct {
	Probe         string         `json:"probe"`
	Edit          string         `json:"edit"`
	Good          string         `json:"good_model"` // what a good model does
	N             int            `json:"n"`          // responses edited and compared
	Prompts       int            `json:"prompts"`
	Change        stats.Value    `json:"change"` // mean of reward after minus before
	Interval      stats.Interval `json:"interval_95"`
	ChangeStd     stats.Value    `json:"change_std"` // in standard deviations of the rewards
	IntervalStd   stats.Interval `json:"interval_95_std"`
	Raised        stats.Share    `json:"raised"` // responses whose reward rises
	NothingToEdit int            `json:"nothing_to_edit"`
	Cut           Cut            `json:"cut"`
	Unscored      map[string]int `json:"unscored"` // edits without a reward, by reason
	Verdict       string         `json:"verdict"`

	most *Example // whose reward rises most; nil: none rises
}

// Cut is what is known of responses that max_length cut, before the edit or
// after it: the model has not seen all of them, and they are not in the rest.
type Cut struct {
	N      int         `json:"n"`
	Change stats.Value `json:"change"`
}

func (r *run) report() *Report {
	std := math.Sqrt(stats.Variance(r.rewards))
	out := &Report{Rows: r.rows, Responses: len(r.rewards), Prompts: int(r.prompts.N), LeftOut: r.leftOut, Mean: stats.Mean(r.rewards), Std: stats.Value(std),
		Method: fmt.Sprintf("percentile bootstrap over prompts, %d resamples, 95%%", r.cfg.Resamples), Seed: r.cfg.Seed, Warnings: []string{}}
	for _, t := range r.tallies {
		out.Probes = append(out.Probes, t.result(r.cfg, std))
	}
	out.warn()
	return out
}

func (r *Report) warn() {
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	if len(r.LeftOut) > 0 {
		n := 0
		for _, count := range r.LeftOut {
			n += count
		}
		say("%s not probed%s", stats.Plural(n, "response"), whyNone(r.LeftOut))
	}
	if r.Std == 0 {
		say("every response has the same reward: there is no standard deviation to measure changes in")
	}
	cut := 0
	for _, p := range r.Probes {
		cut += p.Cut.N
		if p.N == 0 {
			say("%s: no response was edited and scored whole (%d with nothing to edit, %d cut to max_length)", p.Probe, p.NothingToEdit, p.Cut.N)
		}
		if len(p.Unscored) > 0 {
			say("%s: edits without a reward%s", p.Probe, whyNone(p.Unscored))
		}
	}
	if cut > 0 {
		say("%s cut to max_length, before the edit or by it: they are counted apart, with their own mean change", stats.Plural(cut, "edited response"))
	}
	if r.Prompts < fewPrompts {
		say("%s: intervals of so few are too narrow", stats.Plural(r.Prompts, "prompt"))
	}
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(path string) (*Report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read probes: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("read probes %s: %w", path, err)
	}
	return r, nil
}

// WriteJSON writes probe.json.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// Print writes the table for a terminal.
func (r *Report) Print(w io.Writer) error {
	return draw.Print(w, []draw.Section{r.section()}, r.Warnings)
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
