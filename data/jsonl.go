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
	cols   []column
	wanted []wantedKey
	parser jsonParser
}

type wantedKey struct {
	key   string
	field field
}

func openJSONL(path string) (source, error) {
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
			wrong = bad.at(s.path, s.unit(), lines.line)
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
func (s *jsonSource) sampleLine(line []byte) *problem {
	var value cell
	var found []column
	object, err := parseObject(line, func([]byte) *cell { return &value }, func(key, _ []byte) {
		found = append(found, column{name: string(key), kind: value.kind, what: value.describe()})
	})
	if !object || err != nil && !err.nan {
		return lineProblem(line, object, err)
	}
	for _, c := range found {
		s.learn(c)
	}
	return nil
}

func (s *jsonSource) learn(c column) {
	for i := range s.cols {
		if s.cols[i].name == c.name {
			if s.cols[i].kind == cellNull {
				s.cols[i] = c
			}
			return
		}
	}
	s.cols = append(s.cols, c)
}

// describe names a value's type in an error.
func (c *cell) describe() string {
	switch c.kind {
	case cellText:
		return "text"
	case cellNumber:
		return "a number"
	case cellTurns:
		return "messages"
	case cellNull:
		return "null"
	}
	return c.what
}

func (s *jsonSource) columns() []column { return s.cols }
func (s *jsonSource) openEnded() bool   { return true }
func (s *jsonSource) unit() string      { return "line" }
func (s *jsonSource) numRows() int64    { return -1 }
func (s *jsonSource) Close() error      { return s.lines.Close() }

func (s *jsonSource) choose(n names) error {
	s.wanted = s.wanted[:0]
	for f, key := range n {
		if key != "" {
			s.wanted = append(s.wanted, wantedKey{key, field(f)})
		}
	}
	return nil
}

func (s *jsonSource) next(r *row) (int, *problem, error) {
	line, err := s.nextLine()
	if err != nil {
		return 0, nil, err
	}
	for _, w := range s.wanted {
		r[w.field] = cell{}
	}
	s.parser = jsonParser{b: line, scratch: s.parser.scratch}
	object, bad := s.parser.parse(func(key []byte) *cell {
		for _, w := range s.wanted {
			if w.key == string(key) {
				return &r[w.field]
			}
		}
		return nil
	}, nil)
	s.share(r)
	return s.lines.line, lineProblem(line, object, bad), nil
}

// share copies a value to the other fields that are read from the same key.
func (s *jsonSource) share(r *row) {
	for i, w := range s.wanted {
		for _, first := range s.wanted[:i] {
			if first.key == w.key {
				r[w.field] = r[first.field]
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

func lineProblem(line []byte, object bool, err *jsonError) *problem {
	switch {
	case err != nil && err.nan:
		return &problem{ReasonNaNLiteral, err.key, fmt.Sprintf(
			"at byte %d: %s, which JSON does not have: write null or a number", err.at, err.msg)}
	case err != nil:
		return &problem{ReasonBrokenLine, err.key, fmt.Sprintf("at byte %d: broken JSON: %s", err.at, err.msg)}
	case !object:
		return &problem{ReasonNotObject, "", fmt.Sprintf(
			"%q is not a JSON object: one object a line is needed (jq -c '.[]' turns an array into lines)", clip(bytes.TrimSpace(line), 20))}
	}
	return nil
}
