package chat

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"laurel/feedback/chattest"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "3", 3 * time.Second}, {"Retry-After", "0.5", 500 * time.Millisecond}, {"Retry-After", "0", 0},
		{"Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT", time.Minute}, {"Retry-After", "Fri, 02 Jan 2026 03:00:00 GMT", 0},
		{"Retry-After", "-5", 0}, {"Retry-After", "soon", 0}, {"Retry-After", "NaN", 0}, {"Retry-After", "1e300", 1 << 33 * time.Second},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
	} {
		if got := retryAfter(http.Header{tc.name: {tc.value}}, now); got != tc.want {
			t.Errorf("%s: %s is %v, want %v", tc.name, tc.value, got, tc.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 3: 8 * time.Second, 6: time.Minute, 200: time.Minute} {
		for range 100 {
			waits := newBackOff(time.Second)
			for range n {
				waits.NextBackOff()
			}
			if got := waits.NextBackOff(); got < want/2 || got > 3*want/2+1 {
				t.Errorf("retry %d waits %v, want %v to %v", n, got, want/2, 3*want/2)
			}
		}
	}
}

func TestChatHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	for _, fault := range []chattest.Fault{chattest.TooMany, chattest.Unavailable} {
		chat := serve(t, &chattest.Server{Rates: map[chattest.Fault]float64{fault: 1}, RetryAfter: 2}, nil, nil)
		began := time.Now()
		_, err := chat.Complete(t.Context(), askOnce("which?"))
		if took := time.Since(began); err != nil || took < time.Second { // a date is in whole seconds
			t.Errorf("%s: came back after %v, %v", fault, took, err)
		}
	}
	far := serve(t, &chattest.Server{Rates: map[chattest.Fault]float64{chattest.TooMany: 1}, RetryAfter: 7200}, nil, nil)
	if _, err := far.Complete(t.Context(), askOnce("which?")); !errors.Is(err, ErrSetup) || !strings.Contains(err.Error(), "asked to wait 2h0m0s") {
		t.Errorf("two hours: %v", err)
	}
}
