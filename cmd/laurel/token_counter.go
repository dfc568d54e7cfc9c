package main

import (
	"fmt"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/feedback/chat"
)

// tokenCounter counts what a chat server will be sent, for a dry run: with the
// model's tokenizer, or by estimate.
type tokenCounter struct {
	tokenizer *tokenizer.Tokenizer // nil: by estimate
}

// openTokenCounter opens the tokenizer of a directory; empty: none.
func openTokenCounter(dir string) (tokenCounter, error) {
	if dir == "" {
		return tokenCounter{}, nil
	}
	t, err := tokenizer.Open(dir)
	if err != nil {
		return tokenCounter{}, fmt.Errorf("tokenizer: %w", err)
	}
	return tokenCounter{t}, nil
}

// count counts messages under the tokenizer's chat template, and plain text as
// a part of them.
func (c tokenCounter) count(text data.Text) (int, error) {
	switch {
	case c.tokenizer == nil:
		return estimateTokens(text), nil
	case text.Messages == nil:
		tokens, err := c.tokenizer.EncodeBare(text.Plain, 0, tokenizer.Left)
		return len(tokens.IDs), err
	}
	n, err := c.tokenizer.Count(text)
	if err != nil {
		err = fmt.Errorf("count tokens with %s, as the server would: %w", c.tokenizer.Dir(), err)
	}
	return n, err
}

func (c tokenCounter) close() error {
	if c.tokenizer == nil {
		return nil
	}
	return c.tokenizer.Close()
}

// estimateTokens takes so many bytes for a token.
func estimateTokens(text data.Text) int {
	bytes := len(text.Plain)
	for _, m := range text.Messages {
		bytes += len(m.Role) + len(m.Content)
	}
	return (bytes + chat.BytesPerToken - 1) / chat.BytesPerToken
}

// howCounted says how tokens came about; key is where a tokenizer is named.
func howCounted(dir, key string) string {
	if dir == "" {
		return fmt.Sprintf("estimated at %d bytes each: name a tokenizer in %s to count them", chat.BytesPerToken, key)
	}
	return "counted with " + dir
}
