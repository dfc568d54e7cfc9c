package data

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Dialogue is the fields that hold a prompt and two responses to it. What
// else belongs to the prompt may be in columns of their own: nil where a
// record kind has no such fields.
type Dialogue struct {
	Prompt, A, B *Field
	Input        *Field // follows the prompt after a line break, where it is not empty
	System       *Field // the system message
	History      *Field // the turns before the prompt
	Context      *ContextFields

	Guessed    bool // nobody has named the prompt's column
	Promptless bool // texts without a prompt are no mistake
	chats      bool // the responses are messages
	repeated   bool // texts that begin with their prompt repeat it

	context    Context // of the row read last
	paragraphs int     // rows whose texts have no prompt but the same first paragraph
}

// Fields are those of prompt and responses, these first, and of their context.
func (d *Dialogue) Fields() []*Field {
	return append([]*Field{d.Prompt, d.A, d.B}, d.Context.Fields()...)
}

// Chat reports whether the rows become messages.
func (d *Dialogue) Chat() bool {
	return d.A.Kind == CellMessages || d.Prompt.Kind == CellMessages || d.turned()
}

// turned reports whether the columns beside the prompt make messages of it.
func (d *Dialogue) turned() bool {
	return d.System != nil && d.System.There() || d.History != nil && d.History.There()
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
	case !prompt && d.Promptless:
		return "responses without a prompt (chosen/rejected text)"
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
		return &Problem{ReasonUTF8, column, fmt.Sprintf("invalid UTF-8 at byte %d (%x): write the file as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8, where that is what it is in)", at, s[at:min(at+4, len(s))])}
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

// shareGPTRoles are what ShareGPT's files call the roles, as LLaMA-Factory and
// axolotl read them.
var shareGPTRoles = map[string]string{"human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant",
	"bot": "assistant"}

// toolRoles are what LLaMA-Factory and ms-swift call the turns that call tools,
// with the JSON of the calls as their content, and those that answer.
var toolRoles = map[string]string{"function_call": "assistant", "tool_call": "assistant", "observation": "tool", "tool_response": "tool"}

// Read reads the prompt and the two responses of a row, the responses without
// the prompt, whichever way the file holds them.
func (d *Dialogue) Read() (prompt, a, b Text, bad *Problem) {
	if d.context, bad = d.Context.Read(); bad != nil {
		return prompt, a, b, bad
	}
	defer func() {
		if a.Messages != nil || prompt.Messages != nil {
			prompt.Context = d.context
		}
	}()
	if a, bad = d.A.Text(); bad != nil {
		return prompt, a, b, bad
	}
	if b, bad = d.B.Text(); bad != nil {
		return prompt, a, b, bad
	}
	if a.messagesAsText() && b.messagesAsText() {
		return prompt, a, b, d.A.Problem(ReasonWrongType, messagesAsText)
	}
	if (a.Messages == nil) != (b.Messages == nil) {
		return prompt, a, b, d.B.Problem(ReasonWrongType, "one response is text, the other is messages")
	}
	prompt, given, bad := d.prompt(a, b)
	if bad != nil {
		return prompt, a, b, bad
	}
	switch chat := a.Messages != nil; {
	case chat:
		prompt, a, b, bad = d.splitChat(prompt, a, b, given)
	case !given:
		if prompt, a, b, bad = d.splitTranscripts(a.Plain, b.Plain); d.turned() {
			prompt, a.Plain, b.Plain = prompt.turns(), strings.TrimSpace(a.Plain), strings.TrimSpace(b.Plain)
		}
	case prompt.Messages != nil:
		a, b = assistant(a), assistant(b)
	case (d.repeated || strings.Contains(prompt.Plain, "\n\nAssistant:")) && prompt.begins(a.Plain) && prompt.begins(b.Plain):
		a.Plain, b.Plain = a.Plain[len(prompt.Plain):], b.Plain[len(prompt.Plain):]
	case whole(a) && whole(b) && a.holds(prompt) && b.holds(prompt): // transcripts beside their last question
		prompt, a, b, bad = d.splitTranscripts(a.Plain, b.Plain)
	}
	if bad == nil && d.System != nil {
		prompt, a, b, bad = d.withSystem(prompt, a, b)
	}
	return prompt, a, b, bad
}

// prompt reads the prompt, where the row gives one beside its responses. A
// column that nobody has named is none where the responses hold the whole
// conversation, which must have in it what stands there.
func (d *Dialogue) prompt(a, b Text) (prompt Text, given bool, bad *Problem) {
	if d.Prompt.Cell.Kind == CellMissing && d.Prompt.There() {
		return prompt, false, d.Prompt.Problem(ReasonMissingField, "the field is missing")
	}
	if d.Prompt.Cell.Kind == CellMissing {
		return prompt, false, nil
	}
	if d.Guessed && whole(a) && whole(b) {
		return prompt, false, d.kept(a, b)
	}
	if prompt, bad = d.Prompt.promptText(); bad != nil {
		return prompt, true, bad
	}
	if prompt.messagesAsText() {
		return prompt, true, d.Prompt.Problem(ReasonWrongType, messagesAsText)
	}
	if m := prompt.Messages; d.Guessed && len(m) > 0 && m[len(m)-1].Role == "assistant" {
		return prompt, true, d.Prompt.Problem(ReasonAnswered, "ends with the assistant's turn, so it is no prompt for other responses: take that turn off in the file, or name another column with --columns prompt=COLUMN")
	}
	if d.Input != nil && !d.Input.Cell.Absent() {
		input, bad := d.Input.Text()
		if bad != nil {
			return prompt, true, bad
		}
		prompt.Plain = lines(prompt.Plain, input.Plain)
	}
	if d.History != nil && !d.History.Cell.Absent() {
		turns, bad := d.History.turns()
		if bad != nil {
			return prompt, true, bad
		}
		prompt = Text{Messages: append(turns, prompt.asTurns()...)}
	}
	return prompt, true, nil
}

const messagesAsText = "text that is a list of messages written out: write the list itself, in JSON lines or Parquet"

// messagesAsText reports whether a text is messages as JSON or as Python
// writes them, as CSV files of conversations have them.
func (t Text) messagesAsText() bool {
	list := strings.TrimSpace(t.Plain)
	if !strings.HasPrefix(list, "[") || !strings.HasSuffix(list, "]") {
		return false
	}
	first := strings.TrimLeft(list[1:min(len(list), 40)], " \n")
	for _, key := range []string{"role", "content", "from", "value"} {
		if strings.HasPrefix(first, "{\""+key+"\":") || strings.HasPrefix(first, "{'"+key+"':") {
			return true
		}
	}
	return false
}

// whole reports whether a response holds the conversation before it, too.
func whole(response Text) bool {
	if m := response.Messages; m != nil {
		return m[0].Role != "assistant"
	}
	return strings.HasPrefix(response.Plain, "\n\nHuman:")
}

// lines joins what is not empty by line breaks.
func lines(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n")
}

// asTurns are the messages, or the text as the user's.
func (t Text) asTurns() []Message {
	if t.Messages != nil {
		return t.Messages
	}
	return []Message{{Role: "user", Content: t.Plain}}
}

// turns are the turns of a history: messages, or LLaMA-Factory's pairs of what
// the user said and what was answered.
func (f *Field) turns() ([]Message, *Problem) {
	if f.Cell.Kind == CellMessages && (len(f.Cell.Items) == 0 || f.Cell.Items[0].Kind == CellObject) {
		if len(f.Cell.Items) == 0 {
			return nil, nil
		}
		return f.Messages()
	}
	var out []Message
	for i, pair := range f.Cell.Items {
		if len(pair.Items) != 2 || pair.Items[0].Kind != CellText || pair.Items[1].Kind != CellText {
			return nil, f.Problem(ReasonWrongType, "turn %d is %s where a list of two texts should be, the user's and the answer", i, pair.describe())
		}
		for j, role := range []string{"user", "assistant"} {
			if bad := characters(pair.Items[j].Text, f.Column); bad != nil {
				return nil, bad
			}
			out = append(out, Message{Role: role, Content: pair.Items[j].Text})
		}
	}
	if f.Cell.Kind != CellList {
		return nil, f.Problem(ReasonWrongType, "%s where a list of turns should be", f.Cell.describe())
	}
	return out, nil
}

// asTurns makes messages of a pair of texts. Texts that hold their prompt in
// themselves cannot be cut into turns.
func (d *Dialogue) asTurns(p *Pair) *Problem {
	if p.Prompt.Plain == "" {
		return d.A.Problem(ReasonNoPrompt, "there is no prompt to make the user's turn of, so no messages can be made of these texts")
	}
	p.Prompt = p.Prompt.turns()
	p.Prompt.Context = d.context
	for _, response := range []*Text{&p.Chosen, &p.Rejected} {
		*response = assistant(Text{Plain: strings.TrimSpace(response.Plain)})
	}
	return nil
}

// turns are the turns of an HH transcript, or the text as one of the user;
// messages stay.
func (t Text) turns() Text {
	if t.Messages == nil && t.Plain != "" {
		t.Messages, t.Plain = plainTurns(t.Plain), ""
		for i := range t.Messages {
			t.Messages[i].Content = strings.TrimSpace(t.Messages[i].Content)
		}
	}
	return t
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
// prompt is empty: transcripts that share none, and texts that begin with the
// same paragraphs, hold it in themselves. Others have lost their prompt.
func (d *Dialogue) splitTranscripts(a, b string) (prompt, restA, restB Text, bad *Problem) {
	const marker = "\n\nAssistant:"
	shared := 0
	for shared < min(len(a), len(b)) && a[shared] == b[shared] {
		shared++
	}
	if cut := strings.LastIndex(a[:shared], marker); cut >= 0 {
		cut += len(marker)
		return Text{Plain: a[:cut]}, Text{Plain: a[cut:]}, Text{Plain: b[cut:]}, nil
	}
	transcripts := strings.Contains(a, marker) && strings.Contains(b, marker)
	paragraph := strings.LastIndex(a[:shared], "\n\n")
	if !d.Promptless && !transcripts && (paragraph < 0 || strings.TrimSpace(a[:paragraph]) == "") {
		return prompt, restA, restB, d.A.Problem(ReasonNoPrompt,
			"there is no prompt: no column is known to hold it, and the texts are no transcripts (\"\\n\\nHuman: … \\n\\nAssistant: …\"); name its column with --columns prompt=COLUMN (data.columns: {prompt: COLUMN}), or say with --columns prompt= that there is none")
	}
	if !d.Promptless && !transcripts {
		d.paragraphs++
	}
	return prompt, Text{Plain: a}, Text{Plain: b}, nil
}

// responsesFormat is String of comparisons, which have no chosen and rejected.
func responsesFormat(d *Dialogue) string {
	return strings.Replace(d.String(), "chosen/rejected", "responses", 1)
}
