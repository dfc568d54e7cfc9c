package data

import (
	"fmt"
	"io"
)

// Table is a file whose rows are to be scored, in order.
type Table struct {
	file    string
	src     source
	shape   shape
	holds   tableKind
	row     row
	records int
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
	Completions []Completion // one; two for pairs: chosen, rejected; none with a Problem
	Problem     string       // a Reason, where the row cannot be scored
	Detail      string       // the Problem in a sentence
	index       int          // records before this one
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

func (t *Table) find(columns map[string]string) error {
	n, err := resolve(columns, []field{fieldPrompt, fieldChosen, fieldRejected, fieldResponseA, fieldResponseB,
		fieldLabel, fieldText, fieldResponse, fieldMessages}, t.src)
	if err != nil {
		return err
	}
	has := func(fields ...field) bool {
		for _, f := range fields {
			if _, ok := findColumn(t.src, n[f]); !ok {
				return false
			}
		}
		return true
	}
	var wanted []field
	switch {
	case has(fieldChosen, fieldRejected):
		wanted = []field{fieldPrompt, fieldChosen, fieldRejected}
	case has(fieldPrompt, fieldResponseA, fieldResponseB, fieldLabel):
		wanted = []field{fieldPrompt, fieldResponseA, fieldResponseB, fieldLabel}
		t.shape.labelled = true
	case has(fieldPrompt, fieldResponse):
		t.holds, wanted = tableResponses, []field{fieldPrompt, fieldResponse}
	case has(fieldMessages):
		t.holds, wanted = tableMessages, []field{fieldMessages}
	case has(fieldText):
		t.holds, wanted = tableTexts, []field{fieldText}
	default:
		return fmt.Errorf("nothing to score: it needs text, or prompt and response, or messages, or a pair (chosen and rejected, or prompt, response_a, response_b and label); the columns are %s",
			list(columnNames(t.src)))
	}
	for _, f := range wanted {
		t.shape.names[f] = n[f]
	}
	if err := t.shape.types(t.src); err != nil {
		return err
	}
	return t.src.choose(t.shape.names)
}

// Pairs reports whether every record has two completions.
func (t *Table) Pairs() bool { return t.holds == tablePairs }

// File is the path that the table was opened from.
func (t *Table) File() string { return t.file }

// NumRows is the number of rows in the file, -1 where only reading tells.
func (t *Table) NumRows() int64 { return t.src.numRows() }

// Close closes the file.
func (t *Table) Close() error { return t.src.Close() }

// Next returns the next row, io.EOF after the last. A row that cannot be
// scored is a Record with a Problem; only a damaged file is an error.
func (t *Table) Next() (Record, error) {
	place, bad, err := t.src.next(&t.row)
	if err == io.EOF {
		return Record{}, io.EOF
	}
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", t.file, err)
	}
	rec := Record{Row: place, index: t.records}
	t.records++
	if bad == nil {
		rec.Completions, bad = t.completions()
	}
	if bad != nil {
		rec.Completions = nil
		rec.Problem, rec.Detail = string(bad.reason), bad.at(t.file, t.src.unit(), place).Error()
	}
	return rec, nil
}

func (t *Table) completions() ([]Completion, *problem) {
	switch t.holds {
	case tablePairs:
		p, _, bad := t.shape.texts(&t.row)
		return []Completion{{Prompt: p.Prompt, Response: p.Chosen}, {Prompt: p.Prompt, Response: p.Rejected}}, bad
	case tableResponses:
		c, bad := t.response()
		return []Completion{c}, bad
	case tableMessages:
		c, bad := t.conversation(fieldMessages)
		return []Completion{c}, bad
	}
	if t.row[fieldText].kind == cellTurns {
		c, bad := t.conversation(fieldText)
		return []Completion{c}, bad
	}
	text, bad := t.shape.text(&t.row, fieldText)
	return []Completion{{Response: text, IsText: true}}, bad
}

// response reads prompt and response; where one is messages, both become so.
func (t *Table) response() (c Completion, bad *problem) {
	if c.Prompt, bad = t.shape.text(&t.row, fieldPrompt); bad != nil {
		return c, bad
	}
	if c.Response, bad = t.shape.text(&t.row, fieldResponse); bad != nil {
		return c, bad
	}
	prompt, answer := c.Prompt.Messages, c.Response.Messages
	switch {
	case prompt != nil && answer == nil:
		c.Response = assistant(c.Response)
	case prompt == nil && answer != nil:
		c.Prompt = Text{Messages: []Message{{Role: "user", Content: c.Prompt.Plain}}}
	case prompt != nil && beginsWith(answer, prompt):
		c.Response.Messages = answer[len(prompt):]
	}
	return c, nil
}

// conversation cuts messages into a prompt and the last turn, the response.
func (t *Table) conversation(f field) (c Completion, bad *problem) {
	all, bad := t.shape.text(&t.row, f)
	if bad != nil {
		return c, bad
	}
	m := all.Messages
	if m == nil {
		return c, &problem{ReasonWrongType, t.shape.names[f], "text where messages should be"}
	}
	last := len(m) - 1
	if m[last].Role != "assistant" {
		return c, &problem{ReasonLastTurn, t.shape.names[f], fmt.Sprintf("ends with a %s turn; a response must end with the assistant's", m[last].Role)}
	}
	return Completion{Prompt: Text{Messages: m[:last:last]}, Response: Text{Messages: m[last:]}}, nil
}
