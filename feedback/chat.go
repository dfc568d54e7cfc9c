package feedback

import (
	"errors"

	"laurel/data"
)

// ErrBudget is that the budget is spent: the run stops cleanly, keeps what it
// has, and can be resumed with a larger one.
var ErrBudget = errors.New("budget spent")

// ChatRequest is one call of a chat model.
type ChatRequest struct {
	Messages    []data.Message
	MaxTokens   int
	Temperature float64
	Seed        *int64 // sent where not nil
	TopLogprobs int    // alternatives a token; 0 asks for no log-probabilities
}

// ChatReply is the model's message and what it took.
type ChatReply struct {
	Text             string
	Tokens           []ChatToken // where log-probabilities were asked for and given
	FinishReason     string
	Model            string // as the server names it
	PromptTokens     int
	CompletionTokens int
	Cost             float64 // dollars
	Requests         int     // sent for it, retries included
}

// ChatToken is one token of a reply with its log-probability and those of the
// alternatives in its place, itself among them.
type ChatToken struct {
	Token   string
	Logprob float64
	Top     []TokenLogprob
}

// TokenLogprob is an alternative token.
type TokenLogprob struct {
	Token   string
	Logprob float64
}
