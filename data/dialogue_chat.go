package data

import (
	"fmt"
	"slices"
	"strings"
)

// splitChat separates prompt and responses. The responses hold the answer alone,
// or the whole dialogue, whose prompt is the messages that both begin with (TRL's
// implicit prompt). A prompt that is given beside whole dialogues must be in what
// they share: messages at its end (a system message may stand before), a text in
// one of its turns (UltraFeedback).
func (d *Dialogue) splitChat(prompt, a, b Text, given bool) (Text, Text, Text, *Problem) {
	x, y := a.Messages, b.Messages
	if given && x[0].Role == "assistant" && y[0].Role == "assistant" {
		if prompt.Messages == nil {
			prompt = Text{Messages: []Message{{Role: "user", Content: prompt.Plain}}}
		}
		return prompt, a, b, nil
	}
	if p := prompt.Messages; len(p) > 0 && beginsWith(x, p) && beginsWith(y, p) && len(x) > len(p) && len(y) > len(p) {
		return prompt, Text{Messages: x[len(p):]}, Text{Messages: y[len(p):]}, nil
	}
	n, bad := d.sharedPrompt(x, y)
	if bad != nil {
		return prompt, a, b, bad
	}
	if given && !d.Guessed && !prompt.within(x[:n]) {
		return prompt, a, b, d.Prompt.lost()
	}
	return Text{Messages: x[:n:n]}, Text{Messages: x[n:]}, Text{Messages: y[n:]}, nil
}

func beginsWith(messages, start []Message) bool {
	return len(messages) >= len(start) && slices.Equal(messages[:len(start)], start)
}

// within reports whether a dialogue's turns end with the prompt's, or one of them
// holds its text; a transcript is taken to be the dialogue's.
func (t Text) within(turns []Message) bool {
	if t.Messages != nil {
		return len(turns) >= len(t.Messages) && beginsWith(turns[len(turns)-len(t.Messages):], t.Messages)
	}
	text := strings.TrimSpace(t.Plain)
	return strings.Contains(t.Plain, "\n\nHuman:") || slices.ContainsFunc(turns, func(m Message) bool { return strings.Contains(m.Content, text) })
}

// sharedPrompt is the number of messages that both dialogues begin with,
// leaving each a response.
func (d *Dialogue) sharedPrompt(x, y []Message) (int, *Problem) {
	n, most := 0, min(len(x), len(y))-1
	for n < most && x[n] == y[n] {
		n++
	}
	if x[n].Role != "assistant" || y[n].Role != "assistant" {
		at, other := d.A.Column, d.B.Column
		if x[n].Role == y[n].Role && x[n] == y[n] || n == len(x)-1 && x[n].Role != "assistant" {
			return 0, &Problem{ReasonLastTurn, at, fmt.Sprintf("ends with a %s turn; a response must end with the assistant's", x[len(x)-1].Role)}
		}
		return 0, &Problem{ReasonPromptsDiffer, at, fmt.Sprintf(
			"does not share a prompt with %s: message %d is %s's in one and %s's in the other, and differs", other, n, x[n].Role, y[n].Role)}
	}
	return n, nil
}
