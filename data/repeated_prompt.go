package data

import (
	"fmt"
	"io"
	"strings"
)

// repeatedRows are the rows by which it is judged whether responses repeat their
// prompt.
const repeatedRows = 100

// findRepeated looks at the first rows of a file of texts: where in most of them
// both responses begin with the whole prompt, it is taken off them, so that it
// stands once. It says how many do, "" where none does.
func (d *Dialogue) findRepeated(file string) (said string, err error) {
	if !d.Prompt.There() || d.Prompt.Kind == CellMessages || d.A.Kind == CellMessages {
		return "", nil
	}
	src, err := openSource(file)
	if err != nil {
		return "", err
	}
	defer src.Close()
	if err := src.Choose(d.parts()); err != nil {
		return "", err
	}
	rows, repeating := 0, 0
	for rows < repeatedRows {
		_, bad, err := src.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", nil // the reading of the file says so, and where
		}
		prompt, _, _ := d.prompt(Text{}, Text{})
		if bad != nil || prompt.blank() || prompt.Messages != nil {
			continue
		}
		if rows++; prompt.begins(d.A.Cell.Text) && prompt.begins(d.B.Cell.Text) {
			repeating++
		}
	}
	return d.judgeRepeated(repeating, rows), nil
}

func (d *Dialogue) judgeRepeated(repeating, rows int) string {
	switch d.repeated = 2*repeating > rows; {
	case repeating == 0:
		return ""
	case d.repeated:
		return fmt.Sprintf("in %d of the first %d rows the responses begin with the whole prompt: it is taken off those that do, and stands once", repeating, rows)
	}
	return fmt.Sprintf("in %d of the first %d rows the responses begin with the whole prompt: as most do not, it stands twice there", repeating, rows)
}

// parts are the fields that prompt and responses are read from.
func (d *Dialogue) parts() []*Field {
	parts := d.Fields()
	for _, f := range []*Field{d.Input, d.System, d.History} {
		if f != nil {
			parts = append(parts, f)
		}
	}
	return parts
}

// begins reports whether a response is the text and something after it.
func (t Text) begins(response string) bool {
	return t.Plain != "" && len(response) > len(t.Plain) && strings.HasPrefix(response, t.Plain)
}
