package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"laurel/data"
	"laurel/feedback/chattest"
)

// quick is a config of a chat with a server, with short waits.
func quick(server *httptest.Server) Config {
	c := Default()
	c.BaseURL, c.Model, c.Backoff, c.GracePeriod = server.URL, "tiny", time.Millisecond, 50*time.Millisecond
	return c
}

// serve starts a server and a chat with it.
func serve(t *testing.T, handler http.Handler, budget *Budget, change func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := quick(server)
	if change != nil {
		change(&c)
	}
	chat, err := New(c, budget)
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

func askOnce(text string) Request {
	return Default().Request([]data.Message{{Role: "user", Content: text}})
}

func TestChatRetries(t *testing.T) {
	for _, fault := range []chattest.Fault{chattest.TooMany, chattest.Unavailable, chattest.ServerError, chattest.Drip, chattest.Truncated, chattest.Schema, chattest.Empty, chattest.NoLogprobs, chattest.Reset, chattest.Aborted} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			server := &chattest.Server{Rates: map[chattest.Fault]float64{fault: 1}}
			chat := serve(t, server, nil, func(c *Config) {
				if fault == chattest.Drip {
					c.Timeout = 500 * time.Millisecond
				}
			})
			request := askOnce("which?")
			request.TopLogprobs = 5
			reply, err := chat.Complete(t.Context(), request)
			if err != nil || reply.Requests != 2 || len(reply.Tokens) != 1 || reply.Model != "tiny-chattest" {
				t.Errorf("%+v, %v", reply, err)
			}
			if tally := server.Tally(); tally.Good != 1 || tally.Requests != 2 || tally.Faults[fault] != 1 {
				t.Errorf("the server saw %+v", tally)
			}
		})
	}
}

func TestChatGivesUp(t *testing.T) {
	always := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, tc := range []struct {
		status, requests int
		setup            bool
		body, says       string
	}{
		{400, 1, false, `{"error": {"message": "context is 4096 tokens"}}`, "context is 4096 tokens: check max_tokens"},
		{401, 1, true, `{"error": "no"}`, "HTTP 401: no: check the key"},
		{402, 1, true, ``, "no credit"},
		{403, 1, true, `{"detail": "not yours"}`, "not yours"},
		{404, 1, true, `{"message": "no model tiny"}`, "no model tiny: check base_url and model"},
		{422, 1, false, `{"detail": [{"loc": ["top_logprobs"]}]}`, "top_logprobs"},
		{413, 1, false, `<html>too large</html>`, "too large"},
		{429, 1, true, `{"error": {"message": "no quota", "code": "insufficient_quota"}}`, "no quota"},
		{429, 3, false, `{"error": {"message": "slow down", "code": 7}}`, "attempt 3: HTTP 429: slow down"},
		{502, 3, false, `bad gateway`, "bad gateway"},
		{200, 3, false, `null`, "no chat completion"},
		{200, 3, false, `{"error": {"message": "upstream died"}}`, "without choices: upstream died"},
		{200, 3, false, `{"choices": [{"message": {"content": " "}}]}`, "an empty reply"},
		{200, 1, false, `{"choices": [{"finish_reason": "content_filter", "message": {"content": null}}]}`, "withheld"},
		{200, 1, false, `{"choices": [{"finish_reason": "content_filter", "message": {"content": "Verdict: A"}}]}`, `finish_reason "content_filter"`},
		{200, 1, false, `{"choices": [{"finish_reason": "SAFETY", "message": {"content": "Verdict: A"}}]}`, `withheld`},
		{200, 3, false, `{"choices": [{"finish_reason": "abort", "message": {"content": "Verdict: A"}}]}`, `broke the reply off (finish_reason "abort")`},
		{200, 3, false, `{"choices": [{"finish_reason": "error", "message": {"content": "Verdict: A"}}]}`, `broke the reply off`},
		{200, 1, false, `{"choices": [{"finish_reason": "hiccup", "message": {"content": "Verdict: A"}}]}`, `finish_reason is "hiccup"`},
	} {
		chat := serve(t, always(tc.status, tc.body), nil, func(c *Config) { c.MaxRetries = 2 })
		reply, err := chat.Complete(t.Context(), askOnce("which?"))
		if err == nil || !strings.Contains(err.Error(), tc.says) || errors.Is(err, ErrSetup) != tc.setup || reply.Requests != tc.requests {
			t.Errorf("HTTP %d %s: %d requests, %v", tc.status, tc.body, reply.Requests, err)
		}
	}
}

func TestChatBodyTooLong(t *testing.T) {
	chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for space := strings.Repeat(" ", 1<<20); ; {
			if _, err := io.WriteString(w, space); err != nil {
				return
			}
		}
	}), nil, nil)
	if reply, err := chat.Complete(t.Context(), askOnce("which?")); !errors.Is(err, errLongReply) || reply.Requests != 1 {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestChatNobodyListens(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c := quick(server)
	c.MaxRetries = 1
	chat, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := chat.Complete(t.Context(), askOnce("which?")); !errors.Is(err, ErrSetup) || reply.Requests != 1 || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("%+v, %v", reply, err)
	}
}

// TestChatBrokenConnections: a server that takes the connection and drops it
// is there, and may answer another time.
func TestChatBrokenConnections(t *testing.T) {
	for name, drop := range map[string]func(net.Conn){
		"closed":  func(net.Conn) {},
		"reset":   func(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) },
		"garbage": func(conn net.Conn) { io.WriteString(conn, "220 mail server ready\r\n") },
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				drop(conn)
				conn.Close()
			}
		}()
		c := Default()
		c.BaseURL, c.Model, c.Backoff, c.MaxRetries = "http://"+listener.Addr().String(), "tiny", time.Millisecond, 1
		chat, err := New(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err := chat.Complete(t.Context(), askOnce("which?")); err == nil || errors.Is(err, ErrSetup) || reply.Requests != 2 {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
	}
}

func TestChatKeepsToItself(t *testing.T) {
	const key = "sk-aa/bb<c>0123456789"
	t.Setenv("LAUREL_TEST_KEY", key)
	t.Setenv("OPENAI_API_KEY", "sk-of-another-server")
	t.Setenv("OPENAI_BASE_URL", "http://192.0.2.1")
	withKey := func(c *Config) { c.APIKeyEnv, c.MaxRetries = "LAUREL_TEST_KEY", 0 }
	echoes := map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": r.Header}})
		},
		"text": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, strings.Repeat("x", 270)+" "+r.Header.Get("Authorization"), 500)
		},
		"php": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, strings.ReplaceAll(r.Header.Get("Authorization"), "/", `\/`), 500)
		},
		"reply": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]any{"model": r.Header.Get("Authorization"), "choices": []any{map[string]any{"message": map[string]any{"content": fmt.Sprint(r.Header)}}}})
		},
		"content type": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.Header.Get("Authorization"))
		},
		"status line": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // or the client may fail in writing, and not read the line
			conn, _, _ := http.NewResponseController(w).Hijack()
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", r.Header.Get("Authorization")[len("Bearer "):])
			conn.Close()
		},
	}
	for name, echo := range echoes {
		chat := serve(t, echo, nil, withKey)
		reply, err := chat.Complete(t.Context(), askOnce("which?"))
		all := fmt.Sprintf("%+v %v %#v %s", reply, err, err, chat.config.Fingerprint())
		if strings.Contains(all, "0123456789") || !strings.Contains(all, "[key]") || strings.Contains(all, "of-another") {
			t.Errorf("%s: %s", name, all)
		}
	}
	if chat := serve(t, &chattest.Server{Key: key}, nil, withKey); true {
		if _, err := chat.Complete(t.Context(), askOnce("which?")); err != nil {
			t.Errorf("with its key: %v", err)
		}
	}
	chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "authorization is <"+r.Header.Get("Authorization")+">", 400)
	}), nil, nil)
	if _, err := chat.Complete(t.Context(), askOnce("which?")); err == nil || !strings.Contains(err.Error(), "authorization is <>") {
		t.Errorf("a server without keys was sent one: %v", err)
	}
}

func TestChatSends(t *testing.T) {
	for _, path := range []string{"", "/", "/v1", "/v1/", "/v1/chat/completions", "/api/v1"} {
		var body map[string]any
		var header http.Header
		var asked string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked, header = r.URL.Path, r.Header
			json.NewDecoder(r.Body).Decode(&body)
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			io.WriteString(w, `{"model": "m", "choices": [{"message": {"content": "hello"}}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}`)
		}))
		defer server.Close()
		c := quick(server)
		seed := int64(5)
		c.BaseURL, c.Seed, c.MaxTokensName, c.Price = server.URL+path, &seed, "max_completion_tokens", &Price{1e6, 2e6}
		c.Headers = map[string]string{"X-Title": "laurel"}
		c.Extra = map[string]any{"reasoning_effort": "low", "chat_template_kwargs": map[string]any{"enable_thinking": false}, "a.b": 1}
		chat, err := New(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := chat.Complete(t.Context(), c.Request([]data.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "<u>"}, {Role: "assistant", Content: "a"}}))
		if err != nil || reply.Text != "hello" || reply.Cost != 13 || reply.PromptTokens != 7 || reply.CompletionTokens != 3 {
			t.Errorf("%+v, %v", reply, err)
		}
		got, _ := json.Marshal(body)
		want := `{"a.b":1,"chat_template_kwargs":{"enable_thinking":false},"max_completion_tokens":4096,"messages":[{"content":"s","role":"system"},{"content":"\u003cu\u003e","role":"user"},{"content":"a","role":"assistant"}],"model":"tiny","reasoning_effort":"low","seed":5,"temperature":0}`
		if string(got) != want || header.Get("X-Title") != "laurel" || !strings.HasSuffix(asked, "/v1/chat/completions") || strings.Count(asked, "v1") != 1 {
			t.Errorf("%s: %s %s", path, asked, got)
		}
	}
}

func TestChatConfigProblems(t *testing.T) {
	hot := math.NaN()
	c := Config{
		BaseURL: "localhost:8000", APIKeyEnv: "sk-0123", Headers: map[string]string{"Authorization": "Bearer 0123"}, MaxRetries: -1,
		RequestsPerMinute: -1, TokensPerMinute: math.Inf(1), Price: &Price{-1, math.NaN()}, Temperature: &hot, Extra: map[string]any{"stream": true},
	}
	err := c.Validate()
	for _, key := range []string{"base_url", "model", "api_key_env", "headers.Authorization", "timeout", "max_retries", "backoff", "requests_per_minute", "tokens_per_minute",
		"in_flight", "max_tokens", "max_tokens_name", "temperature", "price.prompt_per_million", "price.completion_per_million", "extra.stream"} {
		if err == nil || !strings.Contains(err.Error(), key+" ") {
			t.Errorf("no word of %s", key)
		}
	}
	if strings.Contains(fmt.Sprint(err), "0123") {
		t.Errorf("tells the key: %v", err)
	}
	c = Default()
	c.Model, c.BaseURL, c.APIKeyEnv = "m", "https://example.com", "LAUREL_NO_SUCH_KEY"
	if _, err := New(c, nil); err == nil || !strings.Contains(err.Error(), "LAUREL_NO_SUCH_KEY") {
		t.Errorf("a key that is not set: %v", err)
	}
	if c.APIKeyEnv = ""; c.Validate() != nil {
		t.Error(c.Validate())
	}
	if _, err := New(c, NewBudget(1, 0, 0, 0)); err == nil || !strings.Contains(err.Error(), "price.prompt_per_million") {
		t.Errorf("a cost limit without a price: %v", err)
	}
	if c.BaseURL = "https://user:0123@example.com/v1"; c.Validate() == nil || strings.Contains(c.Validate().Error(), "0123") {
		t.Errorf("a password in base_url: %v", c.Validate())
	}
}

func TestChatCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	chat := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // so that the server hears the client leave
		cancel()
		<-r.Context().Done()
	}), nil, nil)
	if _, err := chat.Complete(ctx, askOnce("which?")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestChatInFlight(t *testing.T) {
	server := &chattest.Server{Latency: 2 * time.Millisecond}
	chat := serve(t, server, nil, func(c *Config) { c.InFlight = 3 })
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := chat.Complete(t.Context(), askOnce(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tally := server.Tally(); tally.Good != 40 || tally.MostAtOnce != 3 {
		t.Errorf("%+v", tally)
	}
}

// TestChatRates has a minute pass in a second.
func TestChatRates(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*Config){
		func(c *Config) { c.RequestsPerMinute = 10 },                        // one at once
		func(c *Config) { c.TokensPerMinute, c.MaxTokens = 1000, 100-21/3 }, // 100 at once and a request
	} {
		chat := serve(t, &chattest.Server{}, nil, change)
		for _, l := range []*rate.Limiter{chat.limits.requests, chat.limits.tokens} {
			if l != nil {
				l.SetLimit(60 * l.Limit())
			}
		}
		began := time.Now()
		for range 4 {
			if _, err := chat.Complete(t.Context(), chat.config.Request(askOnce("a").Messages)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 290*time.Millisecond {
			t.Errorf("four requests, of which ten go in a second, went in %v", took)
		}
	}
}

// The tools of a prompt reach the model, which is not to call them.
func TestTools(t *testing.T) {
	c := Client{config: Config{Model: "m", Extra: map[string]any{"top_p": 0.5}}}
	p, err := c.params(Request{Messages: []data.Message{{Role: "user", Content: "q"}}, MaxTokens: 1, Tools: `[{"type":"function","function":{"name":"f"}}]`})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(body), `"tools":[{"type":"function","function":{"name":"f"}}]`) || !strings.Contains(string(body), `"tool_choice":"none"`) || !strings.Contains(string(body), `"top_p":0.5`) {
		t.Errorf("%s, %v", body, err)
	}
}
