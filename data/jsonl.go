package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// What is read ahead to learn which keys the objects of a file have.
const (
	sampleRows  = 1000
	sampleBytes = 4 << 20
)

// jsonSource reads JSON: one object a line, blank lines ignored, or an array of
// objects.
type jsonSource struct {
	path   string
	lines  objectLines
	cols   []Column
	wanted []chosenField
	firsts []int // for each of wanted, the first that is read from the same key
	parser jsonParser
	known  map[string]bool // names of cols
	late   []string        // keys that the head of the file lacks and no field reads
	lateAt int             // place of the first
}

func openJSONL(path string) (Source, error) {
	s := &jsonSource{path: path}
	if err := s.sample(); err != nil {
		return nil, err
	}
	var err error
	if s.lines, err = openObjects(path); err != nil {
		return nil, err
	}
	return s, nil
}

// sample learns the keys, and the kind of each key's first value, from the
// head of the file.
func (s *jsonSource) sample() error {
	lines, err := openObjects(s.path)
	if err != nil {
		return err
	}
	defer lines.Close()
	rows, empty, wrong := 0, false, (*RowError)(nil)
	for read := 0; rows < sampleRows && read < sampleBytes; {
		line, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		read += len(line)
		rows++
		empty = string(bytes.ReplaceAll(line, []byte(" "), nil)) == "[]"
		if bad := s.sampleLine(line); bad != nil && wrong == nil {
			wrong = bad.at(s.path, lines.unit(), lines.place())
		}
	}
	switch {
	case rows == 0 || rows == 1 && empty:
		return errors.New("no rows: the file has only blank lines, or an empty array")
	case len(s.cols) == 0 && wrong != nil:
		return fmt.Errorf("no JSON object in the first %d %ss: %w", rows, lines.unit(), wrong)
	}
	return nil
}

// sampleLine learns the keys of one object; what NaN, or a key that is given twice,
// makes unreadable has keys too.
func (s *jsonSource) sampleLine(line []byte) *Problem {
	var value Cell
	var found []Column
	p := jsonParser{b: line, lenient: true}
	object, err := p.parse(func([]byte) *Cell { return &value }, func(key, _ []byte) {
		found = append(found, columnOf(string(key), &value))
	})
	if !object || err != nil && !err.nan {
		return lineProblem(line, object, err)
	}
	for _, c := range found {
		s.learn(c)
	}
	return nil
}

// columnOf is the column that a value suggests.
func columnOf(name string, value *Cell) Column {
	c := Column{Name: name, Kind: value.Kind, What: value.describe()}
	if value.isMessage() {
		c.Kind, c.What = CellMessages, "a message"
	}
	for i := range value.Members {
		c.Members = append(c.Members, columnOf(value.Members[i].Key, &value.Members[i].Value))
	}
	return c
}

func (s *jsonSource) learn(c Column) { s.cols = learn(s.cols, c) }

// learn adds a column to those known, or what it says to the known one.
func learn(cols []Column, c Column) []Column {
	for i := range cols {
		if cols[i].Name != c.Name {
			continue
		}
		if cols[i].Kind == CellNull {
			cols[i] = c
			return cols
		}
		for _, m := range c.Members {
			cols[i].Members = learn(cols[i].Members, m)
		}
		return cols
	}
	return append(cols, c)
}

func (s *jsonSource) Columns() []Column { return s.cols }
func (s *jsonSource) OpenEnded() bool   { return true }
func (s *jsonSource) Unit() string      { return s.lines.unit() }
func (s *jsonSource) NumRows() int64    { return -1 }
func (s *jsonSource) Close() error      { return s.lines.Close() }

func (s *jsonSource) Choose(fields []*Field) error {
	s.wanted = chosenFields(fields, s.cols)
	s.firsts = make([]int, len(s.wanted))
	for i, f := range s.wanted {
		s.firsts[i] = slices.IndexFunc(s.wanted, func(first chosenField) bool { return first.column == f.column })
	}
	s.known = map[string]bool{}
	for _, c := range s.cols {
		s.known[c.Name] = true
	}
	return nil
}

func (s *jsonSource) Next() (int, *Problem, error) {
	line, err := s.nextLine()
	if err != nil {
		return 0, nil, err
	}
	for _, f := range s.wanted {
		f.Cell = Cell{}
	}
	s.parser = jsonParser{b: line, scratch: s.parser.scratch, keys: s.parser.keys}
	object, bad := s.parser.parse(func(key []byte) *Cell {
		for _, f := range s.wanted {
			if f.column == string(key) {
				return &f.Cell
			}
		}
		if !s.known[string(key)] {
			s.seeLate(string(key))
		}
		return nil
	}, nil)
	s.share()
	return s.lines.place(), lineProblem(line, object, bad), nil
}

// seeLate notes a key that appears only below the head of the file.
func (s *jsonSource) seeLate(key string) {
	const most = 100 // keys may be data
	if len(s.late) == most {
		return
	}
	if len(s.late) == 0 {
		s.lateAt = s.lines.place()
	}
	s.known[key] = true
	s.late = append(s.late, key)
}

// share copies a value to the other fields that are read from the same key,
// and finds those inside of values.
func (s *jsonSource) share() {
	for i, first := range s.firsts {
		if first < i {
			s.wanted[i].Cell = s.wanted[first].Cell
		}
	}
	for i := range s.wanted {
		s.wanted[i].goInside()
	}
}

// nextLine skips blank lines.
func (s *jsonSource) nextLine() ([]byte, error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return nil, err
		}
		if len(line) > 0 && line[0] == '{' || len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

func lineProblem(line []byte, object bool, err *jsonError) *Problem {
	switch {
	case err != nil && err.nan:
		return &Problem{ReasonNaNLiteral, err.key, fmt.Sprintf(
			"at byte %d: %s, which JSON does not have: write null or a number", err.at, err.msg)}
	case err != nil && err.twice:
		return &Problem{ReasonDuplicateKey, err.key, fmt.Sprintf("at byte %d: the key %q is given a second time: which value holds cannot be told", err.at, err.key)}
	case err != nil && len(bytes.TrimSpace(line)) == 1:
		return &Problem{ReasonBrokenLine, "", fmt.Sprintf("broken JSON: %q alone begins an object over several lines; one object a line is needed, or one array of objects", bytes.TrimSpace(line))}
	case err != nil:
		return &Problem{ReasonBrokenLine, err.key, fmt.Sprintf("at byte %d: broken JSON: %s", err.at, err.msg)}
	case !object:
		return &Problem{ReasonNotObject, "", fmt.Sprintf(
			"%q is not a JSON object: one object a line is needed, or one array of objects", Clip(bytes.TrimSpace(line), 20))}
	}
	return nil
}
