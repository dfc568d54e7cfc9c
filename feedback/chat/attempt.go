package chat

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"

	"laurel/data"
)

// send makes one HTTP request and reads its reply. An error that is not of ctx
// is an attemptError; the reply then holds the tokens it is known to have used.
func (c *Client) send(ctx context.Context, req Request) (Reply, error) {
	params, err := c.params(req)
	if err != nil {
		return Reply{}, &attemptError{err: err}
	}
	limited, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	var response *http.Response
	completion, err := c.service.New(limited, params, option.WithResponseInto(&response))
	if response != nil {
		c.answered.Store(true)
	}
	switch {
	case ctx.Err() != nil:
		return Reply{}, ctx.Err()
	case response != nil && response.StatusCode >= 400:
		return Reply{}, c.refusal(response)
	case errors.Is(limited.Err(), context.DeadlineExceeded) && err != nil:
		return Reply{}, &attemptError{err: fmt.Errorf("no whole reply within %v: raise timeout if the model needs longer", c.config.Timeout), retry: true, billed: true}
	case err != nil || completion == nil: // null is JSON
		return Reply{}, c.broken(err, response)
	}
	return c.read(completion, req)
}

// params is the body of a request.
func (c *Client) params(req Request) (openai.ChatCompletionNewParams, error) {
	p := openai.ChatCompletionNewParams{Model: c.config.Model}
	for _, m := range req.Messages {
		message, err := messageOf(m)
		if err != nil {
			return p, err
		}
		p.Messages = append(p.Messages, message)
	}
	if c.config.MaxTokensName == "max_completion_tokens" {
		p.MaxCompletionTokens = openai.Int(int64(req.MaxTokens))
	} else {
		p.MaxTokens = openai.Int(int64(req.MaxTokens))
	}
	if req.Temperature != nil {
		p.Temperature = openai.Float(*req.Temperature)
	}
	if req.Seed != nil {
		p.Seed = openai.Int(*req.Seed)
	}
	if req.TopLogprobs > 0 {
		p.Logprobs, p.TopLogprobs = openai.Bool(true), openai.Int(int64(req.TopLogprobs))
	}
	p.SetExtraFields(c.config.Extra)
	return p, nil
}

func messageOf(m data.Message) (openai.ChatCompletionMessageParamUnion, error) {
	if m.Whole != "" {
		return param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(m.Whole)), nil
	}
	switch m.Role {
	case "developer":
		return openai.DeveloperMessage(m.Content), nil
	case "system":
		return openai.SystemMessage(m.Content), nil
	case "user":
		return openai.UserMessage(m.Content), nil
	case "assistant":
		return openai.AssistantMessage(m.Content), nil
	}
	return openai.ChatCompletionMessageParamUnion{}, fmt.Errorf("a message of role %q cannot be put to a chat model: want system, developer, user or assistant", m.Role)
}

// remedy says what to do about a status.
func remedy(status int) string {
	switch status {
	case http.StatusBadRequest:
		return ": check max_tokens, top_logprobs and extra, and whether the texts fit the model's context"
	case http.StatusUnauthorized:
		return ": check the key in the variable that api_key_env names"
	case http.StatusPaymentRequired:
		return ": the account has no credit"
	case http.StatusForbidden:
		return ": the key may not use this model"
	case http.StatusNotFound:
		return ": check base_url and model"
	case http.StatusMethodNotAllowed:
		return ": check base_url"
	case http.StatusUnprocessableEntity:
		return ": check extra and the sampling keys"
	}
	return ""
}

// refusal is what an HTTP status above 399 means.
func (c *Client) refusal(response *http.Response) error {
	body, readErr := io.ReadAll(response.Body)
	message, code := serverMessage(body)
	if readErr != nil {
		message += " (and here it breaks off)"
	}
	err := fmt.Errorf("HTTP %d: %s%s", response.StatusCode, c.excerpt(message), remedy(response.StatusCode))
	failed := &attemptError{err: err, after: retryAfter(response.Header, time.Now())}
	switch status := response.StatusCode; {
	case code == "insufficient_quota": // OpenAI's 429 for an empty account
		failed.err = fmt.Errorf("%w: %w", ErrSetup, err)
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooManyRequests, status >= 500:
		failed.retry = true
	case slices.Contains([]int{401, 402, 403, 404, 405}, status):
		failed.err = fmt.Errorf("%w: %w", ErrSetup, err)
	}
	return failed
}

// serverMessage finds the message and code in the forms that servers give
// them: error.message (OpenAI, vLLM, llama.cpp), error (Ollama), message
// (SGLang), detail (FastAPI); or else the whole body.
func serverMessage(body []byte) (message, code string) {
	var form struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &form) != nil {
		return string(body), ""
	}
	var nested struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
	}
	var plain string
	switch {
	case json.Unmarshal(form.Error, &nested) == nil && nested.Message != "":
		code, _ = nested.Code.(string)
		return nested.Message, code
	case json.Unmarshal(form.Error, &plain) == nil && plain != "":
		return plain, ""
	case form.Message != "":
		return form.Message, ""
	case json.Unmarshal(form.Detail, &plain) == nil && plain != "":
		return plain, ""
	}
	return string(body), ""
}

// broken is a request that came to no whole reply.
func (c *Client) broken(err error, response *http.Response) error {
	var certificate *tls.CertificateVerificationError
	var dial *net.OpError
	switch {
	case errors.As(err, &certificate):
		return &attemptError{err: fmt.Errorf("%w: %w", ErrSetup, err)}
	case errors.Is(err, errLongReply):
		return &attemptError{err: err, billed: true}
	case errors.As(err, &dial) && dial.Op == "dial": // nothing was sent
		return &attemptError{err: err, retry: true, unreachable: !errors.Is(err, syscall.ECONNRESET)} // a reset comes from a server
	case response != nil:
		err = fmt.Errorf("HTTP %d, but no chat completion: %s", response.StatusCode, c.excerpt(fmt.Sprint(err)))
	default:
		err = errors.New(c.excerpt(err.Error()))
	}
	return &attemptError{err: err, retry: true, billed: true}
}

// read takes the reply out of a completion.
func (c *Client) read(completion *openai.ChatCompletion, req Request) (Reply, error) {
	reply := Reply{
		Model: c.redact(completion.Model),
		Spent: Spent{PromptTokens: int(max(0, completion.Usage.PromptTokens)), CompletionTokens: int(max(0, completion.Usage.CompletionTokens))},
	}
	if len(completion.Choices) == 0 {
		message, _ := serverMessage([]byte(completion.RawJSON()))
		return reply, &attemptError{err: fmt.Errorf("a reply without choices: %s", c.excerpt(message)), retry: true, billed: true}
	}
	choice := completion.Choices[0]
	reply.Text, reply.FinishReason = choice.Message.Content, choice.FinishReason
	if reply.Text == "" {
		reply.Text = choice.Message.Refusal
	}
	if len(c.key) >= 8 { // shorter ones are placeholders, and may be words
		reply.Text = c.redact(reply.Text)
	}
	reply.Tokens = tokensOf(choice.Logprobs.Content)
	return reply, incomplete(reply, req)
}

// incomplete is why a reply is not what was asked for.
func incomplete(reply Reply, req Request) error {
	empty := strings.TrimSpace(reply.Text) == ""
	switch {
	case empty && reply.FinishReason == "length":
		return &attemptError{err: fmt.Errorf("an empty reply, for all of max_tokens (%d) went into thought: raise it, or turn thought off (extra)", req.MaxTokens), billed: true}
	case empty && reply.FinishReason == "content_filter":
		return &attemptError{err: errors.New("the server's content filter withheld the reply"), billed: true}
	case empty:
		return &attemptError{err: errors.New("an empty reply"), retry: true, billed: true}
	case req.TopLogprobs > 0 && len(reply.Tokens) == 0:
		return &attemptError{err: ErrNoLogprobs, retry: true, billed: true}
	}
	return nil
}

var ErrNoLogprobs = errors.New("log-probabilities were asked for, and the server gave none")

func tokensOf(content []openai.ChatCompletionTokenLogprob) []Token {
	var tokens []Token
	for _, t := range content {
		token := Token{Token: t.Token, Logprob: t.Logprob}
		for _, alternative := range t.TopLogprobs {
			token.Top = append(token.Top, TopLogprob{alternative.Token, alternative.Logprob})
		}
		if !slices.ContainsFunc(token.Top, func(a TopLogprob) bool { return a.Token == t.Token }) {
			token.Top = append(token.Top, TopLogprob{t.Token, t.Logprob})
		}
		tokens = append(tokens, token)
	}
	return tokens
}
