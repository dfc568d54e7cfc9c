package feedback

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/feedback/chattest"
)

// judge is an openai judge at a server.
func judge(t *testing.T, server *chattest.Server, mode string, retries int) *OpenAI {
	t.Helper()
	c := DefaultOpenAI()
	client, config := serve(t, server, nil, func(c *chat.Config) { c.MaxRetries = retries })
	c.Config = config
	c.Mode = mode
	return NewOpenAI("judge", c, client, nil)
}

// testConfig is of a chat with a server, with short waits.
func testConfig(server *httptest.Server) chat.Config {
	c := chat.Default()
	c.BaseURL, c.Model, c.Backoff, c.GracePeriod = server.URL, "tiny", time.Millisecond, 50*time.Millisecond
	return c
}

// serve starts a server and gives a client of it.
func serve(t *testing.T, handler http.Handler, budget *chat.Budget, change func(*chat.Config)) (*chat.Client, chat.Config) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := testConfig(server)
	if change != nil {
		change(&c)
	}
	client, err := chat.New(c, budget)
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

func askedOf(n int) Question {
	return Question{
		Comparison: &data.Comparison{Prompt: data.Text{Plain: "Why?"}, A: data.Text{Plain: fmt.Sprint("Because ", n)}, B: data.Text{Messages: []data.Message{{Role: "assistant", Content: "No idea."}}}},
		Principle:  &Principle{Name: "honest", Weight: 1, Comparison: "Which response is more honest?"},
	}
}

// TestOpenAIModes: the server is 0.7 sure of the first response.
func TestOpenAIModes(t *testing.T) {
	for mode, requests := range map[string]int{ModeDirect: 1, ModeCoT: 1, ModeCoTLogprobs: 2} {
		server := &chattest.Server{First: func(chattest.Request) float64 { return 0.7 }}
		j := judge(t, server, mode, 1)
		a, err := j.Ask(t.Context(), askedOf(1))
		if err != nil || a.Outcome != Preferred || math.Abs(a.First-0.7) > 1e-9 || a.Requests != requests || a.Raw == "" || a.Model != "tiny-chattest" || a.PromptTokens == 0 {
			t.Errorf("%s: %+v, %v", mode, a, err)
		}
		if reasons := strings.HasPrefix(a.Rationale, "One response is better grounded"); reasons == (mode == ModeDirect) || strings.Contains(a.Rationale, "Verdict") {
			t.Errorf("%s: rationale %q", mode, a.Rationale)
		}
	}
}

// TestOpenAIShowsReasoning: in the second request the reasoning is the
// judge's own turn, and its verdict is not in it.
func TestOpenAIShowsReasoning(t *testing.T) {
	var second chattest.Request
	j := judge(t, &chattest.Server{First: func(r chattest.Request) float64 {
		if r.Logprobs {
			second = r
		}
		return 0.2
	}}, ModeCoTLogprobs, 1)
	a, err := j.Ask(t.Context(), askedOf(1))
	if err != nil || math.Abs(a.First-0.2) > 1e-9 || len(second.Messages) != 4 || second.MaxTokens != letterTokens || second.TopLogprobs != 20 {
		t.Fatalf("%+v, %v; second request %+v", a, err, second)
	}
	if m := second.Messages[2]; m.Role != "assistant" || m.Content != a.Rationale {
		t.Errorf("the third message is %+v", m)
	}
}

func TestOpenAIUnparseable(t *testing.T) {
	for _, fault := range []chattest.Fault{chattest.Refusal, chattest.Both} {
		for _, mode := range []string{ModeDirect, ModeCoT, ModeCoTLogprobs} {
			j := judge(t, &chattest.Server{Rates: map[chattest.Fault]float64{fault: 1}}, mode, 1)
			if a, err := j.Ask(t.Context(), askedOf(1)); err != nil || a.Outcome != Unparseable || a.Detail == "" || a.Raw == "" {
				t.Errorf("%s, %s: %+v, %v", fault, mode, a, err)
			}
		}
	}
}

// TestOpenAIBroken: half a reply is no answer, whatever it ends with.
func TestOpenAIBroken(t *testing.T) {
	for _, mode := range []string{ModeDirect, ModeCoT, ModeCoTLogprobs} {
		for _, fault := range []chattest.Fault{chattest.Withheld, chattest.Unknown} {
			j := judge(t, &chattest.Server{Rates: map[chattest.Fault]float64{fault: 1}}, mode, 1)
			if a, err := j.Ask(t.Context(), askedOf(1)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", fault)) || a.spent().Requests != 1 {
				t.Errorf("%s, %s: %+v, %v", fault, mode, a, err)
			}
		}
		server := &chattest.Server{Rates: map[chattest.Fault]float64{chattest.Aborted: 1}}
		if a, err := judge(t, server, mode, 1).Ask(t.Context(), askedOf(1)); err != nil || a.Outcome != Preferred || server.Tally().Faults[chattest.Aborted] == 0 {
			t.Errorf("aborted, %s: %+v, %v", mode, a, err)
		}
	}
	j := judge(t, &chattest.Server{Rates: map[chattest.Fault]float64{chattest.CutOff: 1}}, ModeCoT, 1)
	if a, err := j.Ask(t.Context(), askedOf(1)); err != nil || a.Outcome != Unparseable || a.Reason != reasonCut {
		t.Errorf("cut off: %+v, %v", a, err)
	}
}

// TestOpenAINeedsLogprobs: a server that never gives any stops the run, after
// it has given some a reply without is a failure as others are.
func TestOpenAINeedsLogprobs(t *testing.T) {
	none := &chattest.Server{Rates: map[chattest.Fault]float64{chattest.NoLogprobs: 1}}
	j := judge(t, none, ModeDirect, 0)
	a, err := j.Ask(t.Context(), askedOf(1))
	if !errors.Is(err, chat.ErrSetup) || !strings.Contains(err.Error(), "use mode cot") || a.spent().Requests != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err = j.Ask(t.Context(), askedOf(1)); err != nil {
		t.Fatal(err)
	}
	if _, err = j.Ask(t.Context(), askedOf(2)); err == nil || errors.Is(err, chat.ErrSetup) {
		t.Errorf("after log-probabilities were given: %v", err)
	}
	if a, err := judge(t, none, ModeCoT, 1).Ask(t.Context(), askedOf(1)); err != nil || a.Outcome != Preferred {
		t.Errorf("mode cot needs none: %+v, %v", a, err)
	}
}

func TestOpenAIFingerprint(t *testing.T) {
	c := DefaultOpenAI()
	c.BaseURL, c.Model = "http://localhost:8000", "m"
	name := func(change func(*OpenAIConfig)) string {
		d := c
		change(&d)
		return NewOpenAI("j", d, nil, nil).Fingerprint()
	}
	plain := name(func(*OpenAIConfig) {})
	seed, warm := int64(1), 0.5
	for i, change := range []func(*OpenAIConfig){
		func(c *OpenAIConfig) { c.Model = "other" }, func(c *OpenAIConfig) { c.Mode = ModeDirect }, func(c *OpenAIConfig) { c.Seed = &seed },
		func(c *OpenAIConfig) { c.Temperature = &warm }, func(c *OpenAIConfig) { c.MaxTokens = 100 }, func(c *OpenAIConfig) { c.Extra = map[string]any{"reasoning_effort": "low"} },
	} {
		if name(change) == plain {
			t.Errorf("change %d does not show in %s", i, plain)
		}
	}
	if same := name(func(c *OpenAIConfig) { c.Clamp, c.BaseURL, c.InFlight = &Clamp{0.4, 0.6}, "http://other", 64 }); same != plain {
		t.Errorf("%s is not %s", same, plain)
	}
}

func TestOpenAIConfig(t *testing.T) {
	var c JudgeConfig
	read := func(text string) error {
		c = JudgeConfig{}
		if err := yaml.Unmarshal([]byte(text), &c); err != nil {
			return err
		}
		return c.Validate()
	}
	if err := read("{kind: openai, openai: {base_url: 'http://localhost:8000', model: m, timeout: 90s, clamp: cai}}"); err != nil {
		t.Fatal(err)
	}
	if c.OpenAI.Timeout.Seconds() != 90 || *c.OpenAI.Clamp != (Clamp{0.4, 0.6}) || c.OpenAI.InFlight != 0 || c.Name != "openai" || *c.OpenAI.Temperature != 0 {
		t.Errorf("%+v", c.OpenAI)
	}
	if err := read("{kind: openai, openai: {base_url: 'http://localhost:8000', model: m, temperature: null, clamp: [0.1, 0.9]}}"); err != nil || c.OpenAI.Temperature != nil {
		t.Errorf("%+v, %v", c.OpenAI, err)
	}
	for text, says := range map[string]string{
		"{kind: openai, openai: {mode: guess, top_logprobs: 1, clamp: [0.4, 0.7]}}":                    "judges.0.openai.clamp is",
		"{kind: openai, openai: {clamp: half}}":                                                        "clamp is neither",
		"{kind: openai, openai: {model: m, base_url: 'http://h', extra: {stream: true}, timeout: 0s}}": "judges.0.openai.timeout",
	} {
		err := read(text)
		if err == nil || !strings.Contains(under("judges.0.", err).Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestClamp(t *testing.T) {
	c := &Clamp{0.4, 0.6}
	for _, tc := range []struct {
		answer Answer
		first  float64
		change bool
	}{
		{Answer{Outcome: Preferred, First: 0.99}, 0.6, true}, {Answer{Outcome: Preferred, First: 0.01}, 0.4, true},
		{Answer{Outcome: Preferred, First: 0.55}, 0.55, false}, {Answer{Outcome: Tie}, 0, false}, {Answer{Outcome: Unparseable}, 0, false},
	} {
		if got, changed := c.of(tc.answer); got.First != tc.first || changed != tc.change {
			t.Errorf("%+v becomes %+v, %v", tc.answer, got, changed)
		}
	}
	if got, changed := (*Clamp)(nil).of(Answer{Outcome: Preferred, First: 0.99}); got.First != 0.99 || changed {
		t.Error("no clamp is one")
	}
}

// TestOpenAIKeepsReasoning: where the budget ends between the two requests of
// a question, the next run sends the second alone, and the answer is that of
// an undisturbed run.
func TestOpenAIKeepsReasoning(t *testing.T) {
	ask := func(store *Store, budget *chat.Budget) (Answer, *chattest.Server, error) {
		server := &chattest.Server{First: func(chattest.Request) float64 { return 0.7 }}
		c := DefaultOpenAI()
		client, config := serve(t, server, budget, func(c *chat.Config) { c.MaxRetries = 1 })
		c.Config = config
		c.Mode, c.Model = ModeCoTLogprobs, "tiny"
		a, err := NewOpenAI("judge", c, client, store).Ask(t.Context(), askedOf(1))
		return a, server, err
	}
	want, _, err := ask(nil, nil)
	if err != nil || want.Requests != 2 || want.spent().Requests != 2 {
		t.Fatalf("undisturbed: %+v, %v", want, err)
	}
	store := newStore(t)
	half, server, err := ask(store, chat.NewBudget(0, 1, 0, 0))
	if !errors.Is(err, chat.ErrBudget) || server.Tally().Requests != 1 || half.spent().Requests != 0 || store.Spent().Requests != 1 {
		t.Fatalf("stopped: %+v, %v, the store has %+v", half, err, store.Spent())
	}
	got, server, err := ask(store, nil)
	if err != nil || server.Tally().Requests != 1 || got.spent().Requests != 1 {
		t.Fatalf("gone on: %+v, %v, %d requests", got, err, server.Tally().Requests)
	}
	got.stored = chat.Spent{}
	if got != want {
		t.Errorf("gone on %+v, undisturbed %+v", got, want)
	}
}
