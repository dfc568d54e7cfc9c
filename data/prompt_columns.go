package data

import (
	"fmt"
	"slices"
	"strings"
)

// promptColumns are the names under which files of pairs keep what we call
// prompt. One that is a conversation is read as the turns before the response.
// task, title and the like are none: in most files they name a kind of prompts.
var promptColumns = []string{"instruction", "question", "query", "input", "post", "context", "history", "conversation", "conversations",
	"messages", "user", "user_input", "user_prompt", "user_message", "prompt_text", "prompts", "problem", "request", "dialogue", "dialog",
	"document", "article", "source_text", "human", "utterance", "passage", "text", "content"}

// findPrompt looks for the prompt of a file that has no such column, and for
// what belongs to it: instruction with input (LLaMA-Factory, alpaca), the turns
// before. It says what it found; where two columns might be the prompt it is an
// error that names them.
func (d *Dialogue) findPrompt(src Source, mapping map[string]string) (said string, err error) {
	_, named := mapping[d.Prompt.Name]
	if _, there := findColumn(src, d.Prompt.Column); there || named {
		return "", nil
	}
	found := d.candidates(src)
	if slices.Contains(found, "instruction") {
		found = d.attach(&d.Input.Column, "input", src, found)
	}
	if len(found) > 1 || !slices.Contains(found, "history") {
		found = d.attach(&d.History.Column, "history", src, found)
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", fmt.Errorf("no column prompt, and %s may be it: name one with --columns prompt=%s (data.columns: {prompt: %s}); another that follows it after a line break with --columns input=COLUMN",
			strings.Join(found, ", "), found[0], found[0])
	}
	d.Prompt.Column, d.Guessed = found[0], true
	if a, ok := findColumn(src, d.A.Column); ok {
		d.chats = a.Kind == CellMessages
	}
	return d.said(), nil
}

// attach reads a column that goes with the prompt, unless another was named
// for that, or none; it is then no prompt itself.
func (d *Dialogue) attach(column *string, name string, src Source, found []string) []string {
	c, there := findColumn(src, name)
	if !there || *column != "" || name == "history" && c.Kind == CellText || len(found) == 0 {
		return found
	}
	*column = name
	return slices.DeleteFunc(found, func(candidate string) bool { return candidate == name })
}

// candidates are the columns that may hold the prompt: texts or turns.
func (d *Dialogue) candidates(src Source) (found []string) {
	for _, c := range promptLike(src) {
		name := c.Name
		if slices.Contains([]string{d.Input.Column, d.History.Column, d.A.Column, d.B.Column}, name) {
			continue
		}
		switch c.Kind {
		case CellText, CellMessages:
			found = append(found, name)
		case CellNull: // CSV, which has only text; or nothing but nulls
			if c.What == "text" {
				found = append(found, name)
			}
		case CellList:
			if name == "history" {
				found = append(found, name)
			}
		}
	}
	return append(found, d.otherTurns(src)...)
}

// promptLike are the columns of these names, and of prompt, whatever the letter
// case: spreadsheets begin theirs with a capital.
func promptLike(src Source) (columns []Column) {
	for _, name := range append([]string{"prompt"}, promptColumns...) {
		for _, c := range src.Columns() {
			if strings.EqualFold(c.Name, name) {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

// otherTurns are the columns of turns, whatever their name, beside responses that
// are texts: what but the prompt could they be?
func (d *Dialogue) otherTurns(src Source) (found []string) {
	if a, ok := findColumn(src, d.A.Column); !ok || a.Kind != CellText {
		return nil
	}
	for _, c := range src.Columns() {
		if c.Kind == CellMessages && !slices.Contains(promptColumns, c.Name) && !slices.Contains([]string{d.A.Column, d.B.Column, d.History.Column}, c.Name) {
			found = append(found, c.Name)
		}
	}
	return found
}

// said names the columns that were taken for the prompt.
func (d *Dialogue) said() string {
	said := "the prompt is read from " + d.Prompt.Column
	if d.chats {
		said = "the prompt is read from " + d.Prompt.Column + ", where the responses do not hold the whole conversation"
	}
	if d.Input.Column != "" {
		said += ", a line break and " + d.Input.Column + " where that is not empty"
	}
	if d.History.Column != "" {
		said += ", after the turns of " + d.History.Column
	}
	return said
}
