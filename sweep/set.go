// Package sweep asks the answers that a run of labels kept what the weights of a
// constitution do: which labels flip with other weights, which principle decides a
// label, which principles say the same or the opposite, which weights fit gold, and
// how a reward model does on what each principle decides. Nothing is asked of a judge.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"laurel/data"
	"laurel/eval/audit"
	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/labels"
)

// Set is the comparisons of a run with all votes on them.
type Set struct {
	Rows       data.Counts
	Answers    []feedback.AnswerCount // of every judge under every principle, those never asked too
	NeverAsked []string               // principles of which no judge has an answer: they are left out
	Match      audit.GoldMatch        // zero without gold

	constitution *feedback.Constitution // without those
	judges       []judge
	policy       feedback.Policy
	rows         []row
	prompts      int
	gold         bool
	run          *feedback.Labelling
}

type judge struct {
	name   string
	weight float64
}

// row is one comparison.
type row struct {
	id     string
	prompt int32
	votes  []labels.Vote // by judge, then principle; none where the responses are identical
	base   outcome       // with the weights as they are
	gold   labels.Side   // Neither: a tie, or none
	margin float64       // reward of a less that of b; NaN where there is none
}

// outcome is what weights make of a comparison.
type outcome struct {
	side       labels.Side
	confidence float64
	reason     labels.Abstention
}

// Read makes the labels of a run anew from the answers that its store has, by the
// code that made them, and keeps their votes. Principles of which the store has no
// answer are left out. It is an error where fewer than two are left.
func Read(ctx context.Context, run *feedback.Labelling, gold []labels.Gold) (*Set, error) {
	kept := *run
	kept.OnlyKept = true
	plan, err := kept.Plan(nil)
	if err != nil {
		return nil, err
	}
	s := &Set{Answers: plan.Answers(&kept), policy: kept.Policy, gold: gold != nil, run: &kept}
	if kept.Constitution, err = s.asked(run.Constitution); err != nil {
		return nil, err
	}
	s.constitution = kept.Constitution
	for _, j := range kept.Judges {
		s.judges = append(s.judges, judge{j.Name(), j.Weight})
	}
	index, prompts := audit.IndexGold(gold), stats.NewPrompts()
	summary, err := feedback.Label(ctx, &kept, func(l labels.Label) error {
		r := row{id: l.ID, prompt: prompts.Of(data.PromptKey(l.Prompt)), votes: l.Votes, base: outcomeOf(l.Verdict), margin: math.NaN()}
		if g := index.Of(&l.Comparison); g != nil {
			r.gold = g.Side
		}
		s.rows = append(s.rows, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(s.rows) == 0 {
		return nil, errors.New("no comparisons to sweep over")
	}
	s.Rows, s.prompts, s.Match = summary.Rows, int(prompts.N), index.Matched()
	return s, nil
}

// asked leaves out the principles that no judge was asked under.
func (s *Set) asked(c *feedback.Constitution) (*feedback.Constitution, error) {
	answered, questions := map[string]int{}, map[string]int{}
	for _, a := range s.Answers {
		answered[a.Principle] += a.Kept
		questions[a.Principle] += a.Questions
	}
	var names, never []string
	for _, p := range c.Principles {
		if answered[p.Name] == 0 && questions[p.Name] > 0 {
			s.NeverAsked = append(s.NeverAsked, p.Name)
			never = append(never, fmt.Sprintf("%s (0 of %d answers)", p.Name, questions[p.Name]))
			continue
		}
		names = append(names, p.Name)
	}
	if len(names) < 2 {
		said := ""
		if len(never) > 0 {
			said = fmt.Sprintf("; never asked under %s, with these texts and judges", strings.Join(never, ", "))
		}
		return nil, fmt.Errorf("constitution %s has %s with answers%s: weights say something of two or more", c.Name, stats.Plural(len(names), "principle"), said)
	}
	return c.Only(names)
}

func outcomeOf(v labels.Verdict) outcome { return outcome{v.Side, v.Confidence, v.Reason} }

func (s *Set) names() (out []string) {
	for _, p := range s.constitution.Principles {
		out = append(out, p.Name)
	}
	return out
}

// shipped are the weights as the constitution has them.
func (s *Set) shipped() (out []float64) {
	for _, p := range s.constitution.Principles {
		out = append(out, p.Weight)
	}
	return out
}

// outcomes are those of all comparisons with these weights of the principles; with
// the weight 0 one has no vote, and no part in the vote share.
func (s *Set) outcomes(weights []float64) []outcome {
	d := s.decider(weights)
	out := make([]outcome, len(s.rows))
	for i := range s.rows {
		if out[i] = s.rows[i].base; len(s.rows[i].votes) > 0 {
			out[i] = outcomeOf(d.decide(s.rows[i].votes))
		}
	}
	return out
}

// decider decides comparisons by weights, one after another.
type decider struct {
	set     *Set
	weights []float64
	judges  []feedback.JudgeVotes
	votes   []labels.Vote // of one comparison
}

func (s *Set) decider(weights []float64) *decider {
	return &decider{s, weights, make([]feedback.JudgeVotes, len(s.judges)), make([]labels.Vote, 0, len(weights)*len(s.judges))}
}

func (d *decider) decide(votes []labels.Vote) labels.Verdict {
	d.votes = d.votes[:0]
	for j, judge := range d.set.judges {
		from := len(d.votes)
		for p, weight := range d.weights {
			if weight == 0 {
				continue
			}
			v := votes[j*len(d.weights)+p]
			v.Weight = weight * judge.weight
			d.votes = append(d.votes, v)
		}
		d.judges[j] = feedback.JudgeVotes{Weight: judge.weight, Votes: d.votes[from:]}
	}
	return feedback.Decide(d.judges, d.set.policy)
}

// say is what the judges together say under a principle: the weight of judges for a
// less that for b, over all, in [-1, 1].
func (s *Set) say(r *row, principle int) float64 {
	sum, total := 0.0, 0.0
	for j, judge := range s.judges {
		total += judge.weight
		switch r.votes[j*len(s.constitution.Principles)+principle].Side {
		case labels.SideA:
			sum += judge.weight
		case labels.SideB:
			sum -= judge.weight
		}
	}
	return sum / total
}

// betterA is the probability that a is better by a vote, over the orders that were
// answered; NaN where none was.
func betterA(v labels.Vote) float64 {
	sum, n := 0.0, 0.0
	for _, p := range []float64{v.AFirst, v.BFirst} {
		if !math.IsNaN(p) {
			sum, n = sum+p, n+1
		}
	}
	return sum / n
}
