package feedback

import (
	"cmp"
	"math"
	"slices"

	"laurel/data"
	"laurel/labels"
)

// The position policies: what the answers to both orders make of a principle.
const (
	PositionAgree   = "agree"   // it votes only if both orders name the same response
	PositionAverage = "average" // it votes by the mean of both orders' probability that A is better
	PositionOff     = "off"     // it votes by the order A, B; the other is not asked
)

// Policy is how answers become verdicts.
type Policy struct {
	Position      string
	MinConfidence float64
	MinVoteShare  float64
	MinJudges     int // judges whose verdict must be the same; 0: all
}

// judgesNeeded is how many of so many judges must name the same side.
func (p Policy) judgesNeeded(judges int) int {
	if p.MinJudges == 0 {
		return judges
	}
	return p.MinJudges
}

// Asked is what one judge answered about a comparison under one principle.
type Asked struct {
	Judge     string
	Weight    float64 // of the judge
	Principle *Principle
	// AFirst and BFirst are the answers with A and with B shown first; nil where
	// that order was not asked.
	AFirst, BFirst *Answer
}

// tolerance is what sums of weights may miss by rounding: 0.1+0.2 is 0.3 here.
const tolerance = 1e-9

// Aggregate makes a verdict of the answers about a comparison. Each judge has
// a verdict of its own: the side with more weight of principles, its
// confidence the vote-weighted mean of theirs, its vote share their weight
// over the weight of all principles. Several judges' verdicts are combined by
// the judges' weights.
func Aggregate(c *data.Comparison, asked []Asked, policy Policy) labels.Verdict {
	if c.Identical() {
		return abstain(labels.AbstainIdentical)
	}
	var judges []JudgeVotes
	var all []labels.Vote
	for rest := asked; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Judge == rest[0].Judge {
			n++
		}
		votes := make([]labels.Vote, n)
		for i, a := range rest[:n] {
			votes[i] = vote(a, policy.Position)
		}
		all = append(all, votes...)
		judges = append(judges, JudgeVotes{rest[0].Weight, votes})
		rest = rest[n:]
	}
	verdicts := judgeResults(judges, policy)
	verdict := withPrinciples(combine(verdicts, policy), verdicts, asked)
	verdict.Votes = all
	return verdict
}

// JudgeVotes are the votes of one judge about a comparison, under principles of
// which each has a vote or the reason for none.
type JudgeVotes struct {
	Weight float64 // of the judge
	Votes  []labels.Vote
}

// Decide is the verdict of votes whose weights may be others than those they were
// cast with: side, confidence, vote share and reason as Aggregate finds them.
func Decide(judges []JudgeVotes, policy Policy) labels.Verdict {
	return combine(judgeResults(judges, policy), policy)
}

// judgeResult is one judge's verdict, with its weight and what it rests on.
type judgeResult struct {
	labels.Verdict
	JudgeVotes
}

func judgeResults(judges []JudgeVotes, policy Policy) []judgeResult {
	out := make([]judgeResult, len(judges))
	for i, j := range judges {
		out[i] = judgeResult{judgeVerdict(j.Votes, policy), j}
	}
	return out
}

func abstain(reason labels.Abstention) labels.Verdict {
	return labels.Verdict{Reason: reason, Confidence: math.NaN(), VoteShare: math.NaN()}
}

// vote is what both orders make of a principle.
func vote(a Asked, position string) labels.Vote {
	v := labels.Vote{Judge: a.Judge, Principle: a.Principle.Name, Weight: a.Principle.Weight * a.Weight,
		AFirst: betterA(a.AFirst, false), BFirst: betterA(a.BFirst, true), Confidence: math.NaN()}
	p := []float64{v.AFirst, v.BFirst}
	answers := []*Answer{a.AFirst, a.BFirst}
	if position == PositionOff {
		p, answers, v.BFirst = p[:1], answers[:1], math.NaN()
	}
	if v.Reason = unanswered(answers); v.Reason != "" {
		return v
	}
	if v.Reason = undecided(p, position); v.Reason != "" {
		return v
	}
	mean := 0.0
	for _, x := range p {
		mean += x / float64(len(p))
	}
	v.Side, v.Confidence = labels.SideA, mean
	if mean < 0.5 {
		v.Side, v.Confidence = labels.SideB, 1-mean
	}
	return v
}

// betterA is the probability that A is the better response, in an answer to
// the order that swapped tells; NaN where there is none, one half for a tie.
func betterA(a *Answer, swapped bool) float64 {
	switch {
	case a == nil, a.Outcome == Unparseable, a.Outcome == Failed:
		return math.NaN()
	case a.Outcome == Tie:
		return 0.5
	case swapped:
		return 1 - a.First
	}
	return a.First
}

// unanswered is the reason of a principle that lacks an answer in an order.
func unanswered(answers []*Answer) (reason labels.Abstention) {
	for _, a := range answers {
		switch {
		case a == nil, a.Outcome == Failed:
			return labels.AbstainFailed
		case a.Outcome == Unparseable:
			reason = labels.AbstainUnparseable
		}
	}
	return reason
}

// undecided is the reason of a principle whose answers, each the probability
// that A is better, name no response, or under agree not the same.
func undecided(p []float64, position string) labels.Abstention {
	sum, ties, forA := 0.0, 0, 0
	for _, x := range p {
		sum += x - 0.5
		switch {
		case x == 0.5:
			ties++
		case x > 0.5:
			forA++
		}
	}
	split := forA > 0 && forA+ties < len(p)
	switch {
	case ties == len(p), ties > 0 && position == PositionAgree:
		return labels.AbstainTie
	case split && position == PositionAgree, math.Abs(sum) < tolerance:
		return labels.AbstainOrders
	}
	return ""
}

// judgeVerdict is one judge's verdict over its votes.
func judgeVerdict(votes []labels.Vote, policy Policy) labels.Verdict {
	var weight, confidence [2]float64 // of A, of B
	total := 0.0
	for _, v := range votes {
		total += v.Weight
		if v.Side != labels.Neither {
			i := index(v.Side)
			weight[i] += v.Weight
			confidence[i] += v.Weight * v.Confidence
		}
	}
	if weight[0]+weight[1] == 0 {
		return abstain(abstentionReason(votes))
	}
	if math.Abs(weight[0]-weight[1]) <= tolerance*total {
		return abstain(labels.AbstainSplit)
	}
	won := labels.SideA
	if weight[1] > weight[0] {
		won = labels.SideB
	}
	i := index(won)
	return withThresholds(labels.Verdict{Side: won, Confidence: confidence[i] / weight[i], VoteShare: weight[i] / total}, policy)
}

func index(s labels.Side) int {
	if s == labels.SideB {
		return 1
	}
	return 0
}

// abstentionReason is the reason that most weight of abstaining votes has; of equal
// ones the graver.
func abstentionReason(votes []labels.Vote) labels.Abstention {
	gravity := []labels.Abstention{labels.AbstainFailed, labels.AbstainUnparseable, labels.AbstainOrders, labels.AbstainTie}
	weights := map[labels.Abstention]float64{}
	for _, v := range votes {
		weights[v.Reason] += v.Weight
	}
	return slices.MaxFunc(gravity, func(a, b labels.Abstention) int { // the first of equal ones
		if math.Abs(weights[a]-weights[b]) < tolerance {
			return 0
		}
		return cmp.Compare(weights[a], weights[b])
	})
}

// withThresholds abstains below the thresholds. The numbers stay, and tell by how much.
func withThresholds(v labels.Verdict, policy Policy) labels.Verdict {
	switch {
	case v.Confidence < policy.MinConfidence-tolerance:
		v.Reason = labels.AbstainConfidence
	case v.VoteShare < policy.MinVoteShare-tolerance:
		v.Reason = labels.AbstainVoteShare
	default:
		return v
	}
	v.Side = labels.Neither
	return v
}

// combine makes one verdict of the judges'. The side is the one that their
// weighted mean probability favours; at least MinJudges must name it.
func combine(judges []judgeResult, policy Policy) labels.Verdict {
	total, deciding, forA := 0.0, 0.0, 0.0
	for _, j := range judges {
		total += j.Weight
		if j.Side != labels.Neither {
			deciding += j.Weight
			forA += j.Weight * j.better(labels.SideA)
		}
	}
	if len(judges) == 1 || deciding == 0 {
		return withoutCombining(judges)
	}
	if math.Abs(forA/deciding-0.5) < tolerance {
		return abstain(labels.AbstainSplit)
	}
	verdict := labels.Verdict{Side: labels.SideA, Confidence: forA / deciding}
	if forA < deciding/2 {
		verdict.Side, verdict.Confidence = labels.SideB, 1-forA/deciding
	}
	agreed := 0
	for _, j := range judges {
		if j.Side == verdict.Side {
			agreed++
			verdict.VoteShare += j.Weight * j.VoteShare / total
		}
	}
	if agreed < policy.judgesNeeded(len(judges)) {
		verdict.Side, verdict.Reason = labels.Neither, labels.AbstainJudges
		return verdict
	}
	return withThresholds(verdict, policy)
}

// better is the probability that side is the better one, as the judge sees it.
func (j judgeResult) better(side labels.Side) float64 {
	if j.Side == side {
		return j.Confidence
	}
	return 1 - j.Confidence
}

// withoutCombining is the verdict of one judge, or of several that all abstain: their
// common reason, if they have one.
func withoutCombining(judges []judgeResult) labels.Verdict {
	for _, j := range judges[1:] {
		if j.Reason != judges[0].Reason {
			return abstain(labels.AbstainJudges)
		}
	}
	if len(judges) > 1 {
		return abstain(judges[0].Reason)
	}
	return judges[0].Verdict
}

// withPrinciples adds the principles behind a verdict, of the judges that share it:
// how many voted for its side, the one of most weight (the first of equal
// ones), and what was said under that.
// asked has the answers behind the votes, in their order.
func withPrinciples(v labels.Verdict, judges []judgeResult, asked []Asked) labels.Verdict {
	if v.Side == labels.Neither {
		return v
	}
	weights := map[string]float64{}
	for _, j := range judges {
		for _, vote := range j.JudgeVotes.Votes {
			if j.Side == v.Side && vote.Side == v.Side {
				weights[vote.Principle] += vote.Weight
			}
		}
	}
	v.Agreed = len(weights)
	at := -1
	for _, j := range judges {
		for _, vote := range j.JudgeVotes.Votes {
			at++
			if j.Side != v.Side || vote.Side != v.Side {
				continue
			}
			if v.Principle == "" || weights[vote.Principle] > weights[v.Principle]+tolerance {
				v.Principle, v.Rationale = vote.Principle, rationale(asked[at], v.Side)
			}
		}
	}
	return v
}

// rationale is what was said with the order A, B, whose letters are those of
// the label, or where that names the other side, with the order B, A.
func rationale(a Asked, side labels.Side) string {
	p := betterA(a.AFirst, false)
	if p != 0.5 && (p > 0.5) == (side == labels.SideA) || a.BFirst == nil {
		return a.AFirst.Rationale
	}
	return a.BFirst.Rationale
}
