package data

import (
	"encoding/hex"
)

// singleLayouts have a response a row: the whole file is read, and held in
// memory, before there is a pair.
func singleLayouts() []*layout {
	return []*layout{ktoLayout(), oasstTreeLayout(), oasstLayout()}
}

// ktoLayout is TRL's unpaired preference: a completion, and whether it is
// desired. Every desired completion is paired with every undesired one of the
// same prompt.
func ktoLayout() *layout {
	prompt, completion, label := text("prompt"), text("completion"), value("label")
	seen := map[TextKey]int{}
	var all []ranking
	return &layout{name: "kto", needs: []*Field{prompt, completion, label},
		says: "rows of one prompt are gathered (the file is held in memory): each completion with label true against each with false; those without a counterpart are counted",
		gather: func(place int) (bad *Problem) {
			var r ranking
			if r.prompt, bad = prompt.promptText(); bad != nil {
				return bad
			}
			a := answer{column: completion.Column}
			if a.text, bad = completion.Text(); bad != nil {
				return bad
			}
			switch value := label.Cell.scalar(); value {
			case "true", "True", "1":
				a.score = 1
			case "false", "False", "0":
			default:
				return label.Problem(ReasonLabel, "%q where true or false should be", Clip(value, 20))
			}
			key := KeyOf(r.prompt, Text{}, Text{})
			at, known := seen[key]
			if !known {
				at = len(all)
				seen[key] = at
				r.sure, r.classes, r.place, r.id = 1, true, place, hex.EncodeToString(key[:4])
				all = append(all, r)
			}
			all[at].answers = append(all[at].answers, a)
			return nil
		},
		end: func() ([]ranking, map[Reason]int) { return withBoth(all) }}
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
		if !differ {
			skipped[ReasonUnpaired] += len(r.answers)
			continue
		}
		rankings = append(rankings, r)
	}
	return rankings, skipped
}

// oasstLayout is OpenAssistant's messages, one a row, each with its parent's
// id; replies to one message have ranks, 0 the best.
func oasstLayout() *layout {
	id, parent, role, content, rank := word("message_id"), word("parent_id"), word("role"), word("text"), value("rank")
	b := oasstBooks{messages: map[string]oasstRow{}}
	return &layout{name: "oasst", needs: []*Field{id, parent, role, content, rank}, chatty: true,
		says: "messages are gathered into their trees (the file is held in memory); replies to one message by their rank, 0 the best, all pairs; margin = difference of the ranks",
		gather: func(place int) *Problem {
			row := oasstRow{parent: parent.Cell.scalar(), place: place, rank: rank.Cell.scalar()}
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
}

type oasstBooks struct {
	messages map[string]oasstRow
	order    []string // of reading
}

// rankings gathers the ranked replies of every message; the rows that give no
// pair are counted.
func (b *oasstBooks) rankings() (rankings []ranking, skipped map[Reason]int) {
	at := map[string]int{}
	for _, name := range b.order {
		row := b.messages[name]
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
	rankings, skipped = withBoth(rankings)
	used := 0
	for _, r := range rankings {
		used += len(r.answers)
	}
	return rankings, map[Reason]int{ReasonUnpaired: len(b.order) - used}
}

// thread is the turns down to a message; whole is false where one is missing.
func (b *oasstBooks) thread(name string) (turns []Message, whole bool) {
	for range len(b.order) + 1 {
		row, ok := b.messages[name]
		if !ok {
			return nil, false
		}
		turns = append([]Message{row.message}, turns...)
		if name = row.parent; name == "" {
			return turns, true
		}
	}
	return nil, false // a circle
}
