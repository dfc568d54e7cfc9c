package feedback

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/feedback/chattest"
)

func threePrinciples() *Constitution {
	c := &Constitution{Name: "three"}
	for _, name := range []string{"kind", "brief", "true"} {
		c.Principles = append(c.Principles, Principle{Name: name, Weight: 1, Critique: "Say what is not " + name + ".", Revision: "Make it " + name + "."})
	}
	return c
}

// promptsOf are n prompts, every third with an answer, the last two equal but
// for their ids.
func promptsOf(n int) func(*data.Counts) iter.Seq2[data.Prompt, error] {
	return func(counts *data.Counts) iter.Seq2[data.Prompt, error] {
		return func(yield func(data.Prompt, error) bool) {
			for i := range n {
				p := data.Prompt{ID: fmt.Sprint("p", i), Messages: []data.Message{{Role: "user", Content: fmt.Sprint("question ", min(i, n-2))}}}
				if i%3 == 0 {
					p.Response = fmt.Sprint("given ", i)
				}
				counts.Read++
				counts.Kept++
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}

// writer is a model that answers by what it is asked, and remembers that.
type writer struct {
	mu    sync.Mutex
	asked map[string]int
	reply func(what string, r chat.Request) (chat.Reply, error)
}

func (w *writer) complete(_ context.Context, r chat.Request) (chat.Reply, error) {
	last := r.Messages[len(r.Messages)-1].Content
	w.mu.Lock()
	if w.asked == nil {
		w.asked = map[string]int{}
	}
	w.asked[fmt.Sprint(r.Messages)]++
	n := len(w.asked)
	w.mu.Unlock()
	what := "initial"
	if strings.Contains(last, "Critique request:") {
		what = "critique"
	} else if strings.Contains(last, "Revision request:") {
		what = "revision"
	}
	if w.reply != nil {
		return w.reply(what, r)
	}
	return chat.Reply{Text: fmt.Sprintf(" %s %d \n", what, n), FinishReason: "stop", Spent: chat.Spent{Requests: 1, PromptTokens: 2, CompletionTokens: 1, Cost: 0.5}}, nil
}

func revising(store *Store, prompts int, w *writer) *Revising {
	model := DefaultRevise().Chat
	model.Model, model.InFlight = "tiny", 1
	return &Revising{Constitution: threePrinciples(), Model: model, Complete: w.complete, Rounds: 2, PerRound: 2, Order: OrderSequence, Store: store, Prompts: promptsOf(prompts)}
}

func chains(t testing.TB, run *Revising) ([]Chain, []LeftOut, *RevisionSummary, error) {
	t.Helper()
	var out []Chain
	var left []LeftOut
	summary, err := Revise(t.Context(), run, func(c Chain) error { out = append(out, c); return nil },
		func(l LeftOut) error { left = append(left, l); return nil })
	if err == nil && (summary.Rows.Kept != len(out)+len(left) || summary.Written != len(out) || summary.LeftOut() != len(left)) {
		t.Errorf("%d chains and %d left out of %s", len(out), len(left), summary.Rows)
	}
	return out, left, summary, err
}

func TestRevise(t *testing.T) {
	w := &writer{}
	store := newStore(t)
	got, _, summary, err := chains(t, revising(store, 5, w))
	if err != nil {
		t.Fatal(err)
	}
	var names, texts []string
	for _, s := range got[0].Steps {
		names = append(names, fmt.Sprint(s.Round, s.Principle))
		texts = append(texts, s.Critique, s.Revision)
	}
	if want := []string{"1kind", "1brief", "2true", "2kind"}; !reflect.DeepEqual(names, want) {
		t.Errorf("steps %q, want %q", names, want)
	}
	if !got[0].Given || got[0].Initial != "given 0" || got[1].Given || !strings.HasPrefix(got[1].Initial, "initial ") || got[0].Final() != texts[7] {
		t.Errorf("%+v", got[:2])
	}
	for i, text := range texts {
		if want := []string{"critique ", "revision "}[i%2]; !strings.HasPrefix(text, want) || strings.TrimSpace(text) != text {
			t.Errorf("text %d is %q", i, text)
		}
	}
	// 2 given; 3 and 4 differ in that 3 is given, so that all requests differ
	if len(w.asked) != 3+5*8 || summary.Spent.Requests != len(w.asked) || summary.Given != 2 || summary.Generated != 3 || summary.Unchanged != 0 {
		t.Errorf("%d requests, %+v", len(w.asked), summary)
	}
	again, _, summary, err := chains(t, revising(store, 5, w))
	if err != nil || !reflect.DeepEqual(got, again) || summary.SpentNow != (chat.Spent{}) {
		t.Errorf("a second run spends %+v, %v", summary.SpentNow, err)
	}
	for request, n := range w.asked {
		if n > 1 {
			t.Errorf("asked %d times: %s", n, request)
		}
	}
}

func TestReviseSummary(t *testing.T) {
	// each answer loses its last character until it is "ab"
	w := &writer{reply: func(what string, r chat.Request) (chat.Reply, error) {
		text := "too long"
		if what == "revision" {
			_, rest, _ := strings.Cut(r.Messages[1].Content, "[RESPONSE ")
			_, rest, _ = strings.Cut(rest, "\n")
			text, _, _ = strings.Cut(rest, "\n")
			text = text[:max(2, len(text)-1)]
		}
		return chat.Reply{Text: text}, nil
	}}
	run := revising(newStore(t), 0, w)
	run.Rounds, run.PerRound = 3, 1
	run.Prompts = func(*data.Counts) iter.Seq2[data.Prompt, error] {
		return func(yield func(data.Prompt, error) bool) {
			for _, answer := range []string{"I can't help with weapons", "abc"} {
				if !yield(data.Prompt{ID: answer, Messages: []data.Message{{Role: "user", Content: "q"}}, Response: answer}, nil) {
					return
				}
			}
		}
	}
	summary, err := Revise(t.Context(), run, func(Chain) error { return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []RevisionRates{
		{Texts: 2, Refusals: 0.5, MeanChars: 14},
		{Texts: 2, Refusals: 0.5, MeanChars: 13, MeanChange: -1},
		{Texts: 2, Refusals: 0.5, MeanChars: 12.5, MeanChange: -0.5, Unchanged: 0.5},
		{Texts: 2, Refusals: 0.5, MeanChars: 12, MeanChange: -0.5, Unchanged: 0.5},
	}
	if !reflect.DeepEqual(summary.Rounds, want) {
		t.Errorf("rounds\n%+v\nwant\n%+v", summary.Rounds, want)
	}
	if p := summary.Principles[1]; p != (PrincipleRates{"brief", 2, 0.5, -0.5}) {
		t.Errorf("%+v", p)
	}
}

func TestRevisePrinciples(t *testing.T) {
	run := revising(nil, 0, &writer{})
	run.Order, run.Rounds, run.PerRound = OrderSample, 6, 1
	orders := map[string]bool{}
	for i := range 50 {
		counts := map[string]int{}
		order := ""
		for _, round := range run.principles(fmt.Sprint(i)) {
			counts[round[0].Name]++
			order += round[0].Name + " "
		}
		if counts["kind"] != 2 || counts["brief"] != 2 || counts["true"] != 2 {
			t.Fatalf("prompt %d: %v", i, counts)
		}
		orders[order] = true
	}
	if len(orders) < 10 {
		t.Errorf("only %d orders", len(orders))
	}
	run.PerRound = 2
	for _, round := range run.principles("x") {
		if round[0] == round[1] {
			t.Error("a principle twice in a round")
		}
	}
	if !reflect.DeepEqual(run.principles("x"), run.principles("x")) {
		t.Error("not the same for the same seed and prompt")
	}
}

func TestReviseLeavesOut(t *testing.T) {
	w := &writer{}
	w.reply = func(what string, r chat.Request) (chat.Reply, error) {
		text := fmt.Sprint(r.Messages)
		switch {
		case what == "initial" && strings.Contains(text, "question 1"):
			return chat.Reply{Spent: chat.Spent{Requests: 7, Cost: 1}}, errors.New("connection reset")
		case what == "critique" && strings.Contains(text, "question 2") && strings.Contains(text, "brief"):
			return chat.Reply{Text: "it is", FinishReason: "length", Spent: chat.Spent{Requests: 1}}, nil
		case what == "revision" && strings.Contains(text, "question 3"):
			return chat.Reply{Text: "a\x00b", Spent: chat.Spent{Requests: 1}}, nil
		}
		return chat.Reply{Text: what, Spent: chat.Spent{Requests: 1}}, nil
	}
	store := newStore(t)
	got, left, summary, err := chains(t, revising(store, 5, w))
	if err != nil || len(got) != 1 || got[0].ID != "p0" {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(left) != 4 || left[0] != (LeftOut{ID: "p1", Stage: StageInitial, Reason: "connection reset", why: "other"}) ||
		left[1].Stage != StageCritique || left[1].Round != 1 || left[1].Principle != "brief" || !strings.Contains(left[1].Reason, "cut off at chat.max_tokens (4096): raise that") ||
		left[2].Stage != StageRevision || !strings.Contains(left[2].Reason, "NUL") {
		t.Errorf("left out %+v", left)
	}
	if summary.NotAsked != 0 || ReasonList(summary.Reasons) != "nul 2, cut_off 1, other 1" {
		t.Errorf("%+v", summary.Reasons)
	}
	if summary.Left[StageRevision] != 2 || summary.FirstLeft != "p1: initial: connection reset" {
		t.Errorf("%+v", summary)
	}
	requests := len(w.asked)
	if _, left, _, err = chains(t, revising(store, 5, w)); err != nil || len(left) != 4 || len(w.asked) != requests {
		t.Errorf("again: %d left out, %d new requests, %v", len(left), len(w.asked)-requests, err)
	}
	for request, n := range w.asked {
		if want := 1 + strings.Count(request, "{user question 1 }]"); n != want && !strings.Contains(request, "[PROMPT") {
			t.Errorf("%d times: %s", n, request)
		}
	}
	w.reply = func(string, chat.Request) (chat.Reply, error) {
		return chat.Reply{}, fmt.Errorf("%w: so", chat.ErrSetup)
	}
	if _, left, summary, err := chains(t, revising(newStore(t), 5, w)); err != nil || !summary.Useless() || !errors.Is(summary.Stopped, chat.ErrSetup) || len(left) != 5 {
		t.Errorf("goes on: %+v, %v", summary, err)
	}
}

// reviseInto runs it into the files of dir, through a chat with the server.
func reviseInto(ctx context.Context, t *testing.T, dir string, client *chat.Client, config chat.Config) (*RevisionSummary, error) {
	t.Helper()
	store := openStore(t, filepath.Join(dir, "answers.jsonl"))
	defer closeStore(t, store)
	out, err := NewChainWriter(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	run := revising(store, 30, nil)
	run.Model, run.Complete, run.Order = config, client.Complete, OrderSample
	summary, err := Revise(ctx, run, out.Write, func(l LeftOut) error {
		if l.why != notAsked {
			return fmt.Errorf("left out: %+v", l)
		}
		return nil
	})
	if err != nil {
		return summary, errors.Join(err, out.Abort())
	}
	return summary, out.Close()
}

// badWriter misbehaves with every third request.
func badWriter() *chattest.Server {
	s := &chattest.Server{Seed: 5, Rates: map[chattest.Fault]float64{chattest.TooMany: 0.05, chattest.ServerError: 0.05, chattest.Truncated: 0.05,
		chattest.Schema: 0.05, chattest.Empty: 0.05, chattest.Reset: 0.05, chattest.Refusal: 0.05}}
	s.Text = func(r chattest.Request, first float64) string {
		return fmt.Sprintf("text %.12f", first)
	}
	return s
}

// TestReviseInterrupted stops runs at random points, by cancelling and by
// their budgets, until one comes to its end: its files are those of a run that
// was not stopped.
func TestReviseInterrupted(t *testing.T) {
	whole := t.TempDir()
	start := func() (*chattest.Server, chat.Config) {
		server := badWriter()
		listening := httptest.NewServer(server)
		t.Cleanup(listening.Close)
		config := testConfig(listening)
		config.InFlight = 6
		return server, config
	}
	open := func(config chat.Config, budget *chat.Budget) *chat.Client {
		client, err := chat.New(config, budget)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	server, config := start()
	client := open(config, nil)
	summary, err := reviseInto(t.Context(), t, whole, client, config)
	if tally := server.Tally(); err != nil || tally.Repeated != 0 || tally.MostAtOnce > 6 || summary.Written != 30 {
		t.Fatalf("%+v, %v", tally, err)
	}
	same := func(dir string) {
		t.Helper()
		for _, name := range []string{"messages", "chains", "pairs"} {
			for _, ext := range []string{".jsonl", ".parquet"} {
				want, err := os.ReadFile(filepath.Join(whole, name+ext))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(filepath.Join(dir, name+ext)); err != nil || string(got) != string(want) {
					t.Errorf("%s%s differs (%v)", name, ext, err)
				}
			}
		}
	}
	var counts data.Counts
	for _, err := range data.ReadPairs([]string{filepath.Join(whole, "pairs.parquet"), filepath.Join(whole, "pairs.jsonl")}, data.ReadConfig{}, &counts) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if counts.Kept != 60 {
		t.Errorf("pairs: %s", counts)
	}

	random := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	server, config = start()
	client = open(config, nil)
	stops := 0
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(60))*time.Millisecond)
		if stops == 25 {
			ctx = t.Context()
		}
		_, err := reviseInto(ctx, t, dir, client, config)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		stops++
	}
	if tally := server.Tally(); tally.Repeated > 6*stops {
		t.Errorf("%d requests paid again after %d stops", tally.Repeated, stops)
	}
	same(dir)

	dir = t.TempDir()
	server, config = start()
	for stops = 0; ; stops++ {
		summary, err := reviseInto(t.Context(), t, dir, open(config, chat.NewBudget(0, 10+random.IntN(80), 0, 0)), config)
		if err == nil && summary.Stopped == nil {
			break
		}
		if err != nil || !errors.Is(summary.Stopped, chat.ErrBudget) || summary.Written+summary.NotAsked != 30 || stops > 100 {
			t.Fatal(err, summary)
		}
	}
	if tally := server.Tally(); tally.Repeated != 0 || stops < 3 {
		t.Errorf("%d requests paid again after %d stops", tally.Repeated, stops)
	}
	same(dir)
}

func TestPhrases(t *testing.T) {
	for text, want := range map[string][2]bool{
		"I’m sorry, but I can’t help with that.":                           {true, false},
		"As an AI, I have no tastes.":                                      {true, false},
		"Soak the beans overnight.":                                        {false, false},
		strings.Repeat("Soak the beans. ", 40) + "I can't help it.":        {false, false},
		"Here is the revised response:\nSoak the beans.":                   {false, true},
		"**Revised answer:** Soak them.":                                   {false, true},
		"Sure! Soak them.":                                                 {false, true},
		"Surely you have beans.":                                           {false, false},
		"Soak them. Unlike my previous response, this one is safe.":        {false, true},
		"[RESPONSE 12ab]\nSoak them.\n[END OF RESPONSE 12ab]":              {false, true},
		"Certain beans must be soaked; here is how. Improved soil is best": {false, false},
	} {
		if got := [2]bool{refuses(text), boilerplate(text)}; got != want {
			t.Errorf("%q: refuses, boilerplate %v, want %v", text, got, want)
		}
	}
}
