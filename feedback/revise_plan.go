package feedback

import (
	"strings"

	"laurel/data"
)

// RevisionPlan is what a revise run is going to ask, as far as reading its
// input and its store tells.
type RevisionPlan struct {
	Rows             data.Counts `json:"rows"`
	Given            int         `json:"initial_given"`     // prompts with an answer to begin with
	Replies          int         `json:"replies"`           // that the chains are made of
	Kept             int         `json:"kept"`              // of them in the store
	Requests         int         `json:"requests"`          // at most: the others, without retries
	PromptTokens     int         `json:"prompt_tokens"`     // at most, where they are counted
	CompletionTokens int         `json:"completion_tokens"` // at most
	Cost             float64     `json:"cost"`              // dollars, at most
}

// unwritten stands for a reply that nobody has written yet. No text of a chain
// holds it: prompts with a NUL are refused, and so are such replies.
const unwritten = "\x00"

// Plan reads all prompts, so that a bad row is found before anything is paid
// for, and follows every chain through the store, which may be nil, as far as
// it goes. count, where given, counts tokens; a reply that is not written yet
// counts as max_tokens.
func (r *Revising) Plan(count func(data.Text) (int, error)) (*RevisionPlan, error) {
	plan := &RevisionPlan{}
	for p, err := range r.Prompts(&plan.Rows) {
		if err != nil {
			return nil, err
		}
		if p.Response != "" {
			plan.Given++
		}
		if _, err := r.chain(p, func(q modelAsked) (string, error) { return r.planned(plan, q, count) }); err != nil {
			return nil, err
		}
	}
	plan.Cost = r.Model.Price.Of(plan.PromptTokens, plan.CompletionTokens)
	return plan, nil
}

// planned is the reply that the store has, or else unwritten.
func (r *Revising) planned(plan *RevisionPlan, q modelAsked, count func(data.Text) (int, error)) (string, error) {
	plan.Replies++
	if r.Store != nil {
		var reply keptReply
		if found, err := r.Store.Get(r.replyKey(q), &reply); err != nil {
			return "", err
		} else if found {
			plan.Kept++
			return r.usable(reply)
		}
	}
	plan.Requests++
	plan.CompletionTokens += r.Model.MaxTokens
	if count == nil {
		return unwritten, nil
	}
	known, missing := make([]data.Message, len(q.messages)), 0
	for i, m := range q.messages {
		missing += strings.Count(m.Content, unwritten)
		known[i] = data.Message{Role: m.Role, Content: strings.ReplaceAll(m.Content, unwritten, "")}
	}
	n, err := count(data.Text{Messages: known, Context: data.Context{Tools: q.tools}})
	plan.PromptTokens += n + missing*r.Model.MaxTokens
	return unwritten, err
}
