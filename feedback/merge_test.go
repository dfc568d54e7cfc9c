package feedback

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/labels"
)

// voted is a label of one judge's votes, each the probability that A is the
// better one in both orders.
func voted(id string, side labels.Side, reason labels.Abstention, ps ...float64) labels.Label {
	l := labels.Label{Comparison: data.Comparison{ID: id, Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "x" + id}, B: data.Text{Plain: "y"}},
		Verdict: labels.Verdict{Side: side, Reason: reason, Confidence: 0.8, VoteShare: 1}, Judge: "j"}
	if side == labels.Neither {
		l.Confidence, l.VoteShare = math.NaN(), math.NaN()
	}
	for i, p := range ps {
		l.Votes = append(l.Votes, labels.Vote{Judge: "j", Principle: fmt.Sprint(i), Weight: 1, AFirst: p, BFirst: p})
	}
	return l
}

func eachLabel(all []labels.Label) iter.Seq2[labels.Label, error] {
	return func(yield func(labels.Label, error) bool) {
		for _, l := range all {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func TestReviewTakesTheLeastCertain(t *testing.T) {
	disputed := voted("disputed", labels.SideA, "", 1, 1)
	disputed.Votes = append(disputed.Votes, labels.Vote{Judge: "k", Weight: 1, AFirst: 0.4, BFirst: 0.5})
	all := []labels.Label{
		voted("sure", labels.SideA, "", 0.95, 0.9), voted("split", labels.Neither, labels.AbstainSplit, 0.9, 0.1), voted("same", labels.Neither, labels.AbstainIdentical),
		voted("failed", labels.Neither, labels.AbstainFailed, math.NaN()), voted("odd", labels.Neither, labels.AbstainUnparseable, math.NaN()), disputed,
		voted("unsure", labels.SideB, "", 0.4, 0.3), voted("surest", labels.SideB, "", 0, 0),
	}
	rows, s, err := Review(eachLabel(all), 0.36, 1) // 2.88 of 8
	if err != nil {
		t.Fatal(err)
	}
	why := map[string]string{}
	for _, r := range rows {
		why[r.ID] = r.Why
	}
	if want := map[string]string{"disputed": "judges_disagree", "split": "no_verdict", "unsure": "least_certain"}; !reflect.DeepEqual(why, want) {
		t.Errorf("%v, want %v", why, want)
	}
	if want := (ReviewSummary{Comparisons: 8, Identical: 1, Unanswered: 2, Selected: 3, Disputed: 1, Abstained: 1}); *s != want {
		t.Errorf("%+v", *s)
	}
	for fraction, want := range map[float64]int{1: 5, 0.125: 1, 0.126: 2, 0.25: 2, 1e-9: 1} {
		if rows, _, _ := Review(eachLabel(all), fraction, 1); len(rows) != want {
			t.Errorf("%v of 8: %d, want %d", fraction, len(rows), want)
		}
	}
	again, _, _ := Review(eachLabel(all), 0.36, 1)
	orders := map[string]bool{}
	for seed := range int64(20) {
		rows, _, _ := Review(eachLabel(all), 0.36, seed)
		orders[rows[0].ID+rows[1].ID] = true
	}
	if !reflect.DeepEqual(rows, again) || len(orders) < 4 {
		t.Errorf("not in one order for a seed, or one for all: %v", orders)
	}
}

func answer(id, annotator string, side labels.Side) labels.Reviewed {
	return labels.Reviewed{ID: id, Annotator: annotator, Side: side, Answered: true}
}

// merged runs a merge and checks that its counts add up.
func merged(t *testing.T, all []labels.Label, reviewed []labels.Reviewed) (map[string]labels.Label, []Conflict, *MergeSummary) {
	t.Helper()
	out := map[string]labels.Label{}
	var conflicts []Conflict
	m := Merging{Labels: eachLabel(all), Reviewed: reviewed, Confidence: 0.9}
	s, err := m.Merge(func(l labels.Label) error { out[l.ID] = l; return nil }, func(c Conflict) error { conflicts = append(conflicts, c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if s.Answered != s.Confirmed+s.Overturned+s.Decided+s.Withdrawn+s.StillOpen || s.Labelled != s.LabelledBefore+s.Decided-s.Withdrawn ||
		s.Labels != s.Labelled+s.Abstained || s.Labels != s.LabelledBefore+s.AbstainedBefore || s.Answers+s.Blank != len(reviewed) || s.AgainstJudges != s.Overturned+s.Withdrawn {
		t.Errorf("does not add up: %+v", s)
	}
	return out, conflicts, s
}

func TestMerge(t *testing.T) {
	all := []labels.Label{voted("confirmed", labels.SideA, "", 0.9), voted("overturned", labels.SideA, "", 0.9), voted("withdrawn", labels.SideB, "", 0.1),
		voted("decided", labels.Neither, labels.AbstainTie, 0.5), voted("open", labels.Neither, labels.AbstainSplit, 0.9, 0.1), voted("alone", labels.SideA, "", 1)}
	noted := answer("decided", "bo", labels.SideB)
	noted.Note = "clearer"
	out, conflicts, s := merged(t, all, []labels.Reviewed{
		answer("confirmed", "an", labels.SideA), answer("overturned", "an", labels.SideB), answer("withdrawn", "an", labels.Neither), {ID: "alone", Annotator: "an"},
		answer("decided", "an", labels.SideB), answer("open", "an", labels.SideA),
		answer("confirmed", "bo", labels.SideA), answer("overturned", "bo", labels.Neither), noted, answer("open", "bo", labels.SideB),
		answer("overturned", "cy", labels.SideB), answer("decided", "cy", labels.SideA),
	})
	nan := math.NaN()
	for id, want := range map[string]struct {
		side              labels.Side
		reason            labels.Abstention
		confidence, share float64
		judge             string
	}{
		"confirmed": {labels.SideA, "", 0.9, 1, "human:an+human:bo"},
		// two for b and a tie: s = 2.5/3, 0.9·s + 0.1·(1−s)
		"overturned": {labels.SideB, "", 0.9*2.5/3 + 0.1*0.5/3, 2. / 3, "human:an+human:bo+human:cy"},
		"withdrawn":  {labels.Neither, labels.AbstainTie, nan, nan, "human:an"},
		// two of three: 0.9·2/3 + 0.1/3
		"decided": {labels.SideB, "", 0.9*2/3 + 0.1/3, 2. / 3, "human:an+human:bo+human:cy"},
		"open":    {labels.Neither, labels.AbstainSplit, nan, nan, "human:an+human:bo"},
		"alone":   {labels.SideA, "", 0.8, 1, "j"},
	} {
		got := out[id]
		same := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b) }
		if got.Side != want.side || got.Reason != want.reason || !same(got.Confidence, want.confidence) || !same(got.VoteShare, want.share) || got.Judge != want.judge {
			t.Errorf("%s: %+v %s, want %+v", id, got.Verdict, got.Judge, want)
		}
	}
	if votes := out["decided"].Votes; len(votes) != 4 || votes[0].Judge != "j" || votes[2].Judge != "human:bo" || votes[2].Side != labels.SideB || out["decided"].Rationale != "bo: clearer" {
		t.Errorf("%+v", out["decided"])
	}
	var said []string
	for _, c := range conflicts {
		said = append(said, fmt.Sprint(c.ID, " ", c.PeopleDisagree, c.AgainstJudges, " ", c.People, " ", c.Judges, " ", len(c.Answers)))
	}
	want := []string{"overturned true true b a 3", "withdrawn false true tie b 1", "decided true false b tie 3", "open true false split votes_even 2"}
	if !slices.Equal(said, want) {
		t.Errorf("conflicts\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if s.Confirmed != 1 || s.Overturned != 1 || s.Withdrawn != 1 || s.Decided != 1 || s.StillOpen != 1 || s.PeopleDisagree != 3 || s.AgainstJudges != 2 ||
		s.Blank != 1 || !reflect.DeepEqual(s.Annotators, map[string]int{"an": 5, "bo": 4, "cy": 2}) {
		t.Errorf("%+v", s)
	}
	var again []labels.Label
	for _, l := range out {
		again = append(again, l)
	}
	m := Merging{Labels: eachLabel(again), Confidence: 0.9}
	if _, err := m.Merge(func(labels.Label) error { return nil }, nil); err == nil || !strings.Contains(err.Error(), "people have answered it already") {
		t.Errorf("merged twice: %v", err)
	}
	stop := errors.New("full disk")
	m.Labels = eachLabel(all)
	if _, err := m.Merge(func(labels.Label) error { return stop }, nil); !errors.Is(err, stop) {
		t.Error(err)
	}
}

// TestMergeAddsUp: random answers; a side's confidence is above one half, and
// rises with its share.
func TestMergeAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	sides := []labels.Side{labels.SideA, labels.SideB, labels.Neither}
	for range 200 {
		var all []labels.Label
		var reviewed []labels.Reviewed
		for i := range 10 {
			side, reason := sides[random.IntN(3)], labels.Abstention("")
			if side == labels.Neither {
				reason = labels.AbstainTie
			}
			all = append(all, voted(fmt.Sprint(i), side, reason, 0.5))
			for k := range random.IntN(6) {
				reviewed = append(reviewed, answer(fmt.Sprint(i), fmt.Sprint(k), sides[random.IntN(3)]))
			}
		}
		out, _, _ := merged(t, all, reviewed)
		for _, l := range out {
			if l.Side != labels.Neither && !(l.Confidence > 0.5 && l.Confidence <= 0.9 && l.VoteShare > 0 && l.VoteShare <= 1) {
				t.Fatalf("%+v", l.Verdict)
			}
		}
	}
}
