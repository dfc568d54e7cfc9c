package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Field is one value that a record kind reads from its rows. Every kind has
// its own set of them; a Source fills their cells.
type Field struct {
	Name     string // and the column it is read from, unless another is mapped
	Holds    Holds
	Optional bool              // looked for in every JSON object, even where the first ones lack it
	Mapped   bool              // read only where a column is mapped to it
	Values   map[string]string // of HoldsSide: a, b and tie as the file writes them; nil: as we do

	Sparse bool // nulls inside of its values stand for nothing, as in the structs of Parquet

	Column string   // the column read; empty for none
	Kind   CellKind // CellText or CellMessages; CellNull where unknown, CellMissing without column
	Cell   Cell     // of the row read last
}

// Holds is what the values of a field may be.
type Holds uint8

// What a field may hold.
const (
	HoldsText     Holds = iota // a part of a dialogue: text, or messages
	HoldsMessages              // messages alone
	HoldsNumber
	HoldsName // names something: text, or a number taken as text
	HoldsSide // a, b or tie
	HoldsList // of whatever
	HoldsAny  // whatever the file has; who reads it checks it
)

// refuses returns what the field wants, where it cannot take the kind.
func (f *Field) refuses(kind CellKind) string {
	text, number, messages := kind == CellText, kind == CellNumber, kind == CellMessages
	switch {
	case kind == CellNull:
		return ""
	case f.Holds == HoldsNumber && !number:
		return "a number"
	case f.Holds == HoldsMessages && !messages:
		return "messages (a list of role and content)"
	case f.Holds == HoldsText && !text && !messages:
		return "text or messages (a list of role and content)"
	case f.Holds == HoldsSide && !text && f.Values == nil:
		return "text (a, b or tie); map its values with --label-values a=…,b=…"
	case f.Holds == HoldsList && !messages && kind != CellList:
		return "a list"
	case f.Holds == HoldsName && !text && !number:
		return "text or a number"
	}
	return ""
}

// There reports whether the file has a column for the field.
func (f *Field) There() bool { return f.Kind != CellMissing }

// Drop stops reading fields that a file's layout does not use.
func Drop(fields ...*Field) {
	for _, f := range fields {
		f.Column = ""
	}
}

// Problem is a problem of this field's cell.
func (f *Field) Problem(reason Reason, format string, args ...any) *Problem {
	return &Problem{reason, f.Column, fmt.Sprintf(format, args...)}
}

// Text checks a part of a dialogue and returns it: plain text, or messages.
func (f *Field) Text() (Text, *Problem) {
	c := &f.Cell
	if c.isMessage() {
		*c = Cell{Kind: CellMessages, Items: []Cell{*c}}
	}
	switch {
	case c.Kind == CellMissing:
		return Text{}, f.Problem(ReasonMissingField, "the field is missing")
	case c.Kind == CellNull:
		return Text{}, f.Problem(ReasonNullText, "null where text should be")
	case c.Kind != CellText && c.Kind != CellMessages:
		return Text{}, f.Problem(ReasonWrongType, "%s where text or messages should be%s", c.describe(), f.inside())
	case f.Kind != CellNull && f.Kind != c.Kind:
		return Text{}, f.Problem(ReasonWrongType, "%s, unlike the rows before", c.describe())
	case c.Kind == CellMessages:
		messages, bad := f.Messages()
		return Text{Messages: messages}, bad
	default:
		return Text{Plain: c.Text}, characters(c.Text, f.Column)
	}
}

// inside says how to read a text that stands inside of an object.
func (f *Field) inside() string {
	for _, key := range []string{"content", "text", "value", "response", "answer", "completion", "output"} {
		if f.Cell.Member(key).Kind == CellText || f.Cell.Member(key).Kind == CellMessages {
			return fmt.Sprintf("; --columns %s=%s reads a value of it", f.Name, shellWord(f.Column+"."+key))
		}
	}
	return ""
}

// Number reads a number; null and missing give otherwise.
func (f *Field) Number(otherwise float64) (float64, *Problem) {
	switch c := &f.Cell; c.Kind {
	case CellMissing, CellNull:
		return otherwise, nil
	case CellNumber:
		return c.Num, nil
	case CellText:
		hint := ""
		if _, err := strconv.ParseFloat(c.Text, 64); err == nil {
			hint = ": write it without quotes"
		}
		return 0, f.Problem(ReasonWrongType, "the text %q where a number should be%s", Clip(c.Text, 20), hint)
	default:
		return 0, f.Problem(ReasonWrongType, "%s where a number should be", c.describe())
	}
}

// Share reads a share of votes in [0, 1], NaN where there is none.
func (f *Field) Share() (float64, *Problem) {
	share, bad := f.Number(math.NaN())
	if bad == nil && f.Cell.Kind == CellNumber && !(share >= 0 && share <= 1) {
		bad = f.Problem(ReasonVoteShare, "%v is no share of votes: it must be in [0, 1]", share)
	}
	return share, bad
}

// word reads what names something into a string; null and missing change
// nothing.
func (f *Field) word(into *string) *Problem {
	switch c := &f.Cell; c.Kind {
	case CellMissing, CellNull:
	case CellText:
		if bad := characters(c.Text, f.Column); bad != nil {
			return bad
		}
		if c.Text != "" {
			*into = c.Text
		}
	case CellNumber:
		if *into = c.Text; c.Text == "" {
			*into = strconv.FormatFloat(c.Num, 'f', -1, 64)
		}
	default:
		return f.Problem(ReasonWrongType, "%s where text should be", c.describe())
	}
	return nil
}

// Side reads a, b or tie as they are, without white space around them and in
// any case, or as Values has them; given is false for null and for no such
// column.
func (f *Field) Side() (word string, given bool, bad *Problem) {
	c := &f.Cell
	if c.Absent() {
		return "", false, nil
	}
	if f.Values != nil {
		return f.mappedSide()
	}
	if c.Kind != CellText {
		return "", false, f.Problem(ReasonLabel, "%s where a, b or tie should be%s", c.describe(), labelValuesHint)
	}
	switch word := strings.ToLower(strings.TrimSpace(c.Text)); word {
	case "a", "b", "tie":
		return word, true, nil
	}
	return "", false, f.Problem(ReasonLabel, "%q where a, b or tie should be%s", Clip(c.Text, 20), labelValuesHint)
}

const labelValuesHint = "; map other values with --label-values, for example a=1,b=2,tie=0"

// mappedSide compares with the values, as numbers where both are.
func (f *Field) mappedSide() (word string, given bool, bad *Problem) {
	value := f.Cell.scalar()
	for _, side := range []string{"a", "b", "tie"} {
		want, ok := f.Values[side]
		if !ok {
			continue
		}
		x, errX := strconv.ParseFloat(value, 64)
		y, errY := strconv.ParseFloat(want, 64)
		if strings.EqualFold(value, want) || errX == nil && errY == nil && x == y {
			return side, true, nil
		}
	}
	return "", false, f.Problem(ReasonLabel, "%q is none of the values that --label-values names", Clip(value, 20))
}

// Word is a field that names something, and where it goes.
type Word struct {
	Field *Field
	Into  *string
}

// Words reads fields that name something, a later one over an earlier one of
// the same string. Null and missing change nothing.
func Words(words ...Word) *Problem {
	for _, w := range words {
		if bad := w.Field.word(w.Into); bad != nil {
			return bad
		}
	}
	return nil
}
