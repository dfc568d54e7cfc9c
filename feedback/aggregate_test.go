package feedback

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/labels"
)

var twoTexts = data.Comparison{Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "a"}, B: data.Text{Plain: "b"}}

// the four principles and the policy of the article
var four = []Principle{{Name: "safe", Weight: 1.5}, {Name: "careful", Weight: 1}, {Name: "honest", Weight: 1.2}, {Name: "autonomy", Weight: 1}}

func article(position string) Policy {
	return Policy{Position: position, MinConfidence: 0.6, MinVoteShare: 0.5}
}

// preferring is an answer by its probability that the response shown first is the
// better one; T a tie, U unparseable, F failed.
func preferring(p float64) *Answer {
	return &Answer{Outcome: Preferred, First: p, Rationale: fmt.Sprintf("first %v", p)}
}

var tie, unparseable, failed = &Answer{Outcome: Tie}, &Answer{Outcome: Unparseable}, &Answer{Outcome: Failed}

// byFour puts two answers under each of the four principles.
func byFour(answers ...*Answer) []Asked {
	var asked []Asked
	for i := range four {
		asked = append(asked, Asked{Judge: "judge", Weight: 1, Principle: &four[i], AFirst: answers[2*i], BFirst: answers[2*i+1]})
	}
	return asked
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b) }

func TestAggregateByHand(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		asked  []Asked
		policy Policy
		want   labels.Verdict
	}{
		{"all agree", byFour(preferring(0.9), preferring(0.2), preferring(0.8), preferring(0.3), preferring(0.7), preferring(0.3), preferring(0.6), preferring(0.4)), article(PositionAgree),
			// confidences 0.85, 0.75, 0.7, 0.6: (1.5·0.85 + 0.75 + 1.2·0.7 + 0.6) / 4.7
			labels.Verdict{Side: labels.SideA, Confidence: 3.465 / 4.7, VoteShare: 1, Agreed: 4, Principle: "safe", Rationale: "first 0.9"}},
		{"two for b, one split, one tie", byFour(preferring(0.1), preferring(0.7), preferring(0.9), preferring(0.8), tie, preferring(0.9), preferring(0.3), preferring(0.9)), article(PositionAgree),
			// safe 0.8 and autonomy 0.8 for b: 2.5 of 4.7
			labels.Verdict{Side: labels.SideB, Confidence: 0.8, VoteShare: 2.5 / 4.7, Agreed: 2, Principle: "safe", Rationale: "first 0.1"}},
		{"a majority of what is left", byFour(preferring(0.9), preferring(0.9), preferring(0.9), preferring(0.1), preferring(0.1), preferring(0.9), unparseable, preferring(0.1)), article(PositionAgree),
			// honest (1.2) for b against careful (1): 1.2 of 4.7 is too little
			labels.Verdict{Confidence: 0.9, VoteShare: 1.2 / 4.7, Reason: labels.AbstainVoteShare}},
		{"not sure enough", byFour(preferring(0.58), preferring(0.42), preferring(0.59), preferring(0.41), preferring(0.6), preferring(0.4), preferring(0.6), preferring(0.4)), article(PositionAgree),
			labels.Verdict{Confidence: (1.5*0.58 + 0.59 + 1.2*0.6 + 0.6) / 4.7, VoteShare: 1, Reason: labels.AbstainConfidence}},
		{"just sure enough", byFour(preferring(0.6), preferring(0.4), preferring(0.6), preferring(0.4), preferring(0.6), preferring(0.4), preferring(0.6), preferring(0.4)), article(PositionAgree),
			labels.Verdict{Side: labels.SideA, Confidence: 0.6, VoteShare: 1, Agreed: 4, Principle: "safe", Rationale: "first 0.6"}},
		{"only position", byFour(preferring(0.9), preferring(0.9), preferring(0.8), preferring(0.8), preferring(0.7), preferring(0.7), preferring(0.9), preferring(0.9)), article(PositionAgree),
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainOrders}},
		{"ties weigh most", byFour(tie, tie, tie, tie, unparseable, preferring(0.3), failed, tie), article(PositionAgree),
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainTie}},
		{"of equal weight the graver", byFour(tie, preferring(0.5), tie, preferring(0.1), failed, preferring(0.2), failed, preferring(0.3)), Policy{Position: PositionAgree},
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainTie}}, // 2.5 against 2.2
		{"average outweighs a position", byFour(preferring(0.9), preferring(0.6), preferring(0.9), preferring(0.6), preferring(0.9), preferring(0.6), preferring(0.9), preferring(0.6)), article(PositionAverage),
			// mean of 0.9 and 1−0.6
			labels.Verdict{Side: labels.SideA, Confidence: 0.65, VoteShare: 1, Agreed: 4, Principle: "safe", Rationale: "first 0.9"}},
		{"average, b against a's order", byFour(preferring(0.6), preferring(0.9), preferring(0.6), preferring(0.9), tie, preferring(0.9), preferring(0.6), preferring(0.6)), article(PositionAverage),
			// 0.35, 0.35, 0.3 and an even one
			labels.Verdict{Side: labels.SideB, Confidence: (2.5*0.65 + 1.2*0.7) / 3.7, VoteShare: 3.7 / 4.7, Agreed: 3, Principle: "safe", Rationale: "first 0.9"}},
		{"off asks one order", byFour(preferring(0.9), nil, preferring(0.9), nil, preferring(0.3), nil, preferring(0.9), nil), article(PositionOff),
			labels.Verdict{Side: labels.SideA, Confidence: 0.9, VoteShare: 3.5 / 4.7, Agreed: 3, Principle: "safe", Rationale: "first 0.9"}},
		{"even votes", byFour(preferring(0.9), preferring(0.1), preferring(0.1), preferring(0.9), tie, tie, failed, failed)[1:2], article(PositionAgree),
			labels.Verdict{Side: labels.SideB, Confidence: 0.9, VoteShare: 1, Agreed: 1, Principle: "careful", Rationale: "first 0.1"}},
	} {
		got := Aggregate(&twoTexts, c.asked, c.policy)
		if len(got.Votes) != len(c.asked) {
			t.Errorf("%s: %d votes", c.name, len(got.Votes))
		}
		sameVerdict(t, c.name, got, c.want)
	}
}

func sameVerdict(t *testing.T, name string, got, want labels.Verdict) {
	t.Helper()
	if got.Side != want.Side || !near(got.Confidence, want.Confidence) || !near(got.VoteShare, want.VoteShare) ||
		got.Agreed != want.Agreed || got.Principle != want.Principle || got.Rationale != want.Rationale || got.Reason != want.Reason {
		got.Votes, want.Votes = nil, nil
		t.Errorf("%s:\n%+v\nwant\n%+v", name, got, want)
	}
}

func TestAggregateEvenVotes(t *testing.T) {
	tenths := []Principle{{Name: "x", Weight: 0.1}, {Name: "y", Weight: 0.2}, {Name: "z", Weight: 0.3}} // 0.1+0.2 is not 0.3
	asked := []Asked{{"j", 1, &tenths[0], preferring(0.9), preferring(0.1)}, {"j", 1, &tenths[1], preferring(0.9), preferring(0.1)}, {"j", 1, &tenths[2], preferring(0.1), preferring(0.9)}}
	sameVerdict(t, "even", Aggregate(&twoTexts, asked, article(PositionAgree)), labels.Verdict{Confidence: math.NaN(), VoteShare: math.NaN(), Reason: labels.AbstainSplit})
}

func TestAggregateIdentical(t *testing.T) {
	same := twoTexts
	same.B = same.A
	sameVerdict(t, "identical", Aggregate(&same, nil, article(PositionAgree)), labels.Verdict{Confidence: math.NaN(), VoteShare: math.NaN(), Reason: labels.AbstainIdentical})
}

func TestAggregateJudges(t *testing.T) {
	one := []Principle{{Name: "only", Weight: 2}}
	by := func(judge string, weight float64, first, second *Answer) Asked {
		return Asked{judge, weight, &one[0], first, second}
	}
	nan := math.NaN()
	agree := func(k int) Policy { p := article(PositionAgree); p.MinJudges = k; return p }
	for _, c := range []struct {
		name   string
		asked  []Asked
		policy Policy
		want   labels.Verdict
	}{
		{"both agree, the heavier counts more", []Asked{by("x", 3, preferring(0.9), preferring(0.1)), by("y", 1, preferring(0.7), preferring(0.3))}, agree(0),
			labels.Verdict{Side: labels.SideA, Confidence: 0.85, VoteShare: 1, Agreed: 1, Principle: "only", Rationale: "first 0.9"}},
		{"one abstains and all must agree", []Asked{by("x", 1, preferring(0.9), preferring(0.1)), by("y", 1, tie, tie)}, agree(0),
			labels.Verdict{Confidence: 0.9, VoteShare: 0.5, Reason: labels.AbstainJudges}},
		{"one abstains and one is enough", []Asked{by("x", 1, preferring(0.9), preferring(0.1)), by("y", 1, tie, tie)}, agree(1),
			labels.Verdict{Side: labels.SideA, Confidence: 0.9, VoteShare: 0.5, Agreed: 1, Principle: "only", Rationale: "first 0.9"}},
		{"two against one", []Asked{by("x", 1, preferring(0.9), preferring(0.1)), by("y", 1, preferring(0.9), preferring(0.1)), by("z", 1, preferring(0.3), preferring(0.7))}, agree(2),
			// (0.9 + 0.9 + 0.3) / 3
			labels.Verdict{Side: labels.SideA, Confidence: 0.7, VoteShare: 2. / 3, Agreed: 1, Principle: "only", Rationale: "first 0.9"}},
		{"a heavy one against two", []Asked{by("x", 5, preferring(0.9), preferring(0.1)), by("y", 1, preferring(0.3), preferring(0.7)), by("z", 1, preferring(0.3), preferring(0.7))}, agree(2),
			labels.Verdict{Confidence: (4.5 + 0.6) / 7, VoteShare: 5. / 7, Reason: labels.AbstainJudges}},
		{"evenly against each other", []Asked{by("x", 1, preferring(0.9), preferring(0.1)), by("y", 1, preferring(0.1), preferring(0.9))}, agree(1),
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainSplit}},
		{"all tied", []Asked{by("x", 1, tie, tie), by("y", 1, tie, tie)}, agree(1),
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainTie}},
		{"none decides, each for a reason of its own", []Asked{by("x", 1, tie, tie), by("y", 1, failed, tie)}, agree(1),
			labels.Verdict{Confidence: nan, VoteShare: nan, Reason: labels.AbstainJudges}},
	} {
		sameVerdict(t, c.name, Aggregate(&twoTexts, c.asked, c.policy), c.want)
	}
}

// drawn are the answers of up to three judges, of every outcome.
func drawn(r *rand.Rand) []Asked {
	answer := func() *Answer {
		switch r.IntN(8) {
		case 0:
			return tie
		case 1:
			return unparseable
		case 2:
			return failed
		}
		return preferring(float64(r.IntN(11)) / 10)
	}
	var asked []Asked
	for judge := range 1 + r.IntN(3) {
		for i := range four {
			asked = append(asked, Asked{fmt.Sprint(judge), float64(1 + judge), &four[i], answer(), answer()})
		}
	}
	return asked
}

// mirrored is the same answers with the responses swapped: what was shown
// first stays first, and is now the other one.
func mirrored(asked []Asked) []Asked {
	out := slices.Clone(asked)
	for i, a := range out {
		out[i].AFirst, out[i].BFirst = a.BFirst, a.AFirst
	}
	return out
}

func TestAggregateProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	other := map[labels.Side]labels.Side{labels.SideA: labels.SideB, labels.SideB: labels.SideA}
	seen := map[string]int{}
	for range 20_000 {
		asked := drawn(r)
		policy := article([]string{PositionAgree, PositionAverage}[r.IntN(2)])
		policy.MinJudges = r.IntN(2)
		got := Aggregate(&twoTexts, asked, policy)
		seen[string(got.Side)+string(got.Reason)]++
		if (got.Side == labels.Neither) != (got.Reason != "") {
			t.Fatalf("side %q with reason %q", got.Side, got.Reason)
		}
		if got.Side != labels.Neither && (got.Confidence < 0.6-tolerance || got.Confidence > 1 || got.VoteShare < 0.5-tolerance || got.VoteShare > 1+tolerance || got.Agreed < 1) {
			t.Fatalf("out of range: %+v", got)
		}
		if s := got.VoteShare; s < 0 || s > 1+tolerance {
			t.Fatalf("vote share %v", s)
		}
		swapped := Aggregate(&twoTexts, mirrored(asked), policy)
		if swapped.Side != other[got.Side] || !near(swapped.Confidence, got.Confidence) || !near(swapped.VoteShare, got.VoteShare) ||
			swapped.Reason != got.Reason || swapped.Agreed != got.Agreed || swapped.Principle != got.Principle {
			t.Fatalf("mirrored: %+v\nof %+v", swapped, got)
		}
		shuffled := slices.Clone(asked)
		for judge := 0; judge < len(shuffled); judge += len(four) {
			r.Shuffle(len(four), func(i, j int) { shuffled[judge+i], shuffled[judge+j] = shuffled[judge+j], shuffled[judge+i] })
		}
		again := Aggregate(&twoTexts, shuffled, policy)
		if again.Side != got.Side || !near(again.Confidence, got.Confidence) || !near(again.VoteShare, got.VoteShare) || again.Reason != got.Reason || again.Agreed != got.Agreed {
			t.Fatalf("other order of principles: %+v\nof %+v", again, got)
		}
	}
	for _, reason := range []string{"a", "b", "orders_disagree", "tie", "unparseable", "failed", "votes_even", "low_confidence", "low_vote_share", "judges_disagree"} {
		if seen[reason] == 0 {
			t.Errorf("never drawn: %s (%s)", reason, strings.TrimSpace(fmt.Sprint(seen)))
		}
	}
}
