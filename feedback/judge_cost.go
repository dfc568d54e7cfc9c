package feedback

import (
	"laurel/data"
	"laurel/feedback/chat"
)

// JudgeCost is what a judge's questions take, as far as a dry run tells.
type JudgeCost struct {
	Judge            string  `json:"judge"`
	Questions        int     `json:"questions"` // not answered yet
	Requests         int     `json:"requests"`  // without retries; 0 where the judge needs none
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`   // at most
	Cost             float64 `json:"cost"`                // dollars, with all of the completion tokens
	Requested        bool    `json:"requested"`           // the judge is a server's
	Priced           bool    `json:"priced"`              // the server's price is known
	Tokenizer        string  `json:"tokenizer,omitempty"` // that counted the prompts' tokens; else they are estimated

	requests func(Question) []chat.Request // nil for a judge that sends nothing
	price    *chat.Price
	tokens   func(data.Text) (int, error)
	around   map[*Principle][]requestTokens // of a question's requests, without the texts judged
	last     *data.Comparison
	judged   int // tokens of its texts
}

// requestTokens are those of one request.
type requestTokens struct{ prompt, completion int }

// Count adds one question.
func (c *JudgeCost) Count(q Question) (err error) {
	c.Questions++
	if c.requests == nil {
		return nil
	}
	around, ok := c.around[q.Principle]
	if !ok {
		if around, err = c.withoutTexts(q.Principle); err != nil {
			return err
		}
		c.around[q.Principle] = around
	}
	if err := c.countTexts(q.Comparison); err != nil {
		return err
	}
	for _, r := range around {
		c.Requests++
		c.PromptTokens += r.prompt + c.judged
		c.CompletionTokens += r.completion
	}
	c.Cost = c.price.Of(c.PromptTokens, c.CompletionTokens)
	return nil
}

// NewJudgeCost is of a judge that sends nothing.
func NewJudgeCost(name string) *JudgeCost { return &JudgeCost{Judge: name} }

// NewOpenAICost is of a judge behind a server, whose tokens are counted by
// tokens, which tokenizer names where they are not estimated.
func NewOpenAICost(j *OpenAI, tokenizer string, tokens func(data.Text) (int, error)) *JudgeCost {
	return &JudgeCost{Judge: j.name, Requested: true, Priced: j.config.Price != nil, Tokenizer: tokenizer,
		requests: j.Requests, price: j.config.Price, tokens: tokens, around: map[*Principle][]requestTokens{}}
}

// withoutTexts are a question's requests about nothing. Each shows the replies
// to those before it.
func (c *JudgeCost) withoutTexts(p *Principle) ([]requestTokens, error) {
	var all []requestTokens
	replies := 0
	for _, r := range c.requests(Question{Comparison: &data.Comparison{}, Principle: p}) {
		n, err := c.tokens(data.Text{Messages: r.Messages})
		if err != nil {
			return nil, err
		}
		all = append(all, requestTokens{n + replies, r.MaxTokens})
		replies += r.MaxTokens
	}
	return all, nil
}

// countTexts counts a comparison's texts once for all questions about it.
func (c *JudgeCost) countTexts(of *data.Comparison) error {
	if c.last == of {
		return nil
	}
	c.last, c.judged = of, 0
	for _, text := range []data.Text{of.Prompt, of.A, of.B} {
		n, err := c.tokens(data.Text{Plain: Transcript(text)})
		if err != nil {
			return err
		}
		c.judged += n
	}
	return nil
}
