package feedback

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/feedback/chat"
)

// byWhatIsAsked answers by model, temperature, seed, system message and prompt.
func byWhatIsAsked(model string) func(context.Context, chat.Request) (chat.Reply, error) {
	return func(_ context.Context, r chat.Request) (chat.Reply, error) {
		spent := chat.Spent{Requests: 1, PromptTokens: 3, CompletionTokens: 2, Cost: 0.25}
		said := fmt.Sprintf(" %s %v %v %v", model, *r.Temperature, *r.Seed, r.Messages)
		reply := chat.Reply{Text: said, FinishReason: "stop", Spent: spent}
		switch last := r.Messages[len(r.Messages)-1].Content; {
		case strings.HasSuffix(last, "2") && model == "small":
			reply.FinishReason = "length"
		case strings.HasSuffix(last, "3"):
			reply.Text = "the same"
		case strings.HasSuffix(last, "4"):
			return chat.Reply{Spent: spent}, fmt.Errorf("no reply")
		}
		return reply, nil
	}
}

func generating(t *testing.T, prompts int) *Generating {
	t.Helper()
	c := DefaultGenerate()
	c.Chat.BaseURL = "http://localhost:1"
	c.Models = []ModelConfig{{Model: "small"}, {Model: "large", BaseURL: "http://localhost:2"}}
	c.Temperatures, c.Systems = []float64{0.5, 1}, []string{"", "Be brief."}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	store, err := OpenStore(filepath.Join(t.TempDir(), "answers.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	run := &Generating{Config: c, Store: store, Prompts: promptsOf(prompts)}
	for _, w := range c.Writers() {
		run.Complete = append(run.Complete, byWhatIsAsked(w.Model))
	}
	return run
}

// TestGenerate: who writes which response, and what becomes of those that are
// cut, repeated or not there.
func TestGenerate(t *testing.T) {
	run := generating(t, 7)
	run.Config.N, run.Config.Repeats = 5, true
	plan, err := run.Plan(func(data.Text) (int, error) { return 10, nil })
	if err != nil || plan.Responses != 35 || plan.Kept != 0 || plan.Requests != 35 || plan.PromptTokens != 350 || plan.Answered != 3 {
		t.Fatalf("%+v, %v", plan, err)
	}
	var got []Responses
	write := func(r Responses) error { got = append(got, r); return nil }
	s, err := Generate(context.Background(), run, write)
	if err != nil || s.Stopped != nil {
		t.Fatal(err, s.Stopped)
	}
	var how []string
	for _, r := range got[0].Written {
		how = append(how, fmt.Sprintf("%d %s %v %q", r.Number, r.Model, *r.Temperature, r.System))
		if want := fmt.Sprintf("%s %v %d", r.Model, *r.Temperature, *r.Seed); !strings.HasPrefix(r.Text, want) || strings.Contains(r.Text, "Be brief.") != (r.System != "") {
			t.Errorf("%+v", r)
		}
	}
	if want := []string{`0 small 0.5 ""`, `1 large 0.5 ""`, `2 small 1 ""`, `3 large 1 ""`, `4 small 0.5 "Be brief."`}; !slices.Equal(how, want) {
		t.Errorf("written %q", how)
	}
	// prompts: p2 is cut where small writes, p3 the same five times, p4 fails, p5 and p6 are equal
	if s.Prompts != 7 || s.Written != 30 || s.Cut != 3 || s.Repeated != 4 || s.LeftOut != 5 || s.Comparisons != 4*10+1 || s.Uncompared != 2 || s.Spent.Requests != 30 {
		t.Errorf("%+v", s)
	}
	again, before := []Responses(nil), got
	got = nil
	if s, err = Generate(context.Background(), run, write); err != nil || s.SpentNow.Requests != 5 {
		t.Errorf("%+v, %v: only what failed is asked again", s, err)
	}
	again = got
	if !reflect.DeepEqual(again, before) {
		t.Error("a second run gives other responses")
	}
}

// TestGenerateDistinct: equal prompts are asked once and counted, every response has
// a seed of its own, which only chat.seed, prompt and number decide, and what a store
// has under the seeds of before stays.
func TestGenerateDistinct(t *testing.T) {
	run := generating(t, 7) // p5 and p6 are equal
	run.Config.N = 5
	plan, err := run.Plan(nil)
	if err != nil || plan.Responses != 30 || plan.RepeatedPrompts != 1 || plan.Rows.Kept != 7 {
		t.Fatalf("%+v, %v", plan, err)
	}
	var got []Responses
	write := func(r Responses) error { got = append(got, r); return nil }
	s, err := Generate(context.Background(), run, write)
	if err != nil || s.Prompts != 6 || s.RepeatedPrompts != 1 || s.Rows.Kept != 7 || got[5].ID != "p5" {
		t.Fatalf("%+v, %v", s, err)
	}
	seeds := map[int64]bool{}
	for _, r := range got {
		for _, one := range r.Written {
			if seeds[*one.Seed] || *one.Seed < 0 || *one.Seed >= 1<<31 {
				t.Errorf("seed %d of %s/%d", *one.Seed, r.ID, one.Number)
			}
			seeds[*one.Seed] = true
			if want := seedOf(42, r.Key(), one.Number); want != *one.Seed {
				t.Errorf("seed %d, want %d", *one.Seed, want)
			}
		}
	}
	if seedOf(42, got[0].Key(), 0) == seedOf(43, got[0].Key(), 0) {
		t.Error("another chat.seed gives the same seeds")
	}
	before := generating(t, 1)
	before.Config.N = 2
	old := before.Config.variants()[1]
	var first data.Prompt
	for p := range before.Prompts(&data.Counts{}) {
		first = p
	}
	if err := before.Store.Put(before.key(first, old), keptResponse{keptReply{Text: "of before"}, "stop"}, chat.Spent{Requests: 1}); err != nil {
		t.Fatal(err)
	}
	got = nil
	if s, err = Generate(context.Background(), before, write); err != nil || s.SpentNow.Requests != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if one := got[0].Written[1]; one.Text != "of before" || *one.Seed != 43 || *got[0].Written[0].Seed == 42 {
		t.Errorf("%+v", got[0].Written)
	}
}

// TestComparisons: all pairs, or some of them, the same for a seed; either is
// shown first as often.
func TestComparisons(t *testing.T) {
	first := 0
	for i := range 200 {
		r := Responses{Prompt: data.Prompt{ID: fmt.Sprint("p", i)}}
		for k := range 4 {
			r.Written = append(r.Written, Response{Number: k, Text: fmt.Sprint(k)})
		}
		c := DefaultGenerate()
		all := r.Comparisons(c)
		if len(all) != 6 {
			t.Fatalf("%d pairs of 4", len(all))
		}
		for _, one := range all {
			if one.A.Plain < one.B.Plain {
				first++
			}
		}
		c.PairsPerPrompt = 2
		some := r.Comparisons(c)
		if len(some) != 2 || !reflect.DeepEqual(some, r.Comparisons(c)) {
			t.Fatalf("%v", some)
		}
		for _, one := range some {
			if !slices.ContainsFunc(all, func(other data.Comparison) bool { return reflect.DeepEqual(other, one) }) {
				t.Errorf("%v is none of all pairs", one)
			}
		}
	}
	if first < 520 || first > 680 { // of 1200: five standard deviations
		t.Errorf("the earlier response is shown first in %d of 1200", first)
	}
}

// TestGenerateConfigRefuses, and keeps a key from another model's server.
func TestGenerateConfigRefuses(t *testing.T) {
	c := DefaultGenerate()
	c.Chat.BaseURL, c.Chat.Model, c.Chat.APIKeyEnv = "http://localhost:1", "m", "KEY"
	c.Models = []ModelConfig{{Model: "a"}, {Model: "b", BaseURL: "http://elsewhere:1"}}
	if w := c.Writers(); w[0].APIKeyEnv != "KEY" || w[1].APIKeyEnv != "" || w[1].BaseURL != "http://elsewhere:1" || c.Validate() != nil {
		t.Errorf("%+v", w)
	}
	c.Models[1].Model, c.N, c.PairsPerPrompt, c.Temperatures, c.Budget.MaxCost = "", 0, -1, []float64{3}, 1
	err := c.Validate()
	for _, want := range []string{"models.1: model is", "n is 0", "pairs_per_prompt is -1", "temperatures.0 is 3", "models.0: the cost is limited"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	c = DefaultGenerate()
	c.Chat.BaseURL, c.Chat.Model, c.Temperatures = "http://localhost:1", "m", []float64{0, 1, 0.5}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "responses 0 and 3 of a prompt would be the same") {
		t.Error(err)
	}
	c.N = 3
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
