package chat

import (
	"errors"

	"laurel/data"
)

// ErrBudget is that the budget is spent: the run stops cleanly, keeps what it
// has, and can be resumed with a larger one.
var ErrBudget = errors.New("budget spent")

// ErrSetup is that the server will answer no request of this run as it is
// set up: a wrong key, model or address, or no log-probabilities. The run stops
// rather than fail at every question.
var ErrSetup = errors.New("the chat server cannot be used as it is set up")

// ErrDrain as the cause of a cancelled context: no more is asked, and what is on
// its way is waited for to its end.
var ErrDrain = errors.New("nothing more is asked")

// Request is one call of a chat model. Config.Request makes one.
type Request struct {
	Messages    []data.Message
	MaxTokens   int
	Temperature *float64 // sent where not nil: some models allow none
	Seed        *int64   // sent where not nil
	Tools       string   // a JSON list that the model is told of and may not call; "" for none
	TopLogprobs int      // alternatives a token; 0 asks for no log-probabilities, else a reply without them is an error
}

// Reply is the model's message and what it took, retries included.
type Reply struct {
	Text         string  // without the thought
	Raw          string  // as it came
	Thought      string  // what the model wrote before it answered, where it is told
	Tokens       []Token // where log-probabilities were asked for and given
	FinishReason string  // as the server has it: Cut tells what it means
	Model        string  // as the server names it
	Spent                // by all attempts
	Final        Spent   // by the one that gave the reply
}

// Token is one token of a reply with its log-probability and those of the
// alternatives in its place, itself among them.
type Token struct {
	Token   string
	Logprob float64
	Top     []TopLogprob
}

// TopLogprob is an alternative token.
type TopLogprob struct {
	Token   string
	Logprob float64
}
