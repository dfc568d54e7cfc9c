package data

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// jsonRows passes the values of JSON lines through, as the types that a first
// pass over the whole file finds. A line that cannot be read is a row of nulls.
type jsonRows struct {
	src  *jsonSource
	keys []string
	seen map[string]jsonSeen
	at   map[string]int // column of each key
}

// jsonSeen is the set of kinds that the values of a key have.
type jsonSeen uint8

const (
	seenText jsonSeen = 1 << iota
	seenInt
	seenDouble
	seenBool
	seenNested
)

func openJSONRows(path string) (*jsonRows, error) {
	j := &jsonRows{seen: map[string]jsonSeen{}}
	first, err := openObjects(path)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	for lines := (&jsonSource{lines: first}); ; {
		line, err := lines.nextLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		j.values(line, func(key string, value []byte) {
			if _, ok := j.seen[key]; !ok {
				j.keys = append(j.keys, key)
			}
			j.seen[key] |= seenIn(value)
		})
	}
	lines, err := openObjects(path)
	if err != nil {
		return nil, err
	}
	j.src = &jsonSource{path: path, lines: lines}
	return j, nil
}

// values calls visit with the fields of a well-formed object.
func (j *jsonRows) values(line []byte, visit func(key string, value []byte)) {
	type member struct {
		key   string
		value []byte
	}
	var members []member
	object, err := parseObject(line, nil, func(key, value []byte) {
		members = append(members, member{strings.ToValidUTF8(string(key), "\ufffd"), value})
	})
	if !object || err != nil {
		return
	}
	for _, m := range members {
		visit(m.key, m.value)
	}
}

func seenIn(value []byte) jsonSeen {
	switch value[0] {
	case '"':
		return seenText
	case 't', 'f':
		return seenBool
	case 'n':
		return 0
	case '{', '[':
		return seenNested
	}
	if _, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return seenInt
	}
	return seenDouble
}

// leafType is the column's type; what is nested or mixed becomes JSON text.
func (s jsonSeen) leafType() parquet.Node {
	switch s {
	case seenInt:
		return parquet.Leaf(parquet.Int64Type)
	case seenDouble, seenInt | seenDouble:
		return parquet.Leaf(parquet.DoubleType)
	case seenBool:
		return parquet.Leaf(parquet.BooleanType)
	}
	return parquet.String()
}

func (s jsonSeen) value(raw []byte) parquet.Value {
	text := string(raw)
	switch s {
	case seenInt:
		n, _ := strconv.ParseInt(text, 10, 64)
		return parquet.Int64Value(n)
	case seenDouble, seenInt | seenDouble:
		x, _ := strconv.ParseFloat(text, 64)
		return parquet.DoubleValue(x)
	case seenBool:
		return parquet.BooleanValue(text == "true")
	case seenText:
		p := jsonParser{b: raw}
		decoded, _ := p.str(&p.scratch)
		text = string(decoded)
	}
	return parquet.ByteArrayValue([]byte(strings.ToValidUTF8(text, "\ufffd")))
}

func (j *jsonRows) columns() []string { return j.keys }

func (j *jsonRows) fields(without []string) (kept []parquet.Field) {
	j.at = map[string]int{}
	for _, key := range j.keys {
		if !slices.Contains(without, key) {
			j.at[key] = len(kept)
			kept = append(kept, namedNode{parquet.Optional(j.seen[key].leafType()), key})
		}
	}
	return kept
}

func (j *jsonRows) next(row parquet.Row) (parquet.Row, error) {
	line, err := j.src.nextLine()
	if err != nil {
		return row, err
	}
	row = nulls(row, len(j.at))
	j.values(line, func(key string, value []byte) {
		column, ok := j.at[key]
		switch {
		case ok && value[0] == 'n':
			row[column] = parquet.NullValue().Level(0, 0, column)
		case ok:
			row[column] = j.seen[key].value(value).Level(0, 1, column)
		}
	})
	return row, nil
}

func (j *jsonRows) nextJSON(cells []jsonCell) ([]jsonCell, error) {
	line, err := j.src.nextLine()
	if err != nil {
		return cells, err
	}
	j.values(line, func(key string, value []byte) {
		cells = append(cells, jsonCell{key, onOneLine(bytes.ToValidUTF8(value, []byte("\ufffd")))})
	})
	return cells, nil
}

// onOneLine is a JSON value without the line breaks between its parts, which an
// array of objects may be laid out with.
func onOneLine(value []byte) []byte {
	if bytes.IndexByte(value, '\n') < 0 {
		return value
	}
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		return value // the parser has taken it
	}
	return b.Bytes()
}

func (j *jsonRows) Close() error { return j.src.Close() }

// nulls appends a null for every column.
func nulls(row parquet.Row, columns int) parquet.Row {
	for i := range columns {
		row = append(row, parquet.NullValue().Level(0, 0, i))
	}
	return row
}

// csvRows passes the fields of a CSV file through as text. A record that
// cannot be read is a row of nulls.
type csvRows struct {
	src *csvSource
	at  []int // field of each column
}

func openCSVRows(path string) (*csvRows, error) {
	src, err := openCSV(path)
	if err != nil {
		return nil, err
	}
	return &csvRows{src: src.(*csvSource)}, nil
}

// columns are the names of the header, the first where several have one.
func (c *csvRows) columns() []string {
	var names []string
	for i, name := range c.src.header {
		if slices.Index(c.src.header, name) == i {
			names = append(names, name)
		}
	}
	return names
}

func (c *csvRows) fields(without []string) (kept []parquet.Field) {
	for _, name := range c.columns() {
		if !slices.Contains(without, name) {
			c.at = append(c.at, slices.Index(c.src.header, name))
			kept = append(kept, namedNode{parquet.Optional(parquet.String()), name})
		}
	}
	return kept
}

func (c *csvRows) nextJSON(cells []jsonCell) ([]jsonCell, error) {
	_, bad, err := c.src.nextFields()
	if err != nil || bad != nil {
		return cells, err
	}
	for i, name := range c.src.header {
		if slices.Index(c.src.header, name) == i {
			cells = append(cells, jsonCell{name, jsonText(c.src.fields[i])})
		}
	}
	return cells, nil
}

func (c *csvRows) next(row parquet.Row) (parquet.Row, error) {
	_, bad, err := c.src.nextFields()
	if err != nil {
		return row, err
	}
	row = nulls(row, len(c.at))
	for column, field := range c.at {
		if bad == nil {
			text := strings.ToValidUTF8(c.src.fields[field], "\ufffd")
			row[column] = parquet.ByteArrayValue([]byte(text)).Level(0, 1, column)
		}
	}
	return row, nil
}

func (c *csvRows) Close() error { return c.src.Close() }
