package feedback

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"laurel/feedback/chat"
	"laurel/labels"
)

// TestLabelOfNoUse: a judge whose first replies are all unparseable is asked no
// more, and the next run asks anew; with fewer questions the run says so at its
// end.
func TestLabelOfNoUse(t *testing.T) {
	mumble := func(Question, int) (Answer, error) {
		return Answer{Outcome: Unparseable, Reason: reasonNoVerdict, Detail: "no verdict", Raw: "Well, well.", FinishReason: "stop"}, nil
	}
	judge := &stub{name: "mumbler", reply: mumble}
	store := newStore(t)
	_, summary, err := runLabels(t, labelling(t, store, 1000, judge))
	if err != nil || !summary.Useless() || summary.Unasked < 1000 {
		t.Fatalf("%+v, %v", summary, err)
	}
	err = summary.Stopped
	// Replies under way when the trial ends are counted too.
	for _, says := range []string{`none of the 2\d questions to judge mumbler came to an answer`, `no_verdict 2\d`, `finish_reason "stop"`, `"Well, well\."`} {
		if err == nil || !regexp.MustCompile(says).MatchString(err.Error()) {
			t.Errorf("no word of %s in %v", says, err)
		}
	}
	if judge.total > trialQuestions+8 {
		t.Errorf("%d questions asked", judge.total)
	}
	judge.reply = longer
	if _, summary, err := runLabels(t, labelling(t, store, 30, judge)); err != nil || summary.Stopped != nil || summary.Outcomes(Unparseable) != 0 {
		t.Errorf("after the judge is repaired: %+v, %v", summary, err)
	}
	judge = &stub{name: "mumbler", reply: mumble}
	_, summary, err = runLabels(t, labelling(t, newStore(t), 2, judge))
	if err != nil || summary.Stopped == nil || !strings.Contains(summary.Stopped.Error(), "none of the 16 questions") {
		t.Errorf("%+v, %v", summary, err)
	}
	if r := summary.Judges[0].UnparseableReasons; len(r) != 1 || r[0] != (ReasonCount{reasonNoVerdict, 16, "no verdict"}) {
		t.Errorf("%+v", r)
	}
	one := true
	judge.reply = func(q Question, n int) (Answer, error) { // but one is enough
		if one {
			one = false
			return longer(q, n)
		}
		return mumble(q, n)
	}
	run := labelling(t, newStore(t), 30, judge)
	run.InFlight = 1
	if _, summary, err := runLabels(t, run); err != nil || summary.Stopped != nil {
		t.Errorf("%+v, %v", summary, err)
	}
}

func TestLabelUnstated(t *testing.T) {
	judge := &stub{name: "brackets", reply: func(q Question, n int) (Answer, error) {
		a, err := longer(q, n)
		a.First, a.Unstated = map[bool]float64{true: 1, false: 0}[a.First > 0.5], true
		return a, err
	}}
	run := labelling(t, newStore(t), 2, judge)
	run.Judges[0].Unstated = 0.7
	got, summary, err := runLabels(t, run)
	if err != nil || summary.Judges[0].Unstated != 16 || !near(got[0].Confidence, 0.7) || got[0].Side != labels.SideA || !near(got[1].Confidence, 0.7) || got[1].Side != labels.SideB {
		t.Errorf("%+v, %+v, %v", got, summary, err)
	}
}

// TestLabelWithoutOneJudge: one judge of several that gives no answer of use is
// asked no more; the labels rest on the others where the policy allows any, and
// nothing more is asked where it does not.
func TestLabelWithoutOneJudge(t *testing.T) {
	refused := func(Question, int) (Answer, error) { return Answer{}, fmt.Errorf("HTTP 401: %w", chat.ErrSetup) }
	mumble := func(Question, int) (Answer, error) {
		return Answer{Outcome: Unparseable, Reason: reasonNoVerdict, Detail: "no verdict"}, nil
	}
	away := func(Question, int) (Answer, error) { return Answer{}, errors.New("HTTP 500") }
	for name, c := range map[string]struct {
		reply  func(Question, int) (Answer, error)
		policy func(*Policy)
		most   int    // questions that the judge of no use is asked
		why    string // no labels come; empty: they do
	}{
		"refused":     {refused, func(p *Policy) { p.MinJudges = 1 }, 8, ""},
		"unparseable": {mumble, func(p *Policy) { p.MinJudges = 1 }, trialQuestions + 8, ""},
		"away":        {away, func(p *Policy) { p.MinJudges = 1 }, mostFailures + 8, ""},
		"all needed":  {mumble, func(p *Policy) {}, trialQuestions + 8, "min_judges asks for the same verdict of 2 of the 2 judges: mend that judge, leave it out of judges, or set min_judges to at most 1"},
		"too heavy":   {refused, func(p *Policy) { p.MinJudges, p.MinVoteShare = 1, 0.6 }, 8, "the other judges have 0.5 of all weight and min_vote_share is 0.6"},
	} {
		t.Run(name, func(t *testing.T) {
			good, bad := &stub{name: "good", reply: longer}, &stub{name: "bad", reply: c.reply}
			store := newStore(t)
			run := labelling(t, store, 200, good)
			run.Judges = append(run.Judges, WeightedJudge{Judge: bad, Weight: 1})
			c.policy(&run.Policy)
			got, summary, err := runLabels(t, run)
			if err != nil || summary.Stopped == nil || bad.total > c.most {
				t.Fatalf("%d asked; %+v, %v", bad.total, summary, err)
			}
			said := summary.Stopped.Error()
			switch {
			case c.why == "":
				if summary.Useless() || summary.Labelled+summary.Abstentions() != len(got) || summary.NotAsked != 0 || !strings.Contains(said, "the labels rest on the other judges") {
					t.Errorf("%+v", summary)
				}
			case !summary.Useless() || !strings.Contains(said, c.why) || good.total > 100:
				t.Errorf("%d asked; %+v", good.total, summary)
			}
			kept := good.total
			bad.reply = longer
			whole, summary, err := runLabels(t, run)
			if err != nil || summary.Stopped != nil || len(whole) != 200 || len(good.asked) != good.total {
				t.Errorf("after it is mended, with %d kept: %+v, %v", kept, summary, err)
			}
		})
	}
}
