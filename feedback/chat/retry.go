package chat

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// longestBackoff is the most that a doubling wait grows to, longestRetryAfter
// the most that a server's wish is followed: beyond it the run had better stop
// and be resumed.
const (
	longestBackoff    = time.Minute
	longestRetryAfter = 15 * time.Minute
)

// attemptError is why an attempt gave no reply, and what follows of it.
type attemptError struct {
	err         error
	reason      string        // in one word, to count by
	retry       bool          // another attempt may do better
	after       time.Duration // the server asked to wait so long
	billed      bool          // the server may have done the work, and charge for it
	unreachable bool          // no server could be reached

	wait *backoff.RetryAfterError // for backoff.Retry, where the server asked to wait
}

func (e *attemptError) Error() string { return e.err.Error() }

// Unwrap gives the cause, and to backoff.Retry how long to wait.
func (e *attemptError) Unwrap() []error {
	if e.wait != nil {
		return []error{e.err, e.wait}
	}
	return []error{e.err}
}

// Reason is why Complete has no reply, in one word to count by: http_400,
// timeout, connection, no_completion, empty_reply, content_filter, no_logprobs,
// long_reply, certificate; other errors are other.
func Reason(err error) string {
	var failed *attemptError
	if errors.As(err, &failed) && failed.reason != "" {
		return failed.reason
	}
	return "other"
}

// Refused is whether the server refused what was asked, so that asking again
// does not help.
func Refused(err error) bool {
	var failed *attemptError
	return errors.As(err, &failed) && !failed.retry
}

// newBackOff doubles from base to longestBackoff. A random half keeps requests
// that failed together from coming back together.
func newBackOff(base time.Duration) *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: min(base, longestBackoff), MaxInterval: longestBackoff,
		Multiplier: 2, RandomizationFactor: 0.5,
	}
}

// retryable says of an error whether another attempt follows, and when: no
// sooner than the server asked for.
func retryable(err error, waits *backoff.ExponentialBackOff) error {
	var failed *attemptError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed) || !failed.retry:
		return backoff.Permanent(err)
	case failed.after > longestRetryAfter:
		failed.err = fmt.Errorf("%w: asked to wait %v: resume the run then: %w", ErrSetup, failed.after, failed.err)
		return backoff.Permanent(err)
	case failed.after > 0:
		failed.wait = &backoff.RetryAfterError{Duration: failed.after + waits.NextBackOff()}
	}
	return err
}

// retryAfter reads what a server asks to wait: milliseconds in OpenAI's
// header, or seconds or a date in Retry-After (RFC 9110, 10.2.3). What cannot
// be read asks for nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	value := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
		return seconds(s)
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// seconds is s as a duration, or the longest where it is longer.
func seconds(s float64) time.Duration {
	const longest = 1 << 33 // seconds that a duration holds
	return time.Duration(min(s, longest) * float64(time.Second))
}
