package data

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
)

// jsonRowSource gives the rows of the input as JSON values.
type jsonRowSource interface {
	// nextJSON appends the cells of the next row, all of the input's columns in
	// order; what a row lacks is left out.
	nextJSON(cells []jsonCell) ([]jsonCell, error)
}

// jsonCell is a column's name and its value as JSON.
type jsonCell struct {
	name  string
	value []byte
}

// jsonText is a text as JSON; bytes that are no UTF-8 become U+FFFD.
func jsonText(text string) []byte {
	if plainJSON(text) {
		return append(append(append(make([]byte, 0, len(text)+2), '"'), text...), '"')
	}
	var b bytesWriter
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string in memory always encodes
	return b[:len(b)-1]
}

type bytesWriter []byte

func (w *bytesWriter) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

const jsonNull = "null"

// scoreCells are the values of a row's scores, named as scoreNames says.
func scoreCells(cells []jsonCell, names []string, scores []Score, columns ScoreColumns) []jsonCell {
	perText := len(names) / len(scores) // the probability is of both
	for i, s := range scores {
		values := [][]byte{[]byte(jsonNull), strconv.AppendInt(nil, int64(s.Tokens), 10), strconv.AppendBool(nil, s.Truncated), []byte(jsonNull), []byte(jsonNull), []byte(jsonNull)}
		if s.Valid {
			values[0], values[4], values[5] = jsonFloat(s.Reward), jsonFloat(s.Std), jsonFloat(s.Lower)
		}
		if s.Reason != "" {
			values[3] = jsonText(s.Reason)
		}
		for j, value := range values[:perText] {
			cells = append(cells, jsonCell{names[perText*i+j], value})
		}
	}
	if last := perText * len(scores); last < len(names) {
		value := []byte(jsonNull)
		if p, valid := columns.probability(scores); valid {
			value = jsonFloat(p)
		}
		cells = append(cells, jsonCell{names[last], value})
	}
	return cells
}

// jsonFloat is the shortest decimal that reads back as x.
func jsonFloat(x float32) []byte { return strconv.AppendFloat(nil, float64(x), 'g', -1, 32) }

// lineScores writes rows as JSON lines.
type lineScores struct {
	input   jsonRowSource
	buffer  *bufio.Writer
	columns ScoreColumns
	names   []string
	cells   []jsonCell
}

func newLineScores(input jsonRowSource, buffer *bufio.Writer, pairs bool, columns ScoreColumns) *lineScores {
	return &lineScores{input: input, buffer: buffer, columns: columns, names: scoreNames(pairs, columns)}
}

func (l *lineScores) write(scores []Score) (err error) {
	if l.cells, err = l.input.nextJSON(l.cells[:0]); err != nil {
		return rereadError(err)
	}
	l.cells = slices.DeleteFunc(l.cells, func(c jsonCell) bool { return slices.Contains(l.names, c.name) })
	l.cells = scoreCells(l.cells, l.names, scores, l.columns)
	for i, c := range l.cells {
		before := byte(',')
		if i == 0 {
			before = '{'
		}
		l.buffer.WriteByte(before)
		l.buffer.Write(jsonText(c.name))
		l.buffer.WriteByte(':')
		l.buffer.Write(c.value)
	}
	_, err = l.buffer.WriteString("}\n") // the buffer keeps the first error
	return err
}

func (l *lineScores) close() error { return l.buffer.Flush() }

// csvScores writes rows as CSV with a header: texts as they stand, numbers and
// what is nested as JSON, nulls empty.
type csvScores struct {
	input   jsonRowSource
	w       *csv.Writer
	buffer  *bufio.Writer
	columns ScoreColumns
	names   []string
	at      map[string]int // field of each column
	fields  []string
	cells   []jsonCell
}

func newCSVScores(input passThrough, buffer *bufio.Writer, pairs bool, columns ScoreColumns) (*csvScores, error) {
	c := &csvScores{input: input, w: csv.NewWriter(buffer), buffer: buffer, columns: columns, names: scoreNames(pairs, columns), at: map[string]int{}}
	header := slices.DeleteFunc(slices.Clone(input.columns()), func(name string) bool { return slices.Contains(c.names, name) })
	header = append(header, c.names...)
	for i, name := range header {
		c.at[name] = i
	}
	c.fields = make([]string, len(header))
	return c, c.w.Write(header)
}

func (c *csvScores) write(scores []Score) (err error) {
	if c.cells, err = c.input.nextJSON(c.cells[:0]); err != nil {
		return rereadError(err)
	}
	clear(c.fields)
	for _, cell := range scoreCells(c.cells, c.names, scores, c.columns) { // after the input's of the same name
		c.fields[c.at[cell.name]] = csvField(cell.value)
	}
	return c.w.Write(c.fields)
}

func csvField(value []byte) string {
	switch value[0] {
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err == nil {
			return text
		}
	case 'n':
		return ""
	}
	return string(value)
}

func (c *csvScores) close() error {
	c.w.Flush()
	return cmp.Or(c.w.Error(), c.buffer.Flush())
}

// plainJSON reports whether a text stands in JSON as it is.
func plainJSON(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
