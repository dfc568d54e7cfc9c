package demo

import (
	"math"
	"math/rand/v2"
)

// The panel: each of five judges scores the difference of two responses as
// slope times the difference of their grades, plus noise of its own. With
// these values about one neighbouring pair in twelve is labelled wrongly, and
// always with a low confidence.
const (
	judges     = 5
	judgeSlope = 1.0 // log-odds per grade
	judgeNoise = 1.6 // standard deviation of one judge's log-odds
)

// verdict is the panel's word on a comparison whose first response has the
// higher grade.
type verdict struct {
	forFirst   bool
	confidence float64
	voteShare  float64
}

// leastPreference keeps 0.5 for ties.
const leastPreference = 0.51

// judge lets the panel vote: confidence = σ(|mean score|), to two decimals.
// Equal grades are a tie: confidence 0.5, one judge abstains, two vote for
// each side, and which one is written as chosen is arbitrary.
func judge(random *rand.Rand, gap int) verdict {
	if gap == 0 {
		return verdict{forFirst: random.IntN(2) == 0, confidence: 0.5, voteShare: 0.5}
	}
	sum, votes := 0.0, 0
	for range judges {
		score := judgeSlope*float64(gap) + judgeNoise*random.NormFloat64()
		sum += score
		if score > 0 {
			votes++
		}
	}
	v := verdict{forFirst: sum > 0}
	if !v.forFirst {
		votes = judges - votes
	}
	probability := 1 / (1 + math.Exp(-math.Abs(sum)/judges))
	v.confidence = max(leastPreference, math.Round(100*probability)/100)
	v.voteShare = float64(votes) / judges
	return v
}

// order says which of the two is chosen.
func (v verdict) order(c comparison) (chosen, rejected response) {
	if v.forFirst {
		return c.a, c.b
	}
	return c.b, c.a
}

// label writes a comparison down as a preference pair.
func (v verdict) label(c comparison) Pair {
	chosen, rejected := v.order(c)
	return Pair{
		Prompt: c.topic.prompt + "\n", Subset: c.topic.domain,
		Chosen: chosen.text, Rejected: rejected.text,
		Confidence: v.confidence, VoteShare: v.voteShare,
	}
}

// planned is what a pair is to be before a word of it is written.
type planned struct {
	high, low int // grades of the first and the second response
	verdict   verdict
	longerBy  int // characters of chosen less those of rejected, give or take lengthSlack
}

// gapShares say how often the two grades lie 0 (a tie) to 4 apart.
var gapShares = [5]float64{0.065, 0.40, 0.29, 0.16, 0.085}

// The responses' lengths differ by up to maxLongerBy characters.
const (
	maxLongerBy = 120
	lengthSlack = 12
)

// plan draws n pairs with exactly these shares, and spreads the difference of
// lengths evenly from -maxLongerBy to +maxLongerBy, whatever the grades.
func plan(random *rand.Rand, n int) []planned {
	plans := make([]planned, n)
	gap, until := 0, gapShares[0]
	for i := range plans {
		for gap < 4 && float64(i) >= until*float64(n) {
			gap++
			until += gapShares[gap]
		}
		low := random.IntN(5 - gap)
		plans[i] = planned{high: low + gap, low: low, verdict: judge(random, gap)}
	}
	random.Shuffle(n, func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	for i, place := range random.Perm(n) {
		plans[place].longerBy = (2*i + 1 - n) * maxLongerBy / n
	}
	return plans
}
