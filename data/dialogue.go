package data

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// text checks one dialogue value and returns it: plain text, or messages.
func (s *shape) text(r *row, f field) (Text, *problem) {
	c, name := &r[f], s.names[f]
	switch {
	case c.kind == cellMissing:
		return Text{}, &problem{ReasonMissingField, name, "the field is missing"}
	case c.kind == cellNull:
		return Text{}, &problem{ReasonNullText, name, "null where text should be"}
	case c.kind != cellText && c.kind != cellTurns:
		return Text{}, &problem{ReasonWrongType, name, c.describe() + " where text or messages should be"}
	case s.kinds[f] != cellNull && s.kinds[f] != c.kind:
		return Text{}, &problem{ReasonWrongType, name, fmt.Sprintf("%s, unlike the rows before", c.describe())}
	case c.kind == cellTurns && len(c.turns) == 0 && f == fieldPrompt:
		return Text{Messages: []Message{}}, nil
	case c.kind == cellTurns:
		messages, bad := messages(c.turns, name)
		return Text{Messages: messages}, bad
	}
	return Text{Plain: c.text}, characters(c.text, name)
}

// characters refuses what must never reach a tokenizer unseen.
func characters(s, column string) *problem {
	if !utf8.ValidString(s) {
		at := 0
		for r, size := utf8.DecodeRuneInString(s); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(s[at:]) {
			at += size
		}
		return &problem{ReasonUTF8, column, fmt.Sprintf("invalid UTF-8 at byte %d (%x)", at, s[at:min(at+4, len(s))])}
	}
	if at := strings.IndexByte(s, 0); at >= 0 {
		return &problem{ReasonNUL, column, fmt.Sprintf("a NUL character (U+0000) at byte %d", at)}
	}
	return nil
}

// messages checks a list of messages.
func messages(turns []turn, column string) ([]Message, *problem) {
	if len(turns) == 0 {
		return nil, &problem{ReasonNoMessages, column, "an empty list of messages"}
	}
	out := make([]Message, len(turns))
	for i, t := range turns {
		at := fmt.Sprintf
		switch {
		case t.wrong != "":
			return nil, &problem{ReasonWrongType, column, at("message %d: %s, not text", i, t.wrong)}
		case t.roleNull:
			return nil, &problem{ReasonNullMessage, column, at("message %d: role is null or missing", i)}
		case t.contentNull:
			return nil, &problem{ReasonNullMessage, column, at("message %d: content is null or missing", i)}
		case !knownRole(t.role):
			return nil, &problem{ReasonRole, column, at("message %d: unknown role %q%s; the roles are system, user, assistant, tool",
				i, clip([]byte(t.role), 20), didYouMean(t.role, []string{"system", "user", "assistant", "tool"}))}
		}
		if bad := characters(t.content, column); bad != nil {
			bad.detail = at("message %d: %s", i, bad.detail)
			return nil, bad
		}
		out[i] = Message{Role: t.role, Content: t.content}
	}
	return out, nil
}

func knownRole(role string) bool {
	return role == "system" || role == "user" || role == "assistant" || role == "tool"
}

// dialogue reads the prompt and the two responses of a row, the responses
// without the prompt, whichever way the file holds them.
func (s *shape) dialogue(r *row) (prompt, a, b Text, bad *problem) {
	fieldA, fieldB := s.sides()
	given := r[fieldPrompt].kind != cellMissing
	if !given && s.has(fieldPrompt) {
		return prompt, a, b, &problem{ReasonMissingField, s.names[fieldPrompt], "the field is missing"}
	}
	if given {
		if prompt, bad = s.text(r, fieldPrompt); bad != nil {
			return prompt, a, b, bad
		}
	}
	if a, bad = s.text(r, fieldA); bad != nil {
		return prompt, a, b, bad
	}
	if b, bad = s.text(r, fieldB); bad != nil {
		return prompt, a, b, bad
	}
	if (a.Messages == nil) != (b.Messages == nil) {
		return prompt, a, b, &problem{ReasonWrongType, s.names[fieldB], "one response is text, the other is messages"}
	}
	switch chat := a.Messages != nil; {
	case chat:
		prompt, a, b, bad = s.splitChat(prompt, a, b, given)
	case !given:
		prompt.Plain, a.Plain, b.Plain = splitTranscripts(a.Plain, b.Plain)
	case prompt.Messages != nil:
		a, b = assistant(a), assistant(b)
	}
	return prompt, a, b, bad
}

// assistant turns a plain response into the turn that answers messages.
func assistant(t Text) Text {
	return Text{Messages: []Message{{Role: "assistant", Content: t.Plain}}}
}

// splitTranscripts cuts off the part both transcripts share, up to and with
// the last "\n\nAssistant:" in it (Anthropic's HH-RLHF). Without one the
// prompt is empty.
func splitTranscripts(a, b string) (prompt, restA, restB string) {
	const marker = "\n\nAssistant:"
	shared := 0
	for shared < min(len(a), len(b)) && a[shared] == b[shared] {
		shared++
	}
	cut := strings.LastIndex(a[:shared], marker)
	if cut < 0 {
		return "", a, b
	}
	cut += len(marker)
	return a[:cut], a[cut:], b[cut:]
}

// splitChat separates prompt and responses. With messages as the prompt the
// responses hold the answer alone, or begin with the prompt too, which is cut
// off. With a text prompt they hold the answer alone, or the whole dialogue
// (UltraFeedback). Without a prompt they hold the whole dialogue, and the
// prompt is the messages that both begin with (TRL's implicit prompt).
func (s *shape) splitChat(prompt, a, b Text, given bool) (Text, Text, Text, *problem) {
	x, y := a.Messages, b.Messages
	switch p := prompt.Messages; {
	case p != nil:
		if beginsWith(x, p) && beginsWith(y, p) {
			x, y = x[len(p):], y[len(p):]
		}
	case given && x[0].Role == "assistant" && y[0].Role == "assistant":
		prompt = Text{Messages: []Message{{Role: "user", Content: prompt.Plain}}}
	default:
		n, bad := s.sharedPrompt(x, y)
		if bad != nil {
			return prompt, a, b, bad
		}
		prompt, x, y = Text{Messages: x[:n:n]}, x[n:], y[n:]
	}
	return prompt, Text{Messages: x}, Text{Messages: y}, nil
}

func beginsWith(messages, prompt []Message) bool {
	return len(messages) > len(prompt) && slices.Equal(messages[:len(prompt)], prompt)
}

// sharedPrompt is the number of messages that both dialogues begin with,
// leaving each a response.
func (s *shape) sharedPrompt(x, y []Message) (int, *problem) {
	n, most := 0, min(len(x), len(y))-1
	for n < most && x[n] == y[n] {
		n++
	}
	if x[n].Role != "assistant" || y[n].Role != "assistant" {
		a, b := s.sides()
		at, other := s.names[a], s.names[b]
		if x[n].Role == y[n].Role && x[n] == y[n] || n == len(x)-1 && x[n].Role != "assistant" {
			return 0, &problem{ReasonLastTurn, at, fmt.Sprintf("ends with a %s turn; a response must end with the assistant's", x[len(x)-1].Role)}
		}
		return 0, &problem{ReasonPromptsDiffer, at, fmt.Sprintf(
			"does not share a prompt with %s: message %d is %s's in one and %s's in the other, and differs", other, n, x[n].Role, y[n].Role)}
	}
	return n, nil
}
