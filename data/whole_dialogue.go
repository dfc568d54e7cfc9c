package data

import (
	"fmt"
	"slices"
	"strings"
)

// kept is a problem where a column that was taken for the prompt, or one that goes
// with it, holds something that responses which are whole conversations lack: it
// would be lost.
func (d *Dialogue) kept(a, b Text) *Problem {
	for _, f := range []*Field{d.Prompt, d.Input, d.History} {
		if f == nil || f.Cell.Absent() || f.Cell.Kind == CellText && strings.TrimSpace(f.Cell.Text) == "" || len(f.Cell.Items) == 0 && f.Cell.Kind == CellMessages {
			continue
		}
		said, bad := f.said()
		if bad != nil {
			return bad
		}
		if !a.holds(said) || !b.holds(said) {
			return f.lost()
		}
	}
	return nil
}

// lost says of a prompt that whole conversations lack how to leave it out, or to
// keep it.
func (f *Field) lost() *Problem {
	keep := ""
	if f.Cell.Kind == CellText {
		keep = fmt.Sprintf(", --columns prompt= --columns system=%s puts it before them as the system message", shellWord(f.Column))
	}
	return f.Problem(ReasonPromptsDiffer, "it is not what the responses begin with, and these hold a dialogue of their own, which it would be lost beside: mend the row, or leave the column out with --columns prompt=%s", keep)
}

// said are the messages, or the text, of a field that may hold pairs of texts too.
func (f *Field) said() (Text, *Problem) {
	if f.Holds == HoldsAny && f.Cell.Kind != CellText {
		turns, bad := f.turns()
		return Text{Messages: turns}, bad
	}
	return f.promptText()
}

// holds reports whether a whole conversation has in it what another text says:
// every turn of a conversation in turns of its own, one after another (the last
// answer may be another), or a text in one of its turns.
func (t Text) holds(other Text) bool {
	turns := t.spoken()
	if other.Messages == nil && !strings.Contains(other.Plain, "\n\nHuman:") {
		text := strings.TrimSpace(other.Plain)
		return slices.ContainsFunc(turns, func(m Message) bool { return strings.TrimSpace(m.Content) == text })
	}
	want := other.spoken()
	if n := len(want); n > 1 && want[n-1].Role == "assistant" {
		want = want[:n-1] // whose answer is one of the responses
	}
	for at := range turns {
		if slices.EqualFunc(turns[at:min(at+len(want), len(turns))], want, func(x, y Message) bool {
			return x.Role == y.Role && strings.TrimSpace(x.Content) == strings.TrimSpace(y.Content)
		}) {
			return true
		}
	}
	return len(want) == 0
}

// spoken are the turns of messages, or of a transcript, with its answer.
func (t Text) spoken() []Message {
	if t.Messages != nil {
		return t.Messages
	}
	const marker = "\n\nAssistant:"
	if at := strings.LastIndex(t.Plain, marker); at >= 0 {
		at += len(marker)
		return append(plainTurns(t.Plain[:at]), Message{Role: "assistant", Content: t.Plain[at:]})
	}
	return plainTurns(t.Plain)
}
