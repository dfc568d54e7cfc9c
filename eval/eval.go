// Package eval measures how well rewards separate chosen from rejected
// responses, and draws the report.
//
// Rows go in, a Report comes out (Evaluate); a Report prints as a table
// (Print), as JSON (WriteJSON), as SVG plots (WritePlots) and as one page
// (WriteHTML). A statistic that the rows leave undefined, such as the
// correlation of a constant, is null in JSON and n/a in print. What makes a
// statistic weak is a value too: Report.Warnings.
package eval

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"laurel/eval/stats"
)

// Row is one pair with the rewards that a model gave its two responses.
type Row struct {
	ID         string
	Place      int     // of the pair in the order of reading, from 0
	Prompt     uint64  // the same for rows of the same prompt, as data.PromptKey; 0 where unknown
	Subset     string  // "" where the data names none
	Chosen     float64 // reward of the chosen response, a raw logit: finite, of float32's range
	Rejected   float64 // reward of the rejected response, likewise
	Confidence float64 // probability that the label is right, in [0, 1]

	LenChosen, LenRejected int // response length in characters (runes); both 0 where unknown
}

// Config says how Evaluate estimates. A zero field takes its default.
type Config struct {
	Bootstrap int     // resamples; default 20000
	Seed      uint64  // of the bootstrap
	Bins      int     // equal-width bins of the calibration errors; default 10
	Rules     []Rule  // that the model is held to, beside those of length
	Others    []Other // models that it is compared with
	Seen      *Seen   // what of the pairs the model was trained on; nil where that is not known

	Stored    *Temperature // that is stored with the model; nil for none
	Precision float64      // that a margin is to buy; default 0.9
}

// maxDetailedSubsets bounds the report of a file that names a subset a row.
const maxDetailedSubsets = 1000

// Evaluate measures rows as a whole and per subset.
func Evaluate(rows []Row, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("evaluate: no rows: every pair was skipped or the file is empty")
	}
	for i, r := range rows {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("evaluate: row %d (id %q): %w", i, r.ID, err)
		}
	}
	return measureAll(rows, cfg)
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Bootstrap < 0 || cfg.Bootstrap > 10_000_000 {
		return cfg, fmt.Errorf("evaluate: bootstrap is %d: give 1 to 10000000 resamples, or 0 for 20000", cfg.Bootstrap)
	}
	if cfg.Bins < 0 || cfg.Bins > 10_000 {
		return cfg, fmt.Errorf("evaluate: bins is %d: give 1 to 10000, or 0 for 10", cfg.Bins)
	}
	cfg.Bootstrap = cmp.Or(cfg.Bootstrap, 20000)
	cfg.Bins = cmp.Or(cfg.Bins, 10)
	cfg.Precision = cmp.Or(cfg.Precision, 0.9)
	if !(cfg.Precision > 0 && cfg.Precision < 1) {
		return cfg, fmt.Errorf("evaluate: precision is %v: give a share between 0 and 1, such as 0.9", cfg.Precision)
	}
	return cfg, nil
}

// Right is 1 where chosen has the higher reward, 0 where rejected has, and one half
// for a tie.
func (r Row) Right() float64 { return ranking(r.Chosen - r.Rejected) }

func (r Row) check() error {
	switch {
	case !(math.Abs(r.Chosen) <= math.MaxFloat32):
		return fmt.Errorf("reward_chosen is %v: give a finite float32, or leave the row out", r.Chosen)
	case !(math.Abs(r.Rejected) <= math.MaxFloat32):
		return fmt.Errorf("reward_rejected is %v: give a finite float32, or leave the row out", r.Rejected)
	case !(r.Confidence >= 0 && r.Confidence <= 1):
		return fmt.Errorf("confidence is %v: give a probability from 0 to 1 (1 where unknown)", r.Confidence)
	case r.LenChosen < 0 || r.LenRejected < 0:
		return fmt.Errorf("lengths are %d and %d: give characters, 0 where unknown", r.LenChosen, r.LenRejected)
	}
	return nil
}

// measureAll runs the whole and the subsets side by side: two goroutines of
// about equal work.
func measureAll(rows []Row, cfg Config) (*Report, error) {
	subsets := bySubset(rows)
	r := &Report{PerSubset: map[string]*Metrics{}, Rulers: []Ruler{}, Seen: cfg.Seen, MacroAccuracy: macroAccuracy(rows, subsets)}
	var boxes []Box
	var group errgroup.Group
	group.Go(func() error {
		p := newPairs(len(rows), func(i int) *Row { return &rows[i] })
		o := p.order()
		var err error
		if r.Metrics, err = p.measure(o, cfg); err != nil {
			return err
		}
		r.Bootstrap, r.BootstrapPrompts = p.bootstrap(cfg), p.bootstrapPrompts(cfg)
		if !r.Seen.Whole() {
			if r.Rulers, err = p.rulers(cfg); err != nil {
				return err
			}
		}
		if r.Comparisons, err = p.comparisons(rows, cfg); err != nil {
			return err
		}
		if r.Calibration, err = p.calibration(rows, cfg); err != nil {
			return err
		}
		r.Figures = drawable(p, o)
		r.Worst = worstRanked(rows)
		return nil
	})
	group.Go(func() (err error) {
		boxes, err = r.measureSubsets(rows, subsets, cfg)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	r.Figures.Rewards = append(r.Figures.Rewards, boxes...)
	r.RewardBench = rewardBench(r.PerSubset)
	r.Warnings = warnings(r, subsets)
	return r, nil
}

// measureSubsets fills PerSubset and returns the boxes of the largest.
func (r *Report) measureSubsets(rows []Row, subsets []subset, cfg Config) (boxes []Box, err error) {
	if len(subsets) == 1 && subsets[0].name == "" {
		return nil, nil
	}
	for i, s := range subsets[:min(len(subsets), maxDetailedSubsets)] {
		p := newPairs(len(s.rows), func(i int) *Row { return &rows[s.rows[i]] })
		o := p.order()
		m, err := p.measure(o, cfg)
		if err != nil {
			return nil, err
		}
		r.PerSubset[s.name] = &m
		if len(subsets) > 1 && i < maxBoxedSubsets {
			boxes = append(boxes, rewardBoxes(s.name, p, o)...)
		}
	}
	return boxes, nil
}

// subset is the rows of one name, by index.
type subset struct {
	name string
	rows []int32
}

// bySubset groups rows, largest subset first, each in the order of the file.
// Rows without a subset form one named "".
func bySubset(rows []Row) []subset {
	index := map[string]int{}
	out := []subset{}
	for i, r := range rows {
		name := strings.ToValidUTF8(r.Subset, "\uFFFD") // as the keys of report.json must be
		at, seen := index[name]
		if !seen {
			at = len(out)
			index[name] = at
			out = append(out, subset{name: name})
		}
		out[at].rows = append(out[at].rows, int32(i))
	}
	slices.SortFunc(out, func(a, b subset) int {
		return cmp.Or(cmp.Compare(len(b.rows), len(a.rows)), cmp.Compare(a.name, b.name))
	})
	return out
}

// macroAccuracy is the mean over subsets of accuracy_ties_half.
func macroAccuracy(rows []Row, subsets []subset) stats.Value {
	sum := 0.0
	for _, s := range subsets {
		right := 0.0
		for _, i := range s.rows {
			right += ranking(rows[i].Chosen - rows[i].Rejected)
		}
		sum += right / float64(len(s.rows))
	}
	return stats.Value(sum / float64(len(subsets)))
}

// ranking scores a pair by its margin: 1 right, 0 wrong, one half a tie.
func ranking(margin float64) float64 {
	switch {
	case margin > 0:
		return 1
	case margin == 0:
		return 0.5
	}
	return 0
}
