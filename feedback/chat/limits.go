package chat

import (
	"context"

	"golang.org/x/time/rate"
)

// BytesPerToken estimates tokens where there is no tokenizer: fewer than the
// four to five of English prose, so that it is rather too many tokens.
const BytesPerToken = 3

// limits hold back the requests of one Client, whoever sends them.
type limits struct {
	slots    chan struct{} // one for each request in flight
	requests *rate.Limiter // nil: no limit
	tokens   *rate.Limiter // nil: no limit
}

func newLimits(c Config) limits {
	return limits{
		slots:    make(chan struct{}, c.InFlight),
		requests: perMinute(c.RequestsPerMinute, 1),
		tokens:   perMinute(c.TokensPerMinute, 6), // in steps of six seconds' worth
	}
}

// perMinute spreads n evenly, but for the first burst of so many seconds.
func perMinute(n, seconds float64) *rate.Limiter {
	if n == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(n/60), max(1, int(n/60*seconds)))
}

// enter waits for a slot and for the rates to allow one more request. The slot
// is to be given back with leave.
func (l limits) enter(ctx context.Context, tokens int) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := ctx.Err() // a free slot may have been drawn all the same
	if err == nil {
		err = take(ctx, l.requests, 1)
	}
	if err == nil {
		err = take(ctx, l.tokens, tokens)
	}
	if err != nil {
		l.leave()
	}
	return err
}

func (l limits) leave() { <-l.slots }

// take waits for n, which may be more than the limiter gives at once.
func take(ctx context.Context, l *rate.Limiter, n int) error {
	if l == nil {
		return nil
	}
	for ; n > 0; n -= l.Burst() {
		if err := l.WaitN(ctx, min(n, l.Burst())); err != nil {
			return err
		}
	}
	return nil
}
