package data

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Table is a file whose rows are to be scored, in order.
type Table struct {
	file   string
	src    Source
	fields *tableFields
	holds  tableKind
	media  media
}

// tableKind is what the rows of a table hold.
type tableKind uint8

const (
	tablePairs tableKind = iota
	tableResponses
	tableMessages
	tableTexts
)

// Record is one row to score.
type Record struct {
	Row         int          // from 0; for JSONL the line, from 1
	Unit        string       // what Row counts: "row" or "line"
	Completions []Completion // one; two for pairs: chosen, rejected; none with a Problem
	Finish      string       // finish_reason, where the file has it: why the model that wrote the response stopped
	Problem     string       // a Reason, where the row cannot be scored
	Detail      string       // the Problem in a sentence
}

// OpenTable opens a Parquet, JSON lines or CSV file to be scored. It needs the
// columns of a pair (any layout OpenPairs takes), or prompt and response, or
// messages, or text, sought in this order; columns maps them as
// ReadConfig.Columns does.
func OpenTable(file string, columns map[string]string) (*Table, error) {
	src, err := openSource(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	t := &Table{file: file, src: src}
	if err := t.find(columns); err != nil {
		src.Close()
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return t, nil
}

// tableFields are what rows to score are read from: those of a pair, and the
// layouts of one text.
type tableFields struct {
	*pairFields
	text, response, messages *Field
	finishReason             *Field
}

func newTableFields() *tableFields {
	return &tableFields{newPairFields(), &Field{Name: "text"}, &Field{Name: "response", Optional: true}, &Field{Name: "messages", Holds: HoldsMessages},
		&Field{Name: "finish_reason", Holds: HoldsAny, Optional: true}}
}

func (t *Table) find(columns map[string]string) (err error) {
	if t.media, err = findMedia(t.src, columns); err != nil {
		return err
	}
	columns = withoutMedia(columns)
	t.fields = newTableFields()
	f := t.fields
	all := append([]*Field{f.prompt, f.chosen, f.rejected, f.responseA, f.responseB, f.label, f.text, f.response, f.messages, f.finishReason, f.system, f.input, f.history}, f.context.Fields()...)
	f.alias(t.src, columns)
	if err := Resolve(all, columns, t.src); err != nil {
		return err
	}
	var wanted []*Field
	f.Dialogue = f.dialogue(f.chosen, f.rejected)
	switch {
	case HasColumns(t.src, f.chosen, f.rejected):
		wanted = f.parts()
	case HasColumns(t.src, f.prompt, f.responseA, f.responseB, f.label):
		f.labelled, f.Dialogue = true, f.dialogue(f.responseA, f.responseB)
		wanted = append(f.parts(), f.label)
	case HasColumns(t.src, f.prompt, f.response):
		t.holds, f.Dialogue = tableResponses, f.dialogue(f.response, f.response)
		wanted = f.parts()
	case HasColumns(t.src, f.messages):
		t.holds, wanted = tableMessages, append([]*Field{f.messages, f.system}, f.context.Fields()...)
	case HasColumns(t.src, f.text):
		t.holds, wanted = tableTexts, append([]*Field{f.text}, f.context.Fields()...)
	default:
		return fmt.Errorf("nothing to score: it needs text, or prompt and response, or messages, or a pair (chosen and rejected, or prompt, response_a, response_b and label); the columns are %s%s",
			List(columnNames(t.src)), cmp.Or(convertFirst(t.src), "; "+mapping(slices.DeleteFunc([]*Field{f.prompt, f.response}, func(f *Field) bool { return f.Column != "" && isColumn(t.src, f.Column) }), t.src)))
	}
	first := convertFirst(t.src)
	if first != "" && len(columns) == 0 && t.holds == tablePairs {
		return fmt.Errorf("its rows are more than prompt, chosen and rejected%s", first)
	}
	if first != "" && len(columns) == 0 && (t.holds == tableMessages || t.holds == tableTexts) {
		return fmt.Errorf("one column of several that belong together would be scored%s; or name what is to be scored with --columns", first)
	}
	if t.holds == tablePairs && !f.labelled {
		said, err := f.findPrompt(t.src, columns)
		if err != nil {
			return err
		}
		f.note(said)
	}
	if t.holds != tableTexts {
		f.note(f.findSystem(t.src, columns))
	}
	f.Promptless = f.prompt.Column == "" && hasKey(columns, "prompt")
	if err := CheckTypes(wanted, t.src); err != nil {
		return err
	}
	wanted = append(append(wanted, f.finishReason), t.media...)
	f.note(strings.Replace(ignored(unreadColumns(t.src, wanted)), "columns ignored: ", "columns kept in the output, but not scored: ", 1))
	if err := f.Alike(); err != nil {
		return err
	}
	if t.holds == tablePairs || t.holds == tableResponses {
		said, err := f.findRepeated(t.file)
		if err != nil {
			return err
		}
		f.note(said)
	}
	return t.src.Choose(wanted)
}

// convertFirst says what to do about a file of a known layout, and nothing of
// others.
func convertFirst(src Source) string {
	if l, _ := findLayout(src, ReadConfig{}); l != nil {
		return fmt.Sprintf("; it looks like %s: make pairs of it first with laurel convert --from %s", l.name, l.name)
	}
	return ""
}

// Notes say what a reader of the file should know: which columns were taken
// for the prompt, and which are ignored.
func (t *Table) Notes() []string { return t.fields.notes }

// Pairs reports whether every record has two completions.
func (t *Table) Pairs() bool { return t.holds == tablePairs }

// Prompts reports whether its responses are responses to prompts.
func (t *Table) Prompts() bool { return t.holds != tableTexts }

// PerRow is how many completions a row has: 1, for pairs 2.
func (t *Table) PerRow() int {
	if t.Pairs() {
		return 2
	}
	return 1
}

// NoScores are the scores of a row that has a Problem: its reason.
func (t *Table) NoScores(problem string) []Score {
	return slices.Repeat([]Score{{Reason: problem}}, t.PerRow())
}

// File is the path that the table was opened from.
func (t *Table) File() string { return t.file }

// NumRows is the number of rows in the file, -1 where only reading tells.
func (t *Table) NumRows() int64 { return t.src.NumRows() }

// Close closes the file.
func (t *Table) Close() error { return t.src.Close() }

// Next returns the next row, io.EOF after the last. A row that cannot be
// scored is a Record with a Problem; only a damaged file is an error.
func (t *Table) Next() (Record, error) {
	place, bad, err := t.src.Next()
	if err == io.EOF {
		return Record{}, io.EOF
	}
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", t.file, err)
	}
	rec := Record{Row: place, Unit: t.src.Unit()}
	if finish := &t.fields.finishReason.Cell; finish.Kind == CellText {
		rec.Finish = finish.Text
	}
	if bad == nil {
		bad = t.media.check()
	}
	if bad == nil {
		rec.Completions, bad = t.completions()
	}
	if bad != nil {
		rec.Completions = nil
		rec.Problem, rec.Detail = string(bad.Reason), bad.at(t.file, t.src.Unit(), place).Error()
	}
	return rec, nil
}

func (t *Table) completions() ([]Completion, *Problem) {
	f := t.fields
	switch t.holds {
	case tablePairs:
		p, _, bad := f.texts()
		return []Completion{{Prompt: p.Prompt, Response: p.Chosen}, {Prompt: p.Prompt, Response: p.Rejected}}, bad
	}
	c, bad := t.completion()
	if bad == nil && c.Response.Messages != nil {
		c.Prompt.Context, bad = f.context.Read()
	}
	return []Completion{c}, bad
}

// completion is the one text of a row.
func (t *Table) completion() (Completion, *Problem) {
	f := t.fields
	switch {
	case t.holds == tableResponses:
		return f.answer()
	case t.holds == tableMessages:
		c, bad := conversation(f.messages)
		if bad == nil {
			c.Prompt, c.Response, _, bad = f.withSystem(c.Prompt, c.Response, c.Response)
		}
		return c, bad
	case f.text.Cell.Kind == CellMessages:
		return conversation(f.text)
	}
	text, bad := f.text.Text()
	return Completion{Response: text, IsText: true}, bad
}

// answer reads prompt and response; where one is messages, both become so.
func (f *tableFields) answer() (c Completion, bad *Problem) {
	if c.Prompt, _, bad = f.Dialogue.prompt(Text{}, Text{}); bad != nil {
		return c, bad
	}
	if c.Response, bad = f.response.Text(); bad != nil {
		return c, bad
	}
	prompt, answer := c.Prompt.Messages, c.Response.Messages
	switch {
	case f.repeated && prompt == nil && answer == nil && c.Prompt.begins(c.Response.Plain):
		c.Response.Plain = c.Response.Plain[len(c.Prompt.Plain):]
	case prompt != nil && answer == nil:
		c.Response = assistant(c.Response)
	case prompt == nil && answer != nil:
		c.Prompt = Text{Messages: []Message{{Role: "user", Content: c.Prompt.Plain}}}
	case prompt != nil && beginsWith(answer, prompt):
		c.Response.Messages = answer[len(prompt):]
	}
	if f.system.There() {
		c.Prompt, c.Response, _, bad = f.withSystem(c.Prompt, c.Response, c.Response)
	}
	return c, bad
}

// conversation cuts messages into a prompt and the last turn, the response.
func conversation(f *Field) (c Completion, bad *Problem) {
	all, bad := f.Text()
	if bad != nil {
		return c, bad
	}
	m := all.Messages
	if m == nil {
		return c, f.Problem(ReasonWrongType, "text where messages should be")
	}
	last := len(m) - 1
	if m[last].Role != "assistant" {
		return c, f.Problem(ReasonLastTurn, "ends with a %s turn; a response must end with the assistant's", m[last].Role)
	}
	return Completion{Prompt: Text{Messages: m[:last:last]}, Response: Text{Messages: m[last:]}}, nil
}
