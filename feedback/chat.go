package feedback

import (
	"errors"

	"laurel/data"
)

// ErrBudget is that the budget is spent: the run stops cleanly, keeps what it
// has, and can be resumed with a larger one.
var ErrBudget = errors.New("budget spent")

// ErrChatSetup is that the server will answer no request of this run as it is
// set up: a wrong key, model or address, or no log-probabilities. The run stops
// rather than fail at every question.
var ErrChatSetup = errors.New("the chat server cannot be used as it is set up")

// ChatRequest is one call of a chat model. ChatConfig.Request makes one.
type ChatRequest struct {
	Messages    []data.Message
	MaxTokens   int
	Temperature *float64 // sent where not nil: some models allow none
	Seed        *int64   // sent where not nil
	TopLogprobs int      // alternatives a token; 0 asks for no log-probabilities, else a reply without them is an error
}

// ChatReply is the model's message and what it took, retries included.
type ChatReply struct {
	Text             string
	Tokens           []ChatToken // where log-probabilities were asked for and given
	FinishReason     string
	Model            string // as the server names it
	PromptTokens     int
	CompletionTokens int
	Cost             float64 // dollars
	Requests         int
	Final            Spent // the part of the attempt that gave the reply
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
