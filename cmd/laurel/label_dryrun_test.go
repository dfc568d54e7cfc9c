package main

import (
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/feedback"
	"laurel/feedback/chat"
)

// TestDryRunCountsTokens: texts counted once and added to what stands around
// them come within 2 % of the whole prompts, messages among the texts too; in
// mode cot_logprobs the second prompt has the reasoning beside.
func TestDryRunCountsTokens(t *testing.T) {
	dir := filepath.Join(inputs(t), "tiny")
	whole, err := tokenizer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	c := feedback.DefaultOpenAI()
	c.Mode, c.Tokenizer, c.MaxTokens, c.Price = feedback.ModeCoTLogprobs, dir, 100, &chat.Price{PromptPerMillion: 2, CompletionPerMillion: 10}
	var out openJudges
	if err := out.addCost(feedback.NewOpenAI("j", c, nil, nil), dir); err != nil {
		t.Fatal(err)
	}
	cost := out.costs[0]
	defer out.close()
	long := strings.Repeat("Steam lifts the lid because water takes more room as a gas. ", 9)
	prompt := data.Text{Messages: []data.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Why does the pot boil over?"}}}
	exact := 0
	for _, swapped := range []bool{false, true} {
		q := feedback.Question{Comparison: &data.Comparison{Prompt: prompt, A: data.Text{Plain: long}, B: data.Text{Plain: "It just does."}},
			Principle: &feedback.Principle{Name: "honest", Comparison: "Which response is more honest?"}, Swapped: swapped}
		if err := cost.Count(q); err != nil {
			t.Fatal(err)
		}
		for _, r := range feedback.NewOpenAI("j", c, nil, nil).Requests(q) {
			n, err := whole.Count(data.Text{Messages: r.Messages})
			if err != nil {
				t.Fatal(err)
			}
			exact += n
		}
	}
	exact += 2 * c.MaxTokens // the reasoning that the second prompts show
	if d := cost.PromptTokens - exact; cost.Questions != 2 || cost.Requests != 4 || cost.CompletionTokens != 216 || d*50 > exact || -d*50 > exact {
		t.Errorf("%s; the prompts have %d tokens", costLine(cost), exact)
	}
	if want := (2*float64(cost.PromptTokens) + 10*216) / 1e6; cost.Cost != want {
		t.Errorf("cost %v, want %v", cost.Cost, want)
	}
}
