package chat

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"laurel/feedback/chattest"
)

// TestChatWaitsForReplies: a request on its way when the run stops is waited
// for, for the grace period where the user stops it, and nothing new is sent.
func TestChatWaitsForReplies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		latency, grace time.Duration
		cause          error
		comes          bool
	}{
		"within the grace period": {100 * time.Millisecond, time.Minute, context.Canceled, true},
		"beyond it":               {time.Minute, 20 * time.Millisecond, context.Canceled, false},
		"the run ends by itself":  {100 * time.Millisecond, 0, ErrDrain, true},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel(tc.cause)
			select {
			case <-time.After(tc.latency):
				io.WriteString(w, `{"choices": [{"message": {"content": "hello"}}]}`)
			case <-r.Context().Done():
			}
		}), nil, func(c *Config) { c.GracePeriod = tc.grace })
		reply, err := chat.Complete(ctx, askOnce("which?"))
		if tc.comes && (err != nil || reply.Text != "hello") || !tc.comes && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
		if _, err := chat.Complete(ctx, askOnce("and now?")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the next: %v", name, err)
		}
		if _, requests := chat.budget.Spent(); requests != 1 {
			t.Errorf("%s: %d requests", name, requests)
		}
	}
}

// TestChatMaxTokensName: auto finds the name that the server takes, once.
func TestChatMaxTokensName(t *testing.T) {
	requests := 0
	chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"max_completion_tokens"`) {
			http.Error(w, `{"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}`, 400)
			return
		}
		io.WriteString(w, `{"choices": [{"message": {"content": "hello"}}]}`)
	}), nil, nil)
	for range 3 {
		if reply, err := chat.Complete(t.Context(), askOnce("which?")); err != nil || reply.Text != "hello" {
			t.Errorf("%+v, %v", reply, err)
		}
	}
	if requests != 4 {
		t.Errorf("%d requests", requests)
	}
	chat.config.MaxTokensName = MaxTokens
	if _, err := chat.Complete(t.Context(), askOnce("which?")); err == nil || !strings.Contains(err.Error(), "max_tokens_name: max_completion_tokens") || Reason(err) != "http_400" || !Refused(err) {
		t.Error(err)
	}
}

// TestChatRefusedLater: a server that was there and refuses connections is
// starting again.
func TestChatRefusedLater(t *testing.T) {
	server := httptest.NewServer(&chattest.Server{})
	c := quick(server)
	c.MaxRetries = 2
	chat, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chat.Complete(t.Context(), askOnce("which?")); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if reply, err := chat.Complete(t.Context(), askOnce("and now?")); err == nil || errors.Is(err, ErrSetup) || reply.Requests != 3 {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestChatCutOff(t *testing.T) {
	for content, thought := range map[string]string{`"<think>\nLet me"`: "\nLet me", `"", "reasoning_content": "hm"`: "hm", `null`: ""} {
		chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"choices": [{"finish_reason": "length", "message": {"content": `+content+`}}]}`)
		}), nil, nil)
		for _, top := range []int{0, 5} {
			request := askOnce("which?")
			request.TopLogprobs = top
			if reply, err := chat.Complete(t.Context(), request); err != nil || reply.Text != "" || reply.Thought != thought || reply.FinishReason != "length" {
				t.Errorf("%s: %+v, %v", content, reply, err)
			}
		}
	}
}
