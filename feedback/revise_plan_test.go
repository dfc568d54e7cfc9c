package feedback

import (
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"laurel/data"
	"laurel/feedback/chat"
)

// TestRevisionPlan: the plan follows the chains through the store, as far as
// they go.
func TestRevisionPlan(t *testing.T) {
	store := newStore(t)
	run := revising(store, 5, &writer{})
	run.Model.MaxTokens, run.Model.Price = 100, &chat.Price{PromptPerMillion: 1e6, CompletionPerMillion: 0}
	words := func(text data.Text) (int, error) {
		n := 0
		for _, m := range text.Messages {
			if strings.Contains(m.Content, unwritten) {
				t.Errorf("counts %q", m.Content)
			}
			n++
		}
		return n, nil
	}
	plan, err := run.Plan(words)
	if err != nil {
		t.Fatal(err)
	}
	// three first answers of one message; of five prompts four critiques and four
	// revisions of two messages each; unwritten: the answers to criticise, but for
	// the first of the two that are given, as for the revisions, and the critiques
	const prompt = 3 + 5*8*2 + 100*((5*4-2)+(5*4-2)+5*4)
	if want := (RevisionPlan{Rows: plan.Rows, Given: 2, Replies: 43, Requests: 43, PromptTokens: prompt, CompletionTokens: 4300, Cost: prompt}); !reflect.DeepEqual(*plan, want) {
		t.Errorf("%+v, want %+v", *plan, want)
	}
	if _, _, _, err := chains(t, run); err != nil {
		t.Fatal(err)
	}
	plan, err = run.Plan(words)
	if err != nil || plan.Kept != 43 || plan.Requests != 0 || plan.PromptTokens != 0 || plan.Rows.Kept != 5 {
		t.Errorf("%+v, %v", plan, err)
	}
	run.Rounds = 3
	if plan, err = run.Plan(nil); err != nil || plan.Kept != 43 || plan.Requests != 5*4 || plan.PromptTokens != 0 {
		t.Errorf("%+v, %v", plan, err)
	}
	run.Store = nil
	if plan, err = run.Plan(nil); err != nil || plan.Kept != 0 || plan.Requests != 63 {
		t.Errorf("%+v, %v", plan, err)
	}
	bad := errors.New("row 1")
	run.Prompts = func(*data.Counts) iter.Seq2[data.Prompt, error] {
		return func(yield func(data.Prompt, error) bool) { yield(data.Prompt{}, bad) }
	}
	if _, err := run.Plan(nil); !errors.Is(err, bad) {
		t.Error(err)
	}
}
