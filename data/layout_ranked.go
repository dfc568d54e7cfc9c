package data

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// rankedLayouts have lists of responses with ranks or scores.
func rankedLayouts() []*layout {
	return []*layout{ultraFeedbackLayout(), nectarLayout(), rewardBench2Layout(), nemoLayout(),
		ratedLayout("distilabel", text("instruction"), "generations", "ratings"), ratedLayout("distilabel-rating", text("instruction"), "generations", "rating"),
		ratedLayout("distilabel-input", text("input"), "generations", "rating"), ratedLayout("responses-scores", text("prompt"), "responses", "scores"), rankLayout("responses-ranks", text("prompt"), "responses", "ranks"),
		ratedLayout("distilabel-scores", text("instruction"), "responses", "scores"), rankLayout("distilabel-ranks", text("input"), "candidates", "ranks"),
		stackExchangeLayout(), outputListLayout(), scoredLayout("scored-completions", text("prompt")), scoredLayout("scored-completions-messages", turns("messages"))}
}

func parseNumber(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// ranked reads a list of responses: what stands under one of the keys, and the
// number under by.
func ranked(prompt, list *Field, by string, sign float64, keys ...string) (r ranking, bad *Problem) {
	r.sure, r.margins = 1, true
	if prompt != nil {
		if r.prompt, bad = prompt.promptText(); bad != nil {
			return r, bad
		}
	}
	for i := range list.Cell.Items {
		a, bad := answerIn(list, i, keys...)
		if bad != nil {
			return r, bad
		}
		if a.score, bad = numberIn(list, i, by); bad != nil {
			return r, bad
		}
		a.score *= sign
		r.answers = append(r.answers, a)
	}
	return r, nil
}

// ultraFeedbackLayout is openbmb/UltraFeedback: completions with an overall
// score.
func ultraFeedbackLayout() *layout {
	prompt, completions, source := text("instruction"), value("completions"), word("source")
	return &layout{name: "ultrafeedback", needs: []*Field{prompt, completions}, may: []*Field{source},
		says: "prompt = instruction; completions by their overall_score, all pairs; margin = difference of the scores; custom_system_prompt, which told a model what to be good at, is left out",
		read: func() (ranking, *Problem) {
			r, bad := ranked(prompt, completions, "overall_score", 1, "response")
			if bad == nil {
				bad = Words(Word{source, &r.subset})
			}
			return r, bad
		}}
}

// nectarLayout is berkeley-nest/Nectar: answers with a rank, 1 the best.
func nectarLayout() *layout {
	prompt, answers := text("prompt"), list("answers")
	return &layout{name: "nectar", needs: []*Field{prompt, answers},
		says: "answers by their rank, 1 the best, all pairs; margin = difference of the ranks",
		read: func() (ranking, *Problem) { return ranked(prompt, answers, "rank", -1, "answer") }}
}

// rewardBench2Layout is allenai/reward-bench-2: lists of right and of wrong
// answers. Every right one is better than every wrong one.
func rewardBench2Layout() *layout {
	prompt, chosen, rejected := text("prompt"), list("chosen"), list("rejected")
	id, subset := word("id"), word("subset")
	l := &layout{name: "reward-bench-2", needs: []*Field{prompt, chosen, rejected}, may: []*Field{id, subset},
		says: "every one of chosen against every one of rejected"}
	l.read = func() (r ranking, bad *Problem) {
		r.sure, r.classes = 1, true
		if r.prompt, bad = prompt.promptText(); bad != nil {
			return r, bad
		}
		for side, list := range []*Field{rejected, chosen} {
			if list.Cell.Kind == CellText {
				list.Cell = Cell{Kind: CellList, Items: []Cell{list.Cell}}
			}
			for i := range list.Cell.Items {
				a, bad := answerIn(list, i)
				if bad != nil {
					return r, bad
				}
				a.score = float64(side)
				r.answers = append(r.answers, a)
			}
		}
		for i, worse := range r.answers {
			for _, better := range r.answers[i+1:] {
				if worse.score != better.score && worse.text.equal(better.text) {
					return r, chosen.Problem(ReasonIdentical, "a text is in %s too: the lists are responses to the prompt, not the turns of a conversation", rejected.Column)
				}
			}
		}
		return r, Words(Word{subset, &r.subset}, Word{id, &r.id})
	}
	return l
}

// nemoLayout is NeMo-RL's preference data: completions with a rank, 0 the best.
func nemoLayout() *layout {
	context, completions := turns("context"), list("completions")
	return &layout{name: "nemo-rl", needs: []*Field{context, completions},
		says: "prompt = context; completions by their rank, the lowest the best, all pairs; margin = difference of the ranks",
		read: func() (ranking, *Problem) { return ranked(context, completions, "rank", -1, "completion") }}
}

// ratedLayout has a list of texts and one of numbers, as distilabel and Argilla
// write them.
func ratedLayout(name string, prompt *Field, texts, numbers string) *layout {
	answers, scores := list(texts), list(numbers)
	return &layout{name: name, needs: []*Field{prompt, answers, scores},
		says: "prompt = " + prompt.Name + "; " + texts + " by their " + numbers + ", all pairs; margin = difference of the " + numbers,
		read: func() (r ranking, bad *Problem) {
			if len(answers.Cell.Items) != len(scores.Cell.Items) {
				return r, scores.Problem(ReasonWrongType, "%d for %d %s", len(scores.Cell.Items), len(answers.Cell.Items), texts)
			}
			r.sure, r.margins = 1, true
			if r.prompt, bad = prompt.promptText(); bad != nil {
				return r, bad
			}
			for i := range answers.Cell.Items {
				a, bad := answerIn(answers, i)
				if bad != nil {
					return r, bad
				}
				if a.score, bad = numberIn(scores, i, ""); bad != nil {
					return r, bad
				}
				r.answers = append(r.answers, a)
			}
			return r, nil
		}}
}

// rankLayout is ratedLayout with ranks, 1 the best.
func rankLayout(name string, prompt *Field, texts, ranks string) *layout {
	l := ratedLayout(name, prompt, texts, ranks)
	l.says = "prompt = " + prompt.Name + "; " + texts + " by their " + ranks + ", the lowest the best, all pairs; margin = difference of the ranks"
	rated := l.read
	l.read = func() (ranking, *Problem) {
		r, bad := rated()
		for i := range r.answers {
			r.answers[i].score *= -1
		}
		return r, bad
	}
	return l
}

// stackExchangeLayout is HuggingFaceH4/stack-exchange-preferences: answers with
// a score made of their votes.
func stackExchangeLayout() *layout {
	prompt, answers := text("question"), list("answers")
	return &layout{name: "stack-exchange", needs: []*Field{prompt, answers},
		says: "prompt = question; answers by their pm_score, all pairs; votes are no margins",
		read: func() (ranking, *Problem) {
			r, bad := ranked(prompt, answers, "pm_score", 1, "text")
			r.margins = false
			return r, bad
		}}
}

// scoredLayout has a prompt and completions that each bring a number of their
// own, the highest the best, under one of a few names.
func scoredLayout(name string, prompt *Field) *layout {
	completions, id, subset := list("completions"), word("id"), word("subset")
	return &layout{name: name, needs: []*Field{prompt, completions}, may: []*Field{id, subset},
		says: "prompt = " + prompt.Name + "; completions by their " + strings.Join(scoreKeys, " or ") + ", all pairs; margin = difference of the scores",
		read: func() (ranking, *Problem) {
			by, bad := scoreKey(completions)
			if bad != nil {
				return ranking{}, bad
			}
			r, bad := ranked(prompt, completions, by, 1, "content", "text", "response", "completion", "answer")
			if bad == nil {
				bad = Words(Word{subset, &r.subset}, Word{id, &r.id})
			}
			return r, bad
		}}
}

// scoreKeys are the names of a completion's score.
var scoreKeys = []string{"score", "rating", "reward"}

// scoreKey is the one of them that the completions have; where they have two,
// which of them ranks is not guessed.
func scoreKey(completions *Field) (string, *Problem) {
	var found []string
	for _, key := range scoreKeys {
		if slices.ContainsFunc(completions.Cell.Items, func(c Cell) bool { return c.Member(key).Kind != CellMissing }) {
			found = append(found, key)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", completions.Problem(ReasonLabel, "no completion has a %s: nothing says which is better", strings.Join(scoreKeys, ", "))
	}
	return "", completions.Problem(ReasonLabel, "completions have a %s: keep the one that says which is better, and name the other differently", strings.Join(found, " and a "))
}

// outputListLayout is LLaMA-Factory's older ranking: output is a list, the
// better one first.
func outputListLayout() *layout {
	d := Dialogue{Prompt: text("instruction"), Input: text("input"), System: text("system"), History: value("history")}
	output := list("output")
	return &layout{name: "llama-factory-output", needs: []*Field{d.Prompt, output}, may: []*Field{d.Input, d.System, d.History}, turned: []*Field{d.System, d.History},
		says: "prompt = instruction, a line break and input; output is a list of the better and the worse one",
		read: func() (r ranking, bad *Problem) {
			if len(output.Cell.Items) != 2 {
				return r, output.Problem(ReasonWrongType, "%d outputs where two should be, the better one first", len(output.Cell.Items))
			}
			r.sure = 1
			if r.prompt, _, bad = d.prompt(Text{}, Text{}); bad != nil {
				return r, bad
			}
			for i := range output.Cell.Items {
				a, bad := answerIn(output, i)
				if bad != nil {
					return r, bad
				}
				a.score = float64(-i)
				r.answers = append(r.answers, a)
			}
			return r, Words(Word{d.System, &r.system})
		}}
}

// arena55 reads texts that may be JSON lists of turns: of the user's, and of
// each side's answers.
func arena55(prompt, a, b *Field, better float64) (r ranking, bad *Problem) {
	if r, bad = compared(prompt, a, b, better); bad != nil {
		return r, bad
	}
	asked, list := jsonTexts(r.prompt.Plain)
	if !list {
		return r, nil
	}
	if slices.Contains(asked, nil) {
		return r, &Problem{ReasonNullText, prompt.Column, "a turn of the prompt is null"}
	}
	for i := range r.answers {
		said, list := jsonTexts(r.answers[i].text.Plain)
		if list && slices.Contains(said, nil) {
			return r, &Problem{ReasonNullText, r.answers[i].column, "a turn of the answer is null"}
		}
		if !list || len(said) != len(asked) || len(said) == 0 {
			return r, prompt.Problem(ReasonPromptsDiffer, "%d turns of the user, but %d answers in %s", len(asked), len(said), r.answers[i].column)
		}
		var turns []Message
		for j := range said {
			turns = append(turns, Message{Role: "user", Content: *asked[j]}, Message{Role: "assistant", Content: *said[j]})
		}
		r.answers[i].text = Text{Messages: turns[1:]}
	}
	r.prompt = Text{Messages: []Message{{Role: "user", Content: *asked[0]}}}
	return r, nil
}

// jsonTexts are the texts of a JSON list of texts, nil for null.
func jsonTexts(s string) (texts []*string, list bool) {
	return texts, json.Unmarshal([]byte(s), &texts) == nil
}
