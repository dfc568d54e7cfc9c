package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// What is read ahead to learn which keys the objects of a file have.
const (
	sampleRows  = 1000
	sampleBytes = 4 << 20
)

// jsonSource reads JSON lines: one object a line, blank lines ignored.
type jsonSource struct {
	path   string
	lines  *lineReader
	cols   []Column
	wanted []*Field
	parser jsonParser
}

func openJSONL(path string) (Source, error) {
	s := &jsonSource{path: path}
	if err := s.sample(); err != nil {
		return nil, err
	}
	var err error
	if s.lines, err = openLines(path); err != nil {
		return nil, err
	}
	return s, nil
}

// sample learns the keys, and the kind of each key's first value, from the
// head of the file.
func (s *jsonSource) sample() error {
	lines, err := openLines(s.path)
	if err != nil {
		return err
	}
	defer lines.Close()
	rows, wrong := 0, (*RowError)(nil)
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
		if err := s.notOneArray(line, lines.line, rows); err != nil {
			return err
		}
		if bad := s.sampleLine(line); bad != nil && wrong == nil {
			wrong = bad.at(s.path, s.Unit(), lines.line)
		}
	}
	switch {
	case rows == 0:
		return errors.New("no rows: the file has only blank lines")
	case len(s.cols) == 0 && wrong != nil:
		return fmt.Errorf("no JSON object in the first %d lines: %w", rows, wrong)
	}
	return nil
}

// notOneArray refuses a file that is one JSON array over many lines.
func (s *jsonSource) notOneArray(line []byte, number, rows int) error {
	trimmed := bytes.TrimSpace(line)
	if rows > 1 || trimmed[0] != '[' {
		return nil
	}
	if _, err := parseObject(trimmed, nil, nil); err != nil {
		return fmt.Errorf("line %d begins a JSON array: one object a line is needed; write it so with: jq -c '.[]'", number)
	}
	return nil
}

// sampleLine learns the keys of one object; what NaN makes unreadable has keys too.
func (s *jsonSource) sampleLine(line []byte) *Problem {
	var value Cell
	var found []Column
	object, err := parseObject(line, func([]byte) *Cell { return &value }, func(key, _ []byte) {
		found = append(found, Column{Name: string(key), Kind: value.Kind, What: value.describe()})
	})
	if !object || err != nil && !err.nan {
		return lineProblem(line, object, err)
	}
	for _, c := range found {
		s.learn(c)
	}
	return nil
}

func (s *jsonSource) learn(c Column) {
	for i := range s.cols {
		if s.cols[i].Name == c.Name {
			if s.cols[i].Kind == CellNull {
				s.cols[i] = c
			}
			return
		}
	}
	s.cols = append(s.cols, c)
}

func (s *jsonSource) Columns() []Column { return s.cols }
func (s *jsonSource) OpenEnded() bool   { return true }
func (s *jsonSource) Unit() string      { return "line" }
func (s *jsonSource) NumRows() int64    { return -1 }
func (s *jsonSource) Close() error      { return s.lines.Close() }

func (s *jsonSource) Choose(fields []*Field) error {
	s.wanted = s.wanted[:0]
	for _, f := range fields {
		if f.Column != "" {
			s.wanted = append(s.wanted, f)
		}
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
			if f.Column == string(key) {
				return &f.Cell
			}
		}
		return nil
	}, nil)
	s.share()
	return s.lines.line, lineProblem(line, object, bad), nil
}

// share copies a value to the other fields that are read from the same key.
func (s *jsonSource) share() {
	for i, f := range s.wanted {
		for _, first := range s.wanted[:i] {
			if first.Column == f.Column {
				f.Cell = first.Cell
			}
		}
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
	case err != nil:
		return &Problem{ReasonBrokenLine, err.key, fmt.Sprintf("at byte %d: broken JSON: %s", err.at, err.msg)}
	case !object:
		return &Problem{ReasonNotObject, "", fmt.Sprintf(
			"%q is not a JSON object: one object a line is needed (jq -c '.[]' turns an array into lines)", Clip(bytes.TrimSpace(line), 20))}
	}
	return nil
}
