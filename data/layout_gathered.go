package data

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

// singleLayouts have a response a row: the whole file is read, and held in
// memory, before there is a pair.
func singleLayouts() []*layout {
	return []*layout{helpSteerLayout(), ktoLayout(), ktoMessagesLayout(), ktoTagLayout(), oasstTreeLayout(), oasstLayout()}
}

// ktoLayout is TRL's unpaired preference: a completion, and whether it is
// desired.
func ktoLayout() *layout {
	prompt, completion := text("prompt"), text("completion")
	l := unpairedLayout("kto", value("label"), func() (p, response Text, bad *Problem) {
		if p, bad = prompt.promptText(); bad == nil {
			response, bad = completion.Text()
		}
		return p, response, bad
	})
	l.needs = append([]*Field{prompt, completion}, l.needs...)
	return l
}

// ktoMessagesLayout is that of ms-swift and LLaMA-Factory: the completion is
// the last of the messages. Files of other tasks have such columns too.
func ktoMessagesLayout() *layout {
	messages := turns("messages")
	l := unpairedLayout("kto-messages", value("label"), func() (Text, Text, *Problem) {
		c, bad := conversation(messages)
		return c.Prompt, c.Response, bad
	})
	l.needs, l.unsure = append([]*Field{messages}, l.needs...), true
	return l
}

// ktoTagLayout is LLaMA-Factory's for alpaca rows.
func ktoTagLayout() *layout {
	d, output := Dialogue{Prompt: text("instruction"), Input: text("input")}, text("output")
	l := unpairedLayout("kto-tag", value("kto_tag"), func() (p, response Text, bad *Problem) {
		if p, _, bad = d.prompt(Text{}, Text{}); bad == nil {
			response, bad = output.Text()
		}
		return p, response, bad
	})
	l.needs, l.may = append([]*Field{d.Prompt, output}, l.needs...), []*Field{d.Input}
	return l
}

// helpSteerLayout is nvidia/HelpSteer and the train file of HelpSteer2: a
// response a row, rated from 0 to 4 by five measures. Of one prompt the more
// helpful response is the better one.
func helpSteerLayout() *layout {
	prompt, response, helpful := text("prompt"), text("response"), number("helpfulness")
	l := gatheredLayout("helpsteer", func() (p, answered Text, score float64, bad *Problem) {
		if p, bad = steerPrompt(prompt); bad == nil {
			answered, bad = response.Text()
		}
		if bad == nil && p.Messages == nil && p.Plain != prompt.Cell.Text {
			answered = steeredAnswer(answered)
		}
		if bad == nil {
			score, bad = helpful.Number(math.NaN())
		}
		if bad == nil && math.IsNaN(score) {
			bad = helpful.Problem(ReasonLabel, "null where a rating should be")
		}
		return p, answered, score, bad
	}, ranking{sure: 1, margins: true}, "response")
	l.needs = []*Field{prompt, response, helpful, number("correctness"), number("coherence")}
	l.says = "rows of one prompt are gathered (the file is held in memory): responses by their helpfulness, all pairs; margin = difference of the ratings; those without a counterpart are counted"
	return l
}

// steerPrompt reads a prompt of HelpSteer2, whose further turns stand after
// "<extra_id_1>Assistant" and "<extra_id_1>User" on lines of their own: they
// become the transcript that plain text has for turns.
func steerPrompt(f *Field) (Text, *Problem) {
	t, bad := f.promptText()
	const turn = "<extra_id_1>"
	if bad != nil || !strings.Contains(t.Plain, turn) {
		return t, bad
	}
	var out strings.Builder
	for i, part := range strings.Split(t.Plain, turn) {
		role, said := "Human", part
		if i > 0 {
			name, rest, _ := strings.Cut(part, "\n")
			switch said = rest; strings.TrimSpace(name) {
			case "Assistant":
				role = "Assistant"
			case "User":
			default:
				return t, f.Problem(ReasonRole, "%s%s where User or Assistant should be", turn, Clip(name, 20))
			}
		}
		fmt.Fprintf(&out, "\n\n%s: %s", role, strings.TrimSpace(said))
	}
	return Text{Plain: out.String() + steeredEnd}, nil
}

// steeredEnd is what a transcript ends with, before a space and the response.
const steeredEnd = "\n\nAssistant:"

// steered reads a prompt of HelpSteer2 into a ranking; where it becomes a
// transcript, the responses have the space of one before them.
func (r *ranking) steered(prompt *Field) (bad *Problem) {
	if r.prompt, bad = steerPrompt(prompt); r.prompt.Plain == prompt.Cell.Text || r.prompt.Messages != nil {
		return bad
	}
	for i := range r.answers {
		r.answers[i].text = steeredAnswer(r.answers[i].text)
	}
	return bad
}

// steeredAnswer is a response as a transcript goes on with it.
func steeredAnswer(t Text) Text {
	return Text{Plain: " " + strings.TrimLeft(t.Plain, " ")}
}

// unpairedLayout pairs every desired completion with every undesired one of the
// same prompt.
func unpairedLayout(name string, label *Field, read func() (prompt, completion Text, bad *Problem)) *layout {
	l := gatheredLayout(name, func() (prompt, completion Text, score float64, bad *Problem) {
		if prompt, completion, bad = read(); bad == nil {
			score, bad = desired(label)
		}
		return prompt, completion, score, bad
	}, ranking{sure: 1, classes: true}, "completion")
	l.needs = []*Field{label}
	l.says = "rows of one prompt are gathered (the file is held in memory): each completion with " + label.Name + " true against each with false; those without a counterpart are counted"
	return l
}

// gatheredLayout ranks the responses of one prompt by the scores that read
// gives; like says what kind of rankings they are.
func gatheredLayout(name string, read func() (prompt, response Text, score float64, bad *Problem), like ranking, column string) *layout {
	seen := map[TextKey]int{}
	var all []ranking
	return &layout{name: name,
		gather: func(place int) *Problem {
			prompt, completion, score, bad := read()
			if bad == nil {
				bad = response(completion, column)
			}
			if bad != nil {
				return bad
			}
			key := KeyOf(prompt, Text{}, Text{})
			at, known := seen[key]
			if !known {
				at = len(all)
				seen[key] = at
				r := like
				r.prompt, r.place, r.id = prompt, place, hex.EncodeToString(key[:4])
				all = append(all, r)
			}
			all[at].answers = append(all[at].answers, answer{completion, score, column})
			return nil
		},
		end: func() ([]ranking, map[Reason]int) { return withBoth(all) }}
}

// desired is 1 for true and 0 for false.
func desired(label *Field) (float64, *Problem) {
	switch value := digits(label.Cell.scalar()); value {
	case "true", "True", "1":
		return 1, nil
	case "false", "False", "0":
		return 0, nil
	default:
		return 0, label.Problem(ReasonLabel, "%q where true or false (or 1 or 0) should be: write the column so", Clip(value, 20))
	}
}

// withBoth are the rankings in which one answer is better than another; the
// answers of the others are counted.
func withBoth(all []ranking) (rankings []ranking, skipped map[Reason]int) {
	skipped = map[Reason]int{}
	for _, r := range all {
		differ := false
		for _, a := range r.answers {
			differ = differ || a.score != r.answers[0].score
		}
		switch {
		case differ:
			rankings = append(rankings, r)
		case r.classes || len(r.answers) == 1: // two of a class are no tie
			skipped[ReasonUnpaired] += len(r.answers)
		default:
			skipped[ReasonTie] += len(r.answers)
		}
	}
	return rankings, skipped
}

// oasstLayout is OpenAssistant's messages, one a row, each with its parent's
// id; replies to one message have ranks, 0 the best.
func oasstLayout() *layout {
	id, parent, role, content, rank := word("message_id"), word("parent_id"), word("role"), word("text"), value("rank")
	deleted, reviewed := value("deleted"), value("review_result")
	b := oasstBooks{messages: map[string]oasstRow{}}
	return &layout{name: "oasst", needs: []*Field{id, parent, role, content, rank}, may: []*Field{deleted, reviewed}, chatty: true,
		says: "messages are gathered into their trees (the file is held in memory); replies to one message by their rank, 0 the best, all pairs; margin = difference of the ranks",
		gather: func(place int) *Problem {
			row := oasstRow{parent: parent.Cell.scalar(), place: place, rank: rank.Cell.scalar(), withdrawn: withdrawn(&deleted.Cell, &reviewed.Cell)}
			object := Cell{Members: []Member{{"role", role.Cell}, {"text", content.Cell}}}
			var bad *Problem
			if row.message, bad = oasstMessage(&object); bad != nil {
				return bad
			}
			name := id.Cell.scalar()
			if _, again := b.messages[name]; again {
				return id.Problem(ReasonDuplicateID, "the id %q was given before", Clip(name, 40))
			}
			b.messages[name] = row
			b.order = append(b.order, name)
			return nil
		},
		end: b.rankings}
}

type oasstRow struct {
	message      Message
	parent, rank string
	place        int
	withdrawn    bool
}

// withdrawn reports whether a message of OpenAssistant is deleted, or one that its
// reviewers refused.
func withdrawn(deleted, reviewed *Cell) bool {
	return deleted.Kind == CellBool && deleted.True || reviewed.Kind == CellBool && !reviewed.True
}

type oasstBooks struct {
	messages map[string]oasstRow
	order    []string // of reading
}

// rankings gathers the ranked replies of every message; the rows that give no
// pair are counted.
func (b *oasstBooks) rankings() (rankings []ranking, skipped map[Reason]int) {
	at := map[string]int{}
	gone := 0
	for _, name := range b.order {
		row := b.messages[name]
		if row.withdrawn {
			gone++
			continue
		}
		rank, ranked := parseNumber(row.rank)
		if row.message.Role != "assistant" || !ranked {
			continue
		}
		i, known := at[row.parent]
		if !known {
			prompt, whole := b.thread(row.parent)
			if !whole {
				continue
			}
			i = len(rankings)
			at[row.parent] = i
			rankings = append(rankings, ranking{prompt: Text{Messages: prompt}, sure: 1, margins: true, id: row.parent, place: row.place})
		}
		rankings[i].answers = append(rankings[i].answers, answer{Text{Messages: []Message{row.message}}, -rank, "text"})
	}
	rankings, _ = withBoth(rankings) // what it leaves out is counted below with the rest
	used := 0
	for _, r := range rankings {
		used += len(r.answers)
	}
	return rankings, map[Reason]int{ReasonUnpaired: len(b.order) - used - gone, ReasonWithdrawn: gone}
}

// thread is the turns down to a message; whole is false where one is missing, or
// withdrawn.
func (b *oasstBooks) thread(name string) (turns []Message, whole bool) {
	for range len(b.order) + 1 {
		row, ok := b.messages[name]
		if !ok || row.withdrawn {
			return nil, false
		}
		turns = append([]Message{row.message}, turns...)
		if name = row.parent; name == "" {
			return turns, true
		}
	}
	return nil, false // a circle
}
