package demo

import (
	"fmt"
	"slices"
	"strings"
)

// Comparison is one row of unlabelled.jsonl: two responses of which nobody has
// preferred one.
type Comparison struct {
	ID     string `json:"id"`
	Prompt string `json:"prompt"`
	A      string `json:"response_a"`
	B      string `json:"response_b"`
	Subset string `json:"subset"`
}

// Gold is one row of unlabelled_gold.jsonl: which response has the higher
// hidden grade.
type Gold struct {
	ID   string `json:"id"`
	Gold string `json:"gold"` // a, b or tie
}

const comparisonsPerPrompt = 10

// spread is how often each grade is written: few answers are middling.
var spread = [...]int{0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 4}

// unlabelled composes comparisons about the training prompts, for a judge to
// label. Unlike the pairs they are not balanced, so that a judge of surfaces
// is mostly right about them: better answers give reasons.
func (w writer) unlabelled(topics []topic) (rows []Comparison, gold []Gold) {
	for _, t := range topics {
		for j := range comparisonsPerPrompt {
			a, b := spread[w.random.IntN(len(spread))], spread[w.random.IntN(len(spread))]
			id := fmt.Sprintf("%s-%02d-u%d", t.domain, t.number, j+1)
			rows = append(rows, Comparison{ID: id, Prompt: t.prompt + "\n", A: w.plainly(t, a), B: w.plainly(t, b), Subset: t.domain})
			gold = append(gold, Gold{id, [3]string{"b", "tie", "a"}[1+sign(a-b)]})
		}
	}
	w.random.Shuffle(len(rows), func(i, j int) {
		rows[i], rows[j] = rows[j], rows[i]
		gold[i], gold[j] = gold[j], gold[i]
	})
	return rows, gold
}

// plainly composes an answer without any balance. A poor one is a single
// sentence, or one padded before and after, and gives no reason where it can be
// helped; a good one comes to the point and gives a reason.
func (w writer) plainly(t topic, grade int) string {
	const tries = 6
	text := ""
	for range tries {
		kinds := recipes[grade][w.random.IntN(len(recipes[grade]))]
		switch {
		case grade > 1:
		case w.random.IntN(3) == 0:
			kinds = kinds[len(kinds)-1:]
		default:
			kinds = slices.Concat([]kind{opening}, kinds, []kind{closing})
		}
		text = w.sentences(t, kinds)
		if grade == 2 || givesReason(text) == (grade > 2) {
			break
		}
	}
	return text
}

func givesReason(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "because") || strings.Contains(text, "since") || strings.Contains(text, "therefore")
}
