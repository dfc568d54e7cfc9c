package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"laurel/data"
	"laurel/eval/audit"
	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/feedback"
)

// Config says what is swept.
type Config struct {
	Factors   []float64 // of a principle's weight; 0, which leaves it out, is always among them
	Conflicts int       // comparisons that are listed
	Bootstrap int       // resamples of the intervals of κ
	Seed      uint64
}

// Default is what the command does unless asked otherwise.
func Default() Config {
	return Config{Factors: []float64{0, 0.25, 0.5, 1, 1.5, 2, 3, 5}, Conflicts: 200, Bootstrap: 2000, Seed: 42}
}

// Validate names what cannot be.
func (c Config) Validate() error {
	var problems []error
	for _, f := range c.Factors {
		if !(f >= 0) || math.IsInf(f, 1) {
			problems = append(problems, fmt.Errorf("factors: %v is no factor of a weight: want 0 or more", f))
		}
	}
	if c.Conflicts < 0 {
		problems = append(problems, fmt.Errorf("conflicts is %d, want 0 or more", c.Conflicts))
	}
	return errors.Join(problems...)
}

// Report is what Measure finds.
type Report struct {
	Constitution string                 `json:"constitution"`
	Rows         data.Counts            `json:"rows"`
	Comparisons  int                    `json:"comparisons"`
	Identical    int                    `json:"identical"` // responses: no part of any share
	Prompts      int                    `json:"prompts"`
	Labelled     int                    `json:"labelled"`
	Answers      []feedback.AnswerCount `json:"answers"`
	NeverAsked   []string               `json:"never_asked"` // left out
	Match        *audit.GoldMatch       `json:"gold_match,omitempty"`
	Shipped      Change                 `json:"shipped"` // the labels as they are
	Deciding     Deciding               `json:"labels_decided_by"`
	Principles   []Principle            `json:"principles"`
	Pairs        []Pair                 `json:"pairs"`
	Conflicting  stats.Share            `json:"comparisons_with_conflict"` // principles name different sides
	Conflicts    []Conflict             `json:"conflicts"`                 // the strongest
	Fit          *Fit                   `json:"fit"`                       // null without gold enough
	Model        *Model                 `json:"model,omitempty"`
	Seed         uint64                 `json:"seed"`
	Warnings     []string               `json:"warnings"`

	decisions    []Decision
	constitution *feedback.Constitution
}

// Principle is what one principle does to the labels.
type Principle struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
	// Says is how often its votes, of all judges together, come to a side.
	Says    stats.Share `json:"names_a_side"`
	LeftOut Change      `json:"left_out"`
	Sweep   []Step      `json:"sweep"`
	Decides Decides     `json:"decides"`
	// Explained is the share of the variance of its probabilities that the others'
	// foretell on other prompts.
	Explained stats.Difference `json:"explained_by_others"`
}

// Measure sweeps. model names the reward model that Score or ReadScores gave the
// rewards of; empty: none.
func Measure(s *Set, cfg Config, model string) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Report{Constitution: s.constitution.Name, Rows: s.Rows, Comparisons: len(s.rows), Prompts: s.prompts, Answers: s.Answers, NeverAsked: append([]string{}, s.NeverAsked...), Seed: cfg.Seed, constitution: s.constitution}
	if s.gold {
		r.Match = &s.Match
	}
	for i := range s.rows {
		r.Identical += int(stats.Indicator(len(s.rows[i].votes) == 0))
	}
	r.Shipped = s.change(s.outcomes(s.shipped()))
	r.Labelled = r.Shipped.Labelled
	decided := r.sweep(s, cfg)
	r.Deciding = s.deciding(decided)
	for i := range s.rows {
		r.decisions = append(r.decisions, s.decision(i, decided[i]))
	}
	r.Pairs = s.pairs(cfg)
	r.Conflicts, r.Conflicting = s.conflicts(decided, cfg.Conflicts)
	if err := s.readTexts(r.Conflicts); err != nil {
		return nil, err
	}
	noFit := ""
	if s.gold {
		var err error
		if r.Fit, noFit, err = s.fit(cfg.Seed); err != nil {
			return nil, err
		}
	}
	if model != "" {
		r.Model = s.model(model, decided)
	}
	r.warn(noFit)
	return r, nil
}

// sweep sweeps every principle's weight, and says which principles decide each label.
func (r *Report) sweep(s *Set, cfg Config) (decided [][]int) {
	factors := slices.Sorted(slices.Values(append([]float64{0}, cfg.Factors...)))
	factors = slices.Compact(factors)
	without := make([][]outcome, len(s.constitution.Principles))
	explained := s.explained(cfg.Seed)
	for p, principle := range s.constitution.Principles {
		one := Principle{Name: principle.Name, Weight: principle.Weight, Says: s.says(p), Explained: explained[p]}
		for k, factor := range factors {
			step, now := s.step(p, factor)
			one.Sweep = append(one.Sweep, step)
			if k == 0 {
				one.LeftOut, without[p] = step.Change, now
			}
		}
		r.Principles = append(r.Principles, one)
	}
	decided = s.decided(without)
	for p := range r.Principles {
		r.Principles[p].Decides = s.decides(p, without[p], decided)
	}
	return decided
}

func (s *Set) says(p int) stats.Share {
	var t stats.Trials
	for i := range s.rows {
		if r := &s.rows[i]; len(r.votes) > 0 {
			t.Add(r.prompt, stats.Indicator(s.say(r, p) != 0), 1)
		}
	}
	return t.Share()
}

func (r *Report) warn(noFit string) {
	r.Warnings = []string{}
	say := func(format string, values ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, values...)) }
	for _, a := range r.Answers {
		switch missing := a.Questions - a.Kept; {
		case slices.Contains(r.NeverAsked, a.Principle):
			say("principle %s was never asked of judge %s: none of its %d answers is there, and it is left out of everything here; laurel label asks", a.Principle, a.Judge, a.Questions)
		case missing > 0:
			say("principle %s: %d of %d answers of judge %s are missing, and count as failed", a.Principle, missing, a.Questions, a.Judge)
		}
	}
	if r.Match != nil && r.Match.Matched == 0 {
		say("no comparison has gold: neither ids nor texts are the same")
	} else if noFit != "" {
		say("%s", noFit)
	}
	if r.Labelled == 0 {
		say("there are no labels: every comparison is an abstention")
	}
	if r.Model != nil && r.Model.Without > 0 {
		say("%s without a reward of both responses: no part of the model's accuracy", stats.Plural(r.Model.Without, "comparison"))
	}
	for _, verdict := range []string{Redundant, Conflicting} {
		if pairs := r.of(verdict); len(pairs) > 0 {
			say("%s: %s", verdict, strings.Join(pairs, "; "))
		}
	}
}

// of are the pairs of a verdict, the surest first.
func (r *Report) of(verdict string) (out []string) {
	pairs := slices.Clone(r.Pairs)
	slices.SortStableFunc(pairs, func(a, b Pair) int {
		return -cmp.Compare(math.Abs(float64(a.Kappa.Kappa)), math.Abs(float64(b.Kappa.Kappa)))
	})
	for _, p := range pairs {
		if p.Verdict == verdict {
			out = append(out, fmt.Sprintf("%s and %s (κ %v, %v)", p.A, p.B, p.Kappa.Kappa, p.Kappa.Interval))
		}
	}
	return out
}

// Decisions are of every comparison, in the order of the data.
func (r *Report) Decisions() []Decision { return r.decisions }

// WriteJSON writes the report as JSON, aside first, then renamed.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// Print writes the tables and warnings for a terminal.
func (r *Report) Print(out io.Writer) error { return draw.Print(out, r.sections(), r.Warnings) }
