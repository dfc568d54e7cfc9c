package feedback

import (
	"regexp"
	"strings"
	"testing"

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
	_, _, err := runLabels(t, labelling(t, store, 1000, judge))
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
	_, summary, err := runLabels(t, labelling(t, newStore(t), 2, judge))
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
