package feedback

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/labels"
)

// Labelling is what decides a run of Label.
type Labelling struct {
	Constitution *Constitution
	Judges       []WeightedJudge
	Policy       Policy
	InFlight     int // questions asked at a time
	Store        *Store
	// Comparisons yields all comparisons, from the first, whenever it is called.
	Comparisons func(*data.Counts) iter.Seq2[data.Comparison, error]
	// OnlyKept asks nothing: an answer that the store lacks is a failed one.
	OnlyKept bool
	Progress func(Progress) // called after every question, in order
}

// WeightedJudge is a judge and what its verdicts weigh beside those of others.
type WeightedJudge struct {
	Judge
	Weight   float64
	Clamp    *Clamp  // of its probabilities; nil: none
	Unstated float64 // the confidence of a verdict without one
}

// Progress is how far a run is.
type Progress struct {
	Done  int // questions
	Asked int // of them by this run, not found in the store
	Spent chat.Spent
}

// step is one question of a run, in its order: comparison, judge, principle,
// order. A comparison of which nothing is asked is one step without principle.
type step struct {
	comparison *data.Comparison
	judge      *WeightedJudge
	principle  *Principle
	swapped    bool
	last       bool // of its comparison
	key        string
	slot       bool  // it has one of the asker's
	turn       *turn // at the budget; nil where the judge is no server
}

// stepAnswer is a step with its answer.
type stepAnswer struct {
	step
	Answer
	asked   bool // by this run
	missing bool // not in the store, and not to be asked
	unasked bool // the run was stopped before
	clamped bool // First is not what the judge said
}

// steps are all questions of the run.
func (l *Labelling) steps(counts *data.Counts) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		for c, err := range l.Comparisons(counts) {
			if err != nil {
				yield(step{}, err)
				return
			}
			if !l.stepsOf(&c, yield) {
				return
			}
		}
	}
}

func (l *Labelling) stepsOf(c *data.Comparison, yield func(step, error) bool) (more bool) {
	if c.Identical() {
		return yield(step{comparison: c, last: true}, nil)
	}
	orders := 2
	if l.Policy.Position == PositionOff {
		orders = 1
	}
	texts := [2]string{textsKey(c.Prompt, c.A, c.B), textsKey(c.Prompt, c.B, c.A)}
	left := len(l.Judges) * len(l.Constitution.Principles) * orders
	for i := range l.Judges {
		judge := &l.Judges[i]
		for j := range l.Constitution.Principles {
			p := &l.Constitution.Principles[j]
			for order := range orders {
				left--
				s := step{c, judge, p, order == 1, left == 0, Key("answer", judge.Fingerprint(), p.Name, p.Comparison, texts[order]), false, nil}
				if !yield(s, nil) {
					return false
				}
			}
		}
	}
	return true
}

// textsKey names what a judge is shown. Where it comes from, its id and its
// models are not shown, so that answers serve all comparisons of equal texts.
func textsKey(texts ...data.Text) string {
	var parts []string
	for _, t := range texts {
		parts = append(parts, fmt.Sprint(len(t.Messages)), t.Plain)
		if tools := t.Context.Offered(); tools != "" {
			parts = append(parts, tools)
		}
		for _, m := range t.Messages {
			parts = append(parts, m.Role, m.Content)
			if m.Whole != "" {
				parts = append(parts, m.Whole)
			}
		}
	}
	return Key(parts...)
}

// Label puts every comparison to the judges, under every principle and in
// both orders, and gives write a label for each, in their order. Answers that
// the store has are not asked for; those that come are in it before they
// count. It ends at the first error; a question that got no reply is none.
// A judge that gives no answer of use is asked no more. Where Policy allows no
// label without it, or the budget ends, nothing more is asked, and the
// comparisons of which all was asked have their labels. Either is the summary's
// Stopped.
func Label(ctx context.Context, run *Labelling, write func(labels.Label) error) (s *Summary, err error) {
	asker := newAsker(run.Store, run.InFlight, run.without)
	work := func(ctx context.Context, s step) (stepAnswer, error) { return run.answer(ctx, asker, s) }
	summary := newSummary(run)
	defer func() { // after all replies under way have come
		err = errors.Join(err, asker.forget())
		summary.settle(run, asker)
	}()
	window := max(64*run.InFlight, 256) // a reply that takes 64 times as long as others holds none of them back
	var asked []stepAnswer
	for a, err := range inOrder(ctx, run.steps(&summary.Rows), window, run.admit(asker), work) {
		if err != nil {
			return summary, err
		}
		if a.judge != nil {
			a.Answer, a.clamped = a.judge.Clamp.of(a.judge.stated(a.Answer))
		}
		summary.count(a)
		if run.Progress != nil {
			run.Progress(Progress{summary.Questions, summary.Asked, run.Store.Spent()})
		}
		if asked = append(asked, a); !a.last {
			continue
		}
		if slices.ContainsFunc(asked, func(a stepAnswer) bool { return a.unasked }) {
			summary.NotAsked++
			asked = asked[:0]
			continue
		}
		label := run.label(asked)
		summary.label(label)
		if err := write(label); err != nil {
			return summary, err
		}
		asked = asked[:0]
	}
	summary.wentOn, summary.Stopped = asker.stopped()
	return summary, nil
}

// admit waits for a slot for what must be asked, so that questions are asked in
// their order.
func (l *Labelling) admit(a *asker) admission[step] {
	var turns turns
	return func(ctx context.Context, s step) (step, error) {
		if s.principle == nil || l.OnlyKept || l.Store.Has(s.key, false) {
			return s, nil
		}
		s.slot = true
		err := a.slots.take(ctx, 0)
		if _, server := s.judge.Judge.(*OpenAI); server && err == nil {
			s.turn = turns.next()
		}
		return s, err
	}
}

// stated gives a verdict without a confidence that of its judge.
func (j *WeightedJudge) stated(a Answer) Answer {
	switch {
	case !a.Unstated:
	case a.First > 0.5:
		a.First = j.Unstated
	default:
		a.First = 1 - j.Unstated
	}
	return a
}

// answer finds the answer to a question or asks for it.
func (l *Labelling) answer(ctx context.Context, a *asker, s step) (stepAnswer, error) {
	if s.slot {
		defer a.slots.give()
	}
	if s.principle == nil {
		return stepAnswer{step: s}, nil
	}
	if l.OnlyKept {
		var answer Answer
		found, err := l.Store.Last(s.key, &answer)
		if !found {
			answer.Outcome = Failed
		}
		return stepAnswer{step: s, Answer: answer, missing: !found}, err
	}
	from := a.source("judge " + s.judge.Name())
	defer s.turn.end()
	s.turn.wait(ctx)
	answer, asked, err := ask(chat.WhenReserved(ctx, s.turn.end), a, from, s.key, s.ask)
	var over *stopped
	var none *noReply
	switch {
	case errors.As(err, &over):
		found, err := l.Store.Last(s.key, &answer)
		if unasked := a.stop.Load() != nil; found || unasked {
			return stepAnswer{step: s, Answer: answer, unasked: !found}, err
		}
		answer = Answer{Outcome: Failed, Reason: reasonJudgeStopped, Detail: over.Error()}
		return stepAnswer{step: s, Answer: answer}, err
	case errors.As(err, &none):
		answer = Answer{Outcome: Failed, Reason: chat.Reason(none), Detail: none.Error()}
	case err != nil:
		return stepAnswer{}, err
	}
	a.note(from, s.unusable(answer, none))
	return stepAnswer{step: s, Answer: answer, asked: asked}, nil
}

// reasonJudgeStopped is that of a question which was not asked, as the judge's
// others came to nothing.
const reasonJudgeStopped = "judge_stopped"

// without is what becomes of the run without the judges of those sources.
func (l *Labelling) without(names []string) (why string, useless bool) {
	if len(l.Judges) == 1 {
		return "", true
	}
	left, weight, total := 0, 0.0, 0.0
	for i := range l.Judges {
		total += l.Judges[i].Weight
		if !slices.Contains(names, "judge "+l.Judges[i].Name()) {
			left++
			weight += l.Judges[i].Weight
		}
	}
	need := l.Policy.judgesNeeded(len(l.Judges))
	const mend = ": mend that judge, leave it out of judges, or "
	switch {
	case left < need:
		return fmt.Sprintf(": no comparison gets a label without it, since min_judges asks for the same verdict of %d of the %d judges%sset min_judges to at most %d; the other judges' answers are kept", need, len(l.Judges), mend, max(left, 1)), true
	case weight/total < l.Policy.MinVoteShare-tolerance:
		return fmt.Sprintf(": no comparison gets a label without it, since the other judges have %.2g of all weight and min_vote_share is %g%slower min_vote_share; the other judges' answers are kept", weight/total, l.Policy.MinVoteShare, mend), true
	}
	return fmt.Sprintf("; it is asked no more, and the labels rest on the other judges, with a vote_share of at most %.2g", weight/total), false
}

// unusable is what came of a question where that is nothing.
func (s step) unusable(a Answer, none *noReply) *unusable {
	switch a.Outcome {
	case Failed:
		return &unusable{reason: a.Reason, example: a.Detail, lasting: chat.Refused(none)}
	case Unparseable:
		u := &unusable{reason: a.Reason, example: a.Detail + "; " + shown(a.Raw, a.FinishReason), lasting: true}
		if j, ok := s.judge.Judge.(*OpenAI); ok {
			u.hint = j.hint(a.Reason)
		}
		return u
	}
	return nil
}

// ask asks the judge. What cannot be read in its answer is asked again by the
// next run.
func (s step) ask(ctx context.Context) (answer Answer, again bool, spent chat.Spent, err error) {
	answer, err = s.judge.Ask(ctx, Question{s.comparison, s.principle, s.swapped})
	if err == nil && answer.Outcome == Failed {
		err = errors.New(answer.Detail)
	}
	return answer, answer.Outcome == Unparseable, answer.spent(), err
}

// label makes the label of a comparison of all answers about it.
func (l *Labelling) label(answers []stepAnswer) labels.Label {
	out := labels.Label{Comparison: *answers[0].comparison, Judge: l.judgeNames()}
	var asked []Asked
	for i := range answers {
		a := &answers[i]
		if a.principle == nil {
			break
		}
		if !a.swapped {
			asked = append(asked, Asked{Judge: a.judge.Name(), Weight: a.judge.Weight, Principle: a.principle, AFirst: &a.Answer})
		} else {
			asked[len(asked)-1].BFirst = &a.Answer
		}
		if a.Outcome != Failed {
			out.Requests += a.Requests
			out.PromptTokens += a.PromptTokens
			out.CompletionTokens += a.CompletionTokens
			out.Cost += a.Cost
		}
	}
	out.Verdict = Aggregate(&out.Comparison, asked, l.Policy)
	out.AFirst = meanVote(out.Votes, func(v labels.Vote) float64 { return v.AFirst })
	out.BFirst = meanVote(out.Votes, func(v labels.Vote) float64 { return v.BFirst })
	return out
}

// meanVote is the weighted mean of the votes' probabilities, NaN where none
// has one.
func meanVote(votes []labels.Vote, of func(labels.Vote) float64) float64 {
	sum, weight := 0.0, 0.0
	for _, v := range votes {
		if p := of(v); !math.IsNaN(p) {
			sum += v.Weight * p
			weight += v.Weight
		}
	}
	return sum / weight
}

func (l *Labelling) judgeNames() string {
	names := make([]string, len(l.Judges))
	for i, j := range l.Judges {
		names[i] = j.Name()
	}
	return strings.Join(names, "+")
}
