// Package feedback makes preference pairs of unlabelled comparisons, by AI
// judgement under a written constitution (Bai et al. 2022, Constitutional AI;
// Lee et al. 2023, RLAIF), and revised responses for supervised fine-tuning.
//
// A Comparison is put to each Judge once for every principle and order
// (Question), the Answers rest in a Store, and Aggregate makes a Verdict of
// them: a preferred response with its confidence, or an abstention with its
// reason. Label runs that line; Revise runs critique and revision. Training
// meets this package in a Parquet file only.
package feedback

import (
	"context"

	"laurel/data"
	"laurel/feedback/chat"
)

// Judge compares two responses. Its answers depend on the question and on
// what Fingerprint names, and on nothing else that it can help.
type Judge interface {
	// Name is the judge's name in verdicts and reports, unique in a run.
	Name() string
	// Fingerprint names everything that decides its answers: kind, model, mode,
	// sampling, prompt templates. Answers are kept under it. Never a key.
	Fingerprint() string
	// Ask answers one question. A reply that gives no preference is an Answer
	// with its Outcome; an error is that no reply could be had, after all
	// retries, or that the run must stop (chat.ErrBudget, ctx).
	Ask(ctx context.Context, q Question) (Answer, error)
}

// Question is one call of a judge: which of two responses serves a principle
// better, shown in one of both orders.
type Question struct {
	Comparison *data.Comparison
	Principle  *Principle
	Swapped    bool // response B is shown first
}

// First and Second are the responses in the order shown.
func (q Question) First() data.Text {
	if q.Swapped {
		return q.Comparison.B
	}
	return q.Comparison.A
}

// Second is the response shown after First.
func (q Question) Second() data.Text {
	if q.Swapped {
		return q.Comparison.A
	}
	return q.Comparison.B
}

// Outcome is what a reply turned out to be.
type Outcome string

// The outcomes of a question. A failed question has no reply at all.
const (
	Preferred   Outcome = "preferred"   // one response is named, or probabilities given
	Tie         Outcome = "tie"         // the judge says that neither is better
	Unparseable Outcome = "unparseable" // a reply in which no preference can be read
	Failed      Outcome = "failed"      // no reply after all retries
)

// Answer is the reply to a question, as it was read.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	// First is the probability that the response shown first is the better one,
	// in [0, 1]; meaningful where Outcome is Preferred.
	First     float64 `json:"first"`
	Rationale string  `json:"rationale,omitempty"`
	Raw       string  `json:"raw,omitempty"`    // the reply as it came
	Detail    string  `json:"detail,omitempty"` // why it is unparseable or failed
	Reason    string  `json:"reason,omitempty"` // the same in one word, to count by
	// Unstated is that the judge named a side without a confidence: First is 0
	// or 1 here, and the judge's unstated_confidence where answers are aggregated.
	Unstated         bool    `json:"unstated,omitempty"`
	FinishReason     string  `json:"finish_reason,omitempty"`
	Model            string  `json:"model,omitempty"` // as the server names it
	PromptTokens     int     `json:"prompt_tokens,omitempty"`
	CompletionTokens int     `json:"completion_tokens,omitempty"`
	Cost             float64 `json:"cost,omitempty"` // dollars
	Requests         int     `json:"requests,omitempty"`
	// Retries is what attempts without a reply took, beside the four above. It
	// depends on how loaded the server was, so it is no part of a label.
	Retries chat.Spent `json:"retries,omitzero"`

	stored chat.Spent // of the five above, what the store counts already
}

// spent is what the answer took and the store does not count yet.
func (a Answer) spent() chat.Spent {
	return chat.Spent{Requests: a.Requests, PromptTokens: a.PromptTokens, CompletionTokens: a.CompletionTokens, Cost: a.Cost}.Plus(a.Retries).Minus(a.stored)
}
