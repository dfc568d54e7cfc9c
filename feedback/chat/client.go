package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"laurel/data"
)

// Client is a client of one chat model. All who use it share its slots, rates
// and budget.
type Client struct {
	config   Config
	key      string // goes into one header, and into nothing else
	budget   *Budget
	limits   limits
	service  openai.ChatCompletionService
	answered atomic.Bool // the server has been heard

	completionTokens atomic.Bool // the server wants max_completion_tokens

	mu     sync.Mutex
	failed map[string]int // attempts, by reason
}

// New checks the config, reads the key from its variable and sends
// nothing. A nil budget has no limits.
func New(c Config, budget *Budget) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	if budget == nil {
		budget = NewBudget(0, 0, 0, 0)
	}
	if err := c.CheckBudget(budget.maxCost); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = c.InFlight, c.InFlight
	options := []option.RequestOption{
		option.WithBaseURL(c.endpoint()), option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: boundedTransport{transport}, CheckRedirect: sameRequest}),
	}
	for name, value := range c.Headers {
		options = append(options, option.WithHeader(name, value))
	}
	if key != "" {
		options = append(options, option.WithAPIKey(key))
	}
	return &Client{config: c, key: key, budget: budget, limits: newLimits(c), service: openai.NewChatCompletionService(options...)}, nil
}

// Complete asks until there is a reply: an answer of the right form with some
// text, or cut off at max_tokens, and with log-probabilities where they are
// asked for. An error wraps ErrBudget or ErrSetup where no other request will do
// better, and comes with what the attempts took. Once ctx is cancelled nothing
// is sent; a request on its way is waited for: to its end where the cause is
// ErrDrain, else for the config's grace period.
func (c *Client) Complete(ctx context.Context, req Request) (Reply, error) {
	var spent Spent
	waits := newBackOff(c.config.Backoff)
	attempt := func() (Reply, error) {
		reply, err := c.attempt(ctx, req)
		reply.Final = reply.Spent
		spent = spent.Plus(reply.Spent)
		c.count(err)
		return reply, retryable(err, waits)
	}
	reply, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(waits), backoff.WithMaxTries(uint(c.config.MaxRetries)+1), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return Reply{Spent: spent}, ctx.Err()
	default:
		return Reply{Spent: spent}, c.explain(err, spent.Requests)
	}
	reply.Spent = spent
	return reply, nil
}

// count takes in an attempt without a reply.
func (c *Client) count(err error) {
	var failed *attemptError
	if !errors.As(err, &failed) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = map[string]int{}
	}
	c.failed[Reason(err)]++
}

// FailedAttempts counts the attempts without a reply by reason, those that were
// followed by one with a reply too.
func (c *Client) FailedAttempts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.failed)
}

// attempt sends one request, within the limits and the budget.
func (c *Client) attempt(ctx context.Context, req Request) (Reply, error) {
	prompt := promptBytes(req.Messages) + len(req.Tools)
	if err := c.limits.enter(ctx, prompt/BytesPerToken+req.MaxTokens); err != nil {
		return Reply{}, err
	}
	defer c.limits.leave()
	bound := c.config.Price.Of(prompt, req.MaxTokens) // no token is shorter than a byte
	if err := c.budget.reserve(ctx, bound); err != nil {
		return Reply{}, err
	}
	if tell, ok := ctx.Value(whenReserved{}).(func()); ok {
		tell()
	}
	sending, done := c.patient(ctx)
	defer done()
	reply, err := c.send(sending, req)
	reply.Requests = 1
	var failed *attemptError
	switch {
	case reply.PromptTokens+reply.CompletionTokens > 0:
		reply.Cost = c.config.Price.Of(reply.PromptTokens, reply.CompletionTokens)
	case err == nil || sending.Err() != nil || errors.As(err, &failed) && failed.billed:
		reply.Cost = bound // it is not told what was used
	}
	c.budget.settle(bound, reply.Cost)
	return reply, err
}

// patient is the context of a request on its way.
func (c *Client) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), ErrDrain) {
			time.AfterFunc(c.config.GracePeriod, cancel)
		}
	})
	return sending, func() { stop(); cancel() }
}

// promptBytes is the length of the messages, with what a chat template puts
// around each.
func promptBytes(messages []data.Message) int {
	const template = 16
	n := 0
	for _, m := range messages {
		n += len(m.Content) + len(m.Role) + template
	}
	return n
}

// explain says where an error happened. What a server says may hold what it
// was sent, so the key is taken out.
func (c *Client) explain(err error, requests int) error {
	var failed *attemptError
	if !errors.As(err, &failed) {
		return err
	}
	if failed.unreachable && !c.answered.Load() {
		err = fmt.Errorf("%w: no chat server answers there: is it running, and base_url right? %w", ErrSetup, err)
	}
	return fmt.Errorf("chat with %s at %s: attempt %d: %w", c.config.Model, c.config.endpoint(), requests, err)
}

// redact takes the key out of what a server says.
func (c *Client) redact(s string) string {
	if c.key == "" {
		return s
	}
	quoted, _ := json.Marshal(c.key) // of a string, which cannot fail
	for _, form := range []string{c.key, string(quoted[1 : len(quoted)-1]), strings.ReplaceAll(c.key, "/", `\/`)} {
		s = strings.ReplaceAll(s, form, "[key]")
	}
	return s
}

// excerpt is the beginning of what a server says, on one line.
func (c *Client) excerpt(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(c.redact(s)), " ")
	if len(s) <= most {
		return s
	}
	for s = s[:most]; !utf8.ValidString(s); {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// longestReply bounds a reply's body: twenty alternatives each for ten thousand
// tokens fit.
const longestReply = 32 << 20 // bytes

var errLongReply = fmt.Errorf("the reply is longer than %d bytes", longestReply)

// boundedTransport cuts bodies that are too long to be replies.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: longestReply}
	return res, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errLongReply
	}
	return n, err
}
