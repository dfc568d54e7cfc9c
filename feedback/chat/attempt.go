package chat

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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
	var body []byte
	_, err = c.service.New(limited, params, option.WithResponseInto(&response), option.WithResponseBodyInto(&body))
	if response != nil {
		c.answered.Store(true)
	}
	switch {
	case ctx.Err() != nil:
		return Reply{}, ctx.Err()
	case response != nil && response.StatusCode >= 400:
		return Reply{}, c.refusal(response, params.MaxTokens.Valid())
	case errors.Is(limited.Err(), context.DeadlineExceeded) && err != nil:
		return Reply{}, &attemptError{err: fmt.Errorf("no whole reply within %v: raise timeout if the model needs longer", c.config.Timeout), reason: "timeout", retry: true, billed: true}
	case err != nil:
		return Reply{}, c.broken(err, response)
	}
	return c.read(body, response.Header.Get("Content-Type"), req)
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
	if c.config.MaxTokensName == MaxCompletionTokens || c.config.MaxTokensName == MaxTokensAuto && c.completionTokens.Load() {
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
	extra := c.config.Extra
	if req.Tools != "" { // the extra of the config goes before
		extra = map[string]any{"tools": json.RawMessage(req.Tools), "tool_choice": "none"}
		maps.Copy(extra, c.config.Extra)
	}
	p.SetExtraFields(extra)
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

// refusal is what an HTTP status above 399 means, of a request that had
// max_tokens under that name or not.
func (c *Client) refusal(response *http.Response, maxTokens bool) error {
	body, readErr := io.ReadAll(response.Body)
	message, code := serverMessage(body)
	if readErr != nil {
		message += " (and here it breaks off)"
	}
	err := fmt.Errorf("HTTP %d: %s%s", response.StatusCode, c.excerpt(message), remedy(response.StatusCode, message))
	failed := &attemptError{err: err, reason: fmt.Sprintf("http_%d", response.StatusCode), after: retryAfter(response.Header, time.Now())}
	switch status := response.StatusCode; {
	case code == "insufficient_quota": // OpenAI's 429 for an empty account
		failed.err = fmt.Errorf("%w: %w", ErrSetup, err)
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooManyRequests, status >= 500:
		failed.retry = true
	case slices.Contains([]int{401, 402, 403, 404, 405}, status):
		failed.err = fmt.Errorf("%w: %w", ErrSetup, err)
	case maxTokens && c.config.MaxTokensName == MaxTokensAuto && strings.Contains(message, MaxCompletionTokens):
		c.completionTokens.Store(true)
		failed.retry = true
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
	var moved *redirectError
	switch {
	case errors.As(err, &moved):
		return &attemptError{err: fmt.Errorf("%w: %s", ErrSetup, c.excerpt(moved.Error())), reason: "redirect"}
	case errors.As(err, &certificate):
		return &attemptError{err: fmt.Errorf("%w: %w", ErrSetup, err), reason: "certificate"}
	case errors.Is(err, errLongReply):
		return &attemptError{err: err, reason: "long_reply", billed: true}
	case errors.As(err, &dial) && dial.Op == "dial": // nothing was sent
		reset := errors.Is(err, syscall.ECONNRESET) // by a server
		return &attemptError{err: err, reason: "connection", retry: c.answered.Load() || !nobodyListens(err), unreachable: !reset}
	case response != nil:
		return c.noCompletion(err, response.StatusCode, response.Header.Get("Content-Type"))
	}
	return &attemptError{err: errors.New(c.excerpt(err.Error())), reason: "connection", retry: true, billed: true}
}

// nobodyListens is whether the address has no server: it refuses connections,
// or no such host is known.
func nobodyListens(err error) bool {
	var lookup *net.DNSError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &lookup) && lookup.IsNotFound
}

// noCompletion is a body that is none.
func (c *Client) noCompletion(err error, status int, contentType string) error {
	what := "HTTP %d, but no chat completion: %s"
	if !strings.Contains(contentType, "json") {
		return &attemptError{err: fmt.Errorf(what+" (its content type is %s)", status, c.excerpt(err.Error()), c.excerpt(contentType)), reason: "no_completion", retry: true, billed: true}
	}
	return &attemptError{err: fmt.Errorf(what, status, c.excerpt(err.Error())), reason: "no_completion", retry: true, billed: true}
}

// completion is a reply's body.
type completion struct {
	Model   string `json:"model"`
	Choices []struct {
		FinishReason string          `json:"finish_reason"`
		Message      json.RawMessage `json:"message"`
		Logprobs     json.RawMessage `json:"logprobs"`
	} `json:"choices"`
	Usage struct {
		PromptTokens     float64 `json:"prompt_tokens"`
		CompletionTokens float64 `json:"completion_tokens"`
	} `json:"usage"`
}

// read takes the reply out of a body.
func (c *Client) read(body []byte, contentType string, req Request) (Reply, error) {
	var got *completion
	if err := json.Unmarshal(body, &got); err != nil || got == nil { // null is JSON
		return Reply{}, c.noCompletion(cmp.Or(err, errors.New("null")), http.StatusOK, contentType)
	}
	reply := Reply{
		Model: c.redact(got.Model),
		Spent: Spent{PromptTokens: tokenCount(got.Usage.PromptTokens), CompletionTokens: tokenCount(got.Usage.CompletionTokens)},
	}
	if len(got.Choices) == 0 {
		message, _ := serverMessage(body)
		return reply, &attemptError{err: fmt.Errorf("a reply without choices: %s", c.excerpt(message)), reason: "no_completion", retry: true, billed: true}
	}
	choice := got.Choices[0]
	message, err := readMessage(choice.Message)
	if err != nil {
		return reply, c.noCompletion(err, http.StatusOK, contentType)
	}
	reply.FinishReason = choice.FinishReason
	reply.Text, reply.Raw, reply.Thought = c.redactText(message.text), c.redactText(message.raw), c.redactText(message.thought)
	reply.Tokens = afterThought(readLogprobs(choice.Logprobs), message.closing)
	return reply, c.incomplete(reply, req)
}

// tokenCount is a count as servers tell it; what is none counts as 0.
func tokenCount(n float64) int { return int(min(max(0, n), 1<<40)) }

// redactText takes the key out of what the model says; a short one is a
// placeholder, and may be a word.
func (c *Client) redactText(text string) string {
	if len(c.key) < 8 {
		return text
	}
	return c.redact(text)
}

// incomplete is why a reply is not what was asked for. One that was cut off at
// max_tokens is a reply, whatever there is of it.
func (c *Client) incomplete(reply Reply, req Request) error {
	empty := strings.TrimSpace(reply.Text) == ""
	switch {
	case reply.Cut() && (empty || req.TopLogprobs == 0):
		return nil
	case !reply.Cut() && !ended(reply.FinishReason):
		return c.brokenOff(reply.FinishReason)
	case empty:
		return &attemptError{err: errors.New("an empty reply"), reason: "empty_reply", retry: true, billed: true}
	case req.TopLogprobs > 0 && !anyTop(reply.Tokens):
		return &attemptError{err: ErrNoLogprobs, reason: "no_logprobs", retry: true, billed: true}
	}
	return nil
}

// ErrNoLogprobs is that a reply lacks the log-probabilities that were asked
// for, or has some that tell no probability: null, empty, or one alternative.
var ErrNoLogprobs = errors.New("log-probabilities were asked for, and the server gave none")
