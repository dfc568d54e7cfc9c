package data

import (
	"errors"
	"io"
	"iter"
	"strings"
)

// Prompt is a conversation that waits for the assistant's answer.
type Prompt struct {
	ID       string    // the file's, or row:N
	Messages []Message // the last is not the assistant's
	Context  Context   // tools and variables of the chat template
	Response string    // an answer that the file gives, without white space around it; empty where there is none
	Subset   string
	File     string
	Row      int // from 0; for JSONL the line, from 1
}

// Key stands for the texts, tools and template variables: prompts of equal ones are
// one, whatever their ids.
func (p Prompt) Key() TextKey {
	return KeyOf(Text{Messages: p.Messages, Context: p.Context}, Text{}, Text{})
}

// promptFields are what a prompt is read from. source stands in where the file
// has no subset.
type promptFields struct {
	prompt, response, subset, source, id *Field
	context                              *ContextFields
}

func newPromptFields() *promptFields {
	return &promptFields{
		prompt:   &Field{Name: "prompt", Optional: true},
		response: &Field{Name: "response", Optional: true},
		subset:   &Field{Name: "subset", Holds: HoldsName, Optional: true},
		source:   &Field{Name: "source", Holds: HoldsName, Optional: true},
		id:       &Field{Name: "id", Holds: HoldsName, Optional: true},
		context:  NewContextFields(),
	}
}

// find finds the columns of a file of prompts.
func (p *promptFields) find(src Source, cfg ReadConfig) ([]*Field, error) {
	fields := append([]*Field{p.prompt, p.response, p.subset, p.source, p.id}, p.context.Fields()...)
	if err := Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	preferSubset(p.subset, p.source, src)
	if err := Require(fields[:1], src, "prompts are prompt, and response where there is an answer to begin with"); err != nil {
		return nil, err
	}
	if err := CheckTypes(fields, src); err != nil {
		return nil, err
	}
	if p.response.Column != "" && !p.response.There() {
		p.response.Kind = CellNull // JSON lines of which only later ones have it
	}
	return fields, nil
}

// ReadPrompts yields the prompts of the files, with the answers that the files
// give, and stops after the first error. Plain text is the user's turn, or the
// turns of an HH transcript. Ids are as in ReadComparisons; what became of the
// rows is added to counts, which may be nil.
func ReadPrompts(files []string, cfg ReadConfig, counts *Counts) iter.Seq2[Prompt, error] {
	return func(yield func(Prompt, error) bool) {
		ids := givenIDs{seen: map[[16]byte]idPlace{}, files: files}
		for i := range files {
			if !ids.readPrompts(i, cfg, counts, yield) {
				return
			}
		}
		if len(files) == 0 {
			yield(Prompt{}, errors.New("read prompts: no files"))
		}
	}
}

func (g *givenIDs) readPrompts(at int, cfg ReadConfig, counts *Counts, yield func(Prompt, error) bool) (more bool) {
	fields := newPromptFields()
	r, err := OpenRows("prompts", g.files[at], cfg, counts, fields.find)
	if err != nil {
		yield(Prompt{}, err)
		return false
	}
	defer r.Close()
	g.units = append(g.units, r.Unit())
	for {
		var p Prompt
		id, place, err := g.identify(r, at, fields.id, func() (_ string, bad *Problem) {
			p, bad = fields.read()
			return p.ID, bad
		})
		if err == io.EOF {
			return true
		}
		p.ID, p.File, p.Row = id, r.file, place
		if !yield(p, err) || err != nil {
			return false
		}
	}
}

// read checks a row and makes a prompt of it.
func (p *promptFields) read() (out Prompt, bad *Problem) {
	text, bad := p.prompt.promptText()
	if bad != nil {
		return out, bad
	}
	if out.Messages, bad = waiting(text, p.prompt.Column); bad != nil {
		return out, bad
	}
	if out.Response, bad = p.given(out.Messages); bad != nil {
		return out, bad
	}
	if out.Context, bad = p.context.Read(); bad != nil {
		return out, bad
	}
	return out, Words(Word{p.source, &out.Subset}, Word{p.subset, &out.Subset}, Word{p.id, &out.ID})
}

// waiting is a prompt as messages of which the last waits for an answer.
func waiting(prompt Text, column string) ([]Message, *Problem) {
	m := prompt.Turns()
	switch {
	case len(m) == 0 || !m[len(m)-1].Says():
		return nil, &Problem{ReasonEmptyPrompt, column, "the prompt, or its last turn, is empty or only white space"}
	case m[len(m)-1].Role == "assistant":
		return nil, &Problem{ReasonAnswered, column, "ends with the assistant's turn: a prompt ends with the turn to be answered"}
	}
	return m, nil
}

// Turns are the messages of a prompt: its own, or those that plain text stands
// for, as in ReadPrompts.
func (t Text) Turns() []Message {
	if t.Messages != nil {
		return t.Messages
	}
	return plainTurns(t.Plain)
}

// plainTurns are the turns of an HH transcript, "\n\nHuman: …\n\nAssistant:",
// or else the text as one turn of the user.
func plainTurns(text string) []Message {
	const human, assistant = "\n\nHuman:", "\n\nAssistant:"
	body, ends := strings.CutSuffix(strings.TrimRight(text, " \n"), assistant)
	if !ends || !strings.HasPrefix(body, human) {
		return []Message{{Role: "user", Content: text}}
	}
	var turns []Message
	for body != "" {
		role, rest := "user", ""
		var ok bool
		if rest, ok = strings.CutPrefix(body, human); !ok {
			role, rest = "assistant", strings.TrimPrefix(body, assistant)
		}
		end := len(rest)
		for _, marker := range []string{human, assistant} {
			if at := strings.Index(rest, marker); at >= 0 {
				end = min(end, at)
			}
		}
		turns = append(turns, Message{Role: role, Content: strings.TrimSpace(rest[:end])})
		body = rest[end:]
	}
	return turns
}

// given is the answer that a row gives, alone or after the prompt; a null or
// blank one is none.
func (p *promptFields) given(prompt []Message) (string, *Problem) {
	if p.response.Cell.Absent() {
		return "", nil
	}
	response, bad := p.response.Text()
	if bad != nil {
		return "", bad
	}
	m := response.Messages
	if m == nil {
		return strings.TrimSpace(response.Plain), nil
	}
	if beginsWith(m, prompt) {
		m = m[len(prompt):]
	}
	if len(m) != 1 || m[0].Role != "assistant" {
		return "", p.response.Problem(ReasonWrongType, "%d messages where the assistant's answer alone should be", len(m))
	}
	return strings.TrimSpace(m[0].Content), nil
}
