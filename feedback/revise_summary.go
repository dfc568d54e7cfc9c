package feedback

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"laurel/data"
	"laurel/feedback/chat"
)

// RevisionSummary says what became of the prompts and of the texts: rows read
// = written + left out + skipped.
type RevisionSummary struct {
	Rows      data.Counts   `json:"rows"`
	Written   int           `json:"written"`
	Given     int           `json:"initial_given"`     // of the written: the file's own first answer
	Generated int           `json:"initial_generated"` // the model's
	Unchanged int           `json:"unchanged"`         // the last answer is the first: no pair
	Left      map[Stage]int `json:"left_out"`
	FirstLeft string        `json:"first_left_out,omitempty"`
	NotAsked  int           `json:"not_asked,omitempty"` // of the left out: the budget was spent
	Reasons   []ReasonCount `json:"left_out_reasons,omitempty"`

	FailedAttempts map[string]int `json:"failed_attempts,omitempty"` // requests of this run without a reply, by reason

	Rounds     []RevisionRates  `json:"rounds"`     // from 0, the first answers
	Principles []PrincipleRates `json:"principles"` // by the constitution's order
	Spent      chat.Spent       `json:"spent"`      // by all runs on the store
	SpentNow   chat.Spent       `json:"spent_by_this_run"`
	Received   int              `json:"-"` // replies of this run, of prompts without a whole chain too

	// Stopped is why not all was asked that was to be, or that nothing came of it.
	Stopped error `json:"-"`

	// Examples are the chains that revision changed most in length.
	Examples []Chain `json:"-"`

	before chat.Spent
	left   reasons
}

// maxExamples bounds what is kept of texts.
const maxExamples = 6

// example keeps the chain where it is among those that changed most; of equal
// ones the first.
func (s *RevisionSummary) example(c *Chain) {
	if c.Final() == c.Initial {
		return
	}
	s.Examples = append(s.Examples, *c)
	slices.SortStableFunc(s.Examples, func(a, b Chain) int { return cmp.Compare(b.changed(), a.changed()) })
	s.Examples = s.Examples[:min(len(s.Examples), maxExamples)]
}

// changed is how much longer or shorter the last answer is than the first, in
// characters.
func (c *Chain) changed() int {
	n := utf8.RuneCountInString(c.Final()) - utf8.RuneCountInString(c.Initial)
	return max(n, -n)
}

// RevisionRates describe the answers after a round.
type RevisionRates struct {
	Texts       int     `json:"texts"`
	Refusals    float64 `json:"refusal_rate"`
	Boilerplate float64 `json:"boilerplate_rate"`
	Unchanged   float64 `json:"unchanged_rate"` // the answers of the round before
	MeanChars   float64 `json:"mean_chars"`
	MeanChange  float64 `json:"mean_change_chars"` // from the round before
}

// PrincipleRates describe the revisions by one principle.
type PrincipleRates struct {
	Name       string  `json:"name"`
	Revisions  int     `json:"revisions"`
	Unchanged  float64 `json:"unchanged_rate"`
	MeanChange float64 `json:"mean_change_chars"`
}

func newRevisionSummary(run *Revising) *RevisionSummary {
	s := &RevisionSummary{Left: map[Stage]int{}, Rounds: make([]RevisionRates, run.Rounds+1), before: run.Store.Spent(), left: reasons{}}
	for _, p := range run.Constitution.Principles {
		s.Principles = append(s.Principles, PrincipleRates{Name: p.Name})
	}
	return s
}

// Useless is whether the run was stopped, and there are no chains to write.
func (s *RevisionSummary) Useless() bool { return s.Stopped != nil && s.Written == 0 }

// LeftOut is the number of prompts without a whole chain.
func (s *RevisionSummary) LeftOut() int {
	return s.Left[StageInitial] + s.Left[StageCritique] + s.Left[StageRevision]
}

func (s *RevisionSummary) leave(l *LeftOut) {
	s.Left[l.Stage]++
	if l.why == notAsked {
		s.NotAsked++
	}
	s.left.add(l.why, l.Reason)
	s.Reasons = s.left.counts()
	if s.FirstLeft == "" {
		s.FirstLeft = fmt.Sprintf("%s: %s: %s", l.ID, l.Stage, l.Reason)
	}
}

func (s *RevisionSummary) count(c *Chain) {
	s.Written++
	s.example(c)
	if c.Given {
		s.Given++
	} else {
		s.Generated++
	}
	if c.Final() == c.Initial {
		s.Unchanged++
	}
	s.Rounds[0].add(c.Initial, c.Initial)
	s.Rounds[0].Unchanged = 0 // nothing comes before
	roundBegan, before := c.Initial, c.Initial
	for i, step := range c.Steps {
		for k := range s.Principles {
			if s.Principles[k].Name == step.Principle {
				s.Principles[k].add(before, step.Revision)
			}
		}
		before = step.Revision
		if i+1 == len(c.Steps) || c.Steps[i+1].Round != step.Round {
			s.Rounds[step.Round].add(roundBegan, before)
			roundBegan = before
		}
	}
}

// mean takes x into the mean of n values, x the last of them.
func mean(m *float64, n int, x float64) { *m += (x - *m) / float64(n) }

func share(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

func (r *RevisionRates) add(before, after string) {
	r.Texts++
	chars := float64(utf8.RuneCountInString(after))
	mean(&r.Refusals, r.Texts, share(refuses(after)))
	mean(&r.Boilerplate, r.Texts, share(boilerplate(after)))
	mean(&r.Unchanged, r.Texts, share(before == after))
	mean(&r.MeanChars, r.Texts, chars)
	mean(&r.MeanChange, r.Texts, chars-float64(utf8.RuneCountInString(before)))
}

func (p *PrincipleRates) add(before, after string) {
	p.Revisions++
	mean(&p.Unchanged, p.Revisions, share(before == after))
	mean(&p.MeanChange, p.Revisions, float64(utf8.RuneCountInString(after)-utf8.RuneCountInString(before)))
}

func (s *RevisionSummary) settle(store *Store, a *asker) {
	s.Received = int(a.kept.Load())
	s.Spent = store.Spent()
	s.SpentNow = s.Spent.Minus(s.before)
}
