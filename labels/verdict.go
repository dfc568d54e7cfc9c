// Package labels reads and writes what judges and people make of comparisons:
// label files, review sheets, gold, and confidences that were calibrated.
package labels

import "laurel/data"

// Side is the response that a vote or verdict prefers.
type Side string

// A and B are the comparison's own responses, whatever order they were shown
// in; a vote or verdict for neither is for Neither.
const (
	Neither Side = ""
	SideA   Side = "a"
	SideB   Side = "b"
)

// Abstention says why a vote or verdict is for neither response. Its words are
// part of the files and reports.
type Abstention string

// The reasons to abstain.
const (
	AbstainOrders      Abstention = "orders_disagree"     // both orders are answered, and name different responses
	AbstainTie         Abstention = "tie"                 // called a tie, or one half for both
	AbstainUnparseable Abstention = "unparseable"         // a reply in which no preference can be read
	AbstainFailed      Abstention = "failed"              // no reply could be had
	AbstainSplit       Abstention = "votes_even"          // both responses have the same weight of votes
	AbstainConfidence  Abstention = "low_confidence"      // below min_confidence
	AbstainVoteShare   Abstention = "low_vote_share"      // below min_vote_share
	AbstainJudges      Abstention = "judges_disagree"     // fewer judges than min_judges agree
	AbstainIdentical   Abstention = "identical_responses" // nothing was asked
)

// Vote is what one judge makes of a comparison under one principle, both
// orders taken together.
type Vote struct {
	Judge     string
	Principle string
	Weight    float64 // of the principle, times that of the judge
	// AFirst and BFirst are the probabilities that response A is the better one,
	// as answered with A shown first and with B shown first; NaN where there is
	// no such answer.
	AFirst, BFirst float64
	Side           Side
	Confidence     float64    // that Side is the better one, in [0.5, 1]; NaN where Side is Neither
	Reason         Abstention // why Side is Neither
}

// Verdict is what the votes make of a comparison.
type Verdict struct {
	Side       Side
	Confidence float64    // vote-weighted mean of the winning votes' confidences
	VoteShare  float64    // weight of the winning votes / total weight
	Agreed     int        // principles that voted for Side
	Principle  string     // of the agreeing ones, that of most weight
	Rationale  string     // of the answer under that principle
	Reason     Abstention // why Side is Neither
	Votes      []Vote
}

// Label is a comparison with its verdict and what that took.
type Label struct {
	data.Comparison
	Verdict
	Judge            string  // the judges' names, joined by +
	AFirst, BFirst   float64 // weighted means of the votes' probabilities that A is better, by order; NaN where none
	Requests         int
	PromptTokens     int
	CompletionTokens int
	Cost             float64 // dollars
}
