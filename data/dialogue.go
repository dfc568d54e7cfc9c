package data

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Dialogue is the fields that hold a prompt and two responses to it.
type Dialogue struct {
	Prompt, A, B *Field
	Context      *ContextFields // nil: not read
}

// Fields are those of prompt and responses, these first, and of their context.
func (d *Dialogue) Fields() []*Field {
	return append([]*Field{d.Prompt, d.A, d.B}, d.Context.Fields()...)
}

// Chat reports whether the rows become messages.
func (d *Dialogue) Chat() bool {
	return d.A.Kind == CellMessages || d.Prompt.Kind == CellMessages
}

// Alike refuses columns of which one is text and the other messages.
func (d *Dialogue) Alike() error {
	a, b := d.A, d.B
	if a.Kind != b.Kind && a.Kind != CellNull && b.Kind != CellNull {
		return fmt.Errorf("wrong column types: column %s is text but column %s is messages, or the other way round: both must be the same", a.Column, b.Column)
	}
	return nil
}

// String names the format, for reports.
func (d *Dialogue) String() string {
	switch prompt := d.Prompt.There(); {
	case d.A.Kind == CellMessages && !prompt:
		return "chat, implicit prompt"
	case d.Chat() && d.Prompt.Kind == CellText:
		return "chat, prompt as text"
	case d.Chat():
		return "chat, explicit prompt"
	case !prompt:
		return "HH transcripts (chosen/rejected text, prompt inside)"
	}
	return "prompt/chosen/rejected text"
}

// characters refuses what must never reach a tokenizer unseen.
func characters(s, column string) *Problem {
	if !utf8.ValidString(s) {
		at := 0
		for r, size := utf8.DecodeRuneInString(s); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(s[at:]) {
			at += size
		}
		return &Problem{ReasonUTF8, column, fmt.Sprintf("invalid UTF-8 at byte %d (%x)", at, s[at:min(at+4, len(s))])}
	}
	if at := strings.IndexByte(s, 0); at >= 0 {
		return &Problem{ReasonNUL, column, fmt.Sprintf("a NUL character (U+0000) at byte %d", at)}
	}
	return nil
}

// Messages checks a list of messages.
func (f *Field) Messages() ([]Message, *Problem) {
	if len(f.Cell.Items) == 0 {
		return nil, &Problem{ReasonNoMessages, f.Column, "an empty list of messages"}
	}
	out := make([]Message, len(f.Cell.Items))
	for i := range f.Cell.Items {
		m, bad := message(&f.Cell.Items[i], f.Sparse)
		if bad != nil {
			bad.Column, bad.Detail = f.Column, fmt.Sprintf("message %d: %s", i, bad.Detail)
			return nil, bad
		}
		out[i] = m
	}
	return out, nil
}

// Read reads the prompt and the two responses of a row, the responses without
// the prompt, whichever way the file holds them.
func (d *Dialogue) Read() (prompt, a, b Text, bad *Problem) {
	context, bad := d.Context.Read()
	if bad != nil {
		return prompt, a, b, bad
	}
	defer func() {
		if a.Messages != nil || prompt.Messages != nil {
			prompt.Context = context
		}
	}()
	given := d.Prompt.Cell.Kind != CellMissing
	if !given && d.Prompt.There() {
		return prompt, a, b, d.Prompt.Problem(ReasonMissingField, "the field is missing")
	}
	if given {
		if prompt, bad = d.Prompt.promptText(); bad != nil {
			return prompt, a, b, bad
		}
	}
	if a, bad = d.A.Text(); bad != nil {
		return prompt, a, b, bad
	}
	if b, bad = d.B.Text(); bad != nil {
		return prompt, a, b, bad
	}
	if (a.Messages == nil) != (b.Messages == nil) {
		return prompt, a, b, d.B.Problem(ReasonWrongType, "one response is text, the other is messages")
	}
	switch chat := a.Messages != nil; {
	case chat:
		prompt, a, b, bad = d.splitChat(prompt, a, b, given)
	case !given:
		prompt.Plain, a.Plain, b.Plain = splitTranscripts(a.Plain, b.Plain)
	case prompt.Messages != nil:
		a, b = assistant(a), assistant(b)
	}
	return prompt, a, b, bad
}

// promptText is Text, but that a prompt may be an empty list of messages.
func (f *Field) promptText() (Text, *Problem) {
	if f.Cell.Kind == CellMessages && len(f.Cell.Items) == 0 && (f.Kind == CellNull || f.Kind == CellMessages) {
		return Text{Messages: []Message{}}, nil
	}
	return f.Text()
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
func (d *Dialogue) splitChat(prompt, a, b Text, given bool) (Text, Text, Text, *Problem) {
	x, y := a.Messages, b.Messages
	switch p := prompt.Messages; {
	case p != nil:
		if beginsWith(x, p) && beginsWith(y, p) {
			x, y = x[len(p):], y[len(p):]
		}
	case given && x[0].Role == "assistant" && y[0].Role == "assistant":
		prompt = Text{Messages: []Message{{Role: "user", Content: prompt.Plain}}}
	default:
		n, bad := d.sharedPrompt(x, y)
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

// responsesFormat is String of comparisons, which have no chosen and rejected.
func responsesFormat(d *Dialogue) string {
	return strings.Replace(d.String(), "chosen/rejected", "responses", 1)
}
