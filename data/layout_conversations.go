package data

import "fmt"

// conversationLayouts hold the chosen response at the end of a conversation.
func conversationLayouts() []*layout {
	return []*layout{swiftLayout("ms-swift", "rejected_response"), swiftLayout("ms-swift-messages", "rejected_messages"), swiftQueryLayout()}
}

// swiftQueryLayout is ms-swift's of single turns, with those before them in
// history.
func swiftQueryLayout() *layout {
	d := Dialogue{Prompt: text("query"), System: text("system"), History: value("history")}
	chosen, rejected := text("response"), text("rejected_response")
	return &layout{name: "ms-swift-query", needs: []*Field{d.Prompt, chosen, rejected}, may: []*Field{d.System, d.History}, turned: []*Field{d.System, d.History},
		says: "prompt = query, after the turns of history; response is chosen, against rejected_response",
		read: func() (r ranking, bad *Problem) {
			if r, bad = compared(d.Prompt, chosen, rejected, 1); bad != nil {
				return r, bad
			}
			if r.prompt, _, bad = d.prompt(Text{}, Text{}); bad != nil {
				return r, bad
			}
			return r, Words(Word{d.System, &r.system})
		}}
}

// swiftLayout is ms-swift's: messages end with the chosen response; the
// rejected one is a text, or messages that may begin with the prompt too.
func swiftLayout(name, rejectedColumn string) *layout {
	messages, rejected, system, context := turns("messages"), text(rejectedColumn), text("system"), NewContextFields()
	l := &layout{name: name, needs: []*Field{messages, rejected}, may: append([]*Field{system}, context.Fields()...),
		says: "the last of messages is chosen, the turns before it are the prompt; against " + rejectedColumn}
	l.read = func() (r ranking, bad *Problem) {
		c, bad := conversation(messages)
		if bad != nil {
			return r, bad
		}
		other, bad := rejected.Text()
		if bad != nil {
			return r, bad
		}
		if c.Prompt.Context, bad = context.Read(); bad != nil {
			return r, bad
		}
		r = ranking{prompt: c.Prompt, sure: 1, answers: []answer{{c.Response, 1, messages.Column}, {other, 0, rejected.Column}}}
		return r, Words(Word{system, &r.system})
	}
	return l
}

// oasstTreeLayout is OpenAssistant's trees: a prompt, its replies with ranks,
// 0 the best, and theirs. Every turn of the user with two ranked replies or
// more is a prompt.
func oasstTreeLayout() *layout {
	id, prompt := word("message_tree_id"), value("prompt")
	gone := 0
	return &layout{name: "oasst-trees", needs: []*Field{id, prompt}, chatty: true,
		says: "every turn of the prompter whose replies have ranks, 0 the best, is a prompt: all pairs of them; margin = difference of the ranks",
		told: func() string {
			if gone == 0 {
				return ""
			}
			return fmt.Sprintf("%d messages are left out, with what follows them: deleted, or refused by the reviewers", gone)
		},
		many: func() (rankings []ranking, bad *Problem) {
			gone += prune(&prompt.Cell)
			err := walkReplies(&prompt.Cell, nil, func(turns []Message, replies []Cell) *Problem {
				r, bad := rankedReplies(turns, replies, prompt.Column)
				if len(r.answers) > 1 {
					r.id = fmt.Sprintf("%s:%d", id.Cell.scalar(), len(rankings))
					rankings = append(rankings, r)
				}
				return bad
			})
			if err == nil && len(rankings) == 0 {
				err = prompt.Problem(ReasonUnpaired, "no turn of the tree has two replies with ranks")
			}
			return rankings, err
		}}
}

// prune takes the withdrawn messages out of a tree, with what follows them, and
// counts them: of a withdrawn root the replies.
func prune(message *Cell) (gone int) {
	replies := message.Member("replies")
	kept := replies.Items[:0:0]
	for i := range replies.Items {
		reply := &replies.Items[i]
		if withdrawn(message.Member("deleted"), message.Member("review_result")) || withdrawn(reply.Member("deleted"), reply.Member("review_result")) {
			gone++
			continue
		}
		gone += prune(reply)
		kept = append(kept, *reply)
	}
	replies.Items = kept
	return gone
}

// walkReplies visits every message of a tree that has replies, with the turns
// down to it.
func walkReplies(message *Cell, before []Message, visit func([]Message, []Cell) *Problem) *Problem {
	m, bad := oasstMessage(message)
	if bad != nil {
		return bad
	}
	turns := append(before[:len(before):len(before)], m)
	replies := message.Member("replies").Items
	if m.Role == "user" && len(replies) > 1 {
		if bad := visit(turns, replies); bad != nil {
			return bad
		}
	}
	for i := range replies {
		if bad := walkReplies(&replies[i], turns, visit); bad != nil {
			return bad
		}
	}
	return nil
}

// oasstMessage is a message of OpenAssistant, whose users are prompters.
func oasstMessage(c *Cell) (Message, *Problem) {
	m := Message{Role: "assistant", Content: c.Member("text").Text}
	switch role := c.Member("role").Text; role {
	case "prompter":
		m.Role = "user"
	case "assistant":
	default:
		return m, &Problem{ReasonRole, "role", fmt.Sprintf("unknown role %q; the roles are prompter, assistant", Clip(role, 20))}
	}
	if c.Member("text").Kind != CellText {
		return m, &Problem{ReasonNullText, "text", "no text"}
	}
	return m, characters(m.Content, "text")
}

// rankedReplies are the replies that have a rank.
func rankedReplies(turns []Message, replies []Cell, column string) (r ranking, bad *Problem) {
	r = ranking{prompt: Text{Messages: turns}, sure: 1, margins: true}
	for i := range replies {
		rank, given := parseNumber(replies[i].Member("rank").scalar())
		if !given {
			continue
		}
		m, bad := oasstMessage(&replies[i])
		if bad != nil {
			return r, bad
		}
		r.answers = append(r.answers, answer{Text{Messages: []Message{m}}, -rank, column})
	}
	return r, nil
}
