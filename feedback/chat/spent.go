package chat

// Spent is what requests took.
type Spent struct {
	Requests         int     `json:"requests,omitempty"`
	PromptTokens     int     `json:"prompt_tokens,omitempty"`
	CompletionTokens int     `json:"completion_tokens,omitempty"`
	Cost             float64 `json:"cost,omitempty"` // dollars
}

// Plus is the sum of both.
func (s Spent) Plus(o Spent) Spent {
	return Spent{s.Requests + o.Requests, s.PromptTokens + o.PromptTokens, s.CompletionTokens + o.CompletionTokens, s.Cost + o.Cost}
}

// Minus is what s took beyond o.
func (s Spent) Minus(o Spent) Spent {
	return s.Plus(Spent{-o.Requests, -o.PromptTokens, -o.CompletionTokens, -o.Cost})
}
