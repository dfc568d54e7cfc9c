package data

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// csvSource reads CSV with a header (RFC 4180, UTF-8). Unlike encoding/csv it
// keeps the line ends inside quoted text as they are, so that the text read is
// the text written.
type csvSource struct {
	lines  *lineReader
	comma  byte
	header []string
	chosen []csvColumn
	record []byte // the lines of the record
	fields []string
	rows   int
}

// csvColumn is a field and the index of its column.
type csvColumn struct {
	*Field
	at int
}

func openCSV(path string) (Source, error) {
	lines, err := openLines(path)
	if err != nil {
		return nil, err
	}
	s := &csvSource{lines: lines, comma: ','}
	if err := s.readHeader(); err != nil {
		lines.Close()
		return nil, err
	}
	return s, nil
}

func (s *csvSource) readHeader() error {
	first, err := s.nextRecord()
	if err == io.EOF {
		return fmt.Errorf("no rows: the file has only blank lines")
	}
	if err != nil {
		return err
	}
	s.comma = delimiter(first)
	bad, err := s.split()
	if err != nil {
		return err
	}
	if bad != "" {
		return fmt.Errorf("line %d: the header is broken CSV: %s", s.lines.line, bad)
	}
	s.header = append([]string(nil), s.fields...)
	return nil
}

// delimiter is the comma, or the tab or semicolon where only those are there.
func delimiter(header []byte) byte {
	for _, c := range []byte(",\t;") {
		if bytes.IndexByte(header, c) >= 0 {
			return c
		}
	}
	return ','
}

func (s *csvSource) Columns() []Column {
	cols := make([]Column, len(s.header))
	for i, name := range s.header {
		cols[i] = Column{Name: name, Kind: CellNull, What: "text"}
	}
	return cols
}

func (s *csvSource) OpenEnded() bool { return false }
func (s *csvSource) Unit() string    { return "row" }
func (s *csvSource) NumRows() int64  { return -1 }
func (s *csvSource) Close() error    { return s.lines.Close() }

func (s *csvSource) Choose(fields []*Field) error {
	s.chosen = s.chosen[:0]
	for _, f := range fields {
		if at := slices.Index(s.header, f.Column); at >= 0 && f.Column != "" {
			s.chosen = append(s.chosen, csvColumn{f, at})
		}
	}
	return nil
}

func (s *csvSource) Next() (int, *Problem, error) {
	place, bad, err := s.nextFields()
	if err != nil || bad != nil {
		return place, bad, err
	}
	for _, f := range s.chosen {
		f.Cell = csvCell(f.Holds, s.fields[f.at])
	}
	return place, nil, nil
}

// nextFields reads the next record into s.fields, one for every column.
func (s *csvSource) nextFields() (int, *Problem, error) {
	if _, err := s.nextRecord(); err != nil {
		return 0, nil, err
	}
	place, line := s.rows, s.lines.line
	s.rows++
	bad, err := s.split()
	if err != nil {
		return 0, nil, err
	}
	if bad == "" && len(s.fields) != len(s.header) {
		bad = fmt.Sprintf("%d fields where the header has %d", len(s.fields), len(s.header))
	}
	if bad != "" {
		return place, &Problem{ReasonBrokenLine, "", fmt.Sprintf("(line %d) broken CSV: %s", line, bad)}, nil
	}
	return place, nil, nil
}

// csvCell types a field by what it is wanted for; CSV itself has only text.
func csvCell(holds Holds, text string) Cell {
	if holds != HoldsNumber {
		return Cell{Kind: CellText, Text: text}
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return Cell{Kind: CellNull}
	}
	num, err := strconv.ParseFloat(trimmed, 64)
	if err != nil && !strings.Contains(err.Error(), "range") {
		return Cell{Kind: CellText, Text: text}
	}
	return Cell{Kind: CellNumber, Num: num}
}

// nextRecord starts a record: the first line that is not blank.
func (s *csvSource) nextRecord() ([]byte, error) {
	for {
		line, err := s.lines.nextRaw()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) > 0 {
			s.record = append(s.record[:0], line...)
			return s.record, nil
		}
	}
}

// split cuts s.record into s.fields, reading on where a quoted field goes over
// the line's end. bad says what is wrong with the record.
func (s *csvSource) split() (bad string, err error) {
	s.fields = s.fields[:0]
	for i := 0; ; i++ {
		var text string
		if i < len(s.record) && s.record[i] == '"' {
			if text, i, err = s.quoted(i); err != nil {
				return "", err
			}
		} else {
			end := i + fieldEnd(s.record[i:], s.comma)
			text, i = string(s.record[i:end]), end
		}
		s.fields = append(s.fields, text)
		switch rest := s.record[i:]; {
		case len(rest) > 0 && rest[0] == s.comma:
		case len(bytes.TrimRight(rest, "\r\n")) == 0:
			return "", nil
		default:
			return fmt.Sprintf("field %d: %q follows the closing quote", len(s.fields), Clip(rest, 10)), nil
		}
	}
}

func fieldEnd(b []byte, comma byte) int {
	for i, c := range b {
		if c == comma || c == '\n' || c == '\r' && (i+1 == len(b) || b[i+1] == '\n') {
			return i
		}
	}
	return len(b)
}

// quoted reads the quoted field that opens at i; after is what follows it.
func (s *csvSource) quoted(i int) (text string, after int, err error) {
	opened := s.lines.line
	var out []byte
	for i++; ; {
		end := bytes.IndexByte(s.record[i:], '"')
		if end < 0 {
			out = append(out, s.record[i:]...)
			i = len(s.record)
			if err := s.moreLines(opened); err != nil {
				return "", 0, err
			}
			continue
		}
		out = append(out, s.record[i:i+end]...)
		i += end + 1
		if i < len(s.record) && s.record[i] == '"' {
			out = append(out, '"')
			i++
			continue
		}
		return string(out), i, nil
	}
}

// moreLines appends the next line to the record. A quote that is never closed
// is the file's fault, not a row's: it hides all rows after it.
func (s *csvSource) moreLines(opened int) error {
	line, err := s.lines.nextRaw()
	if err == io.EOF {
		return fmt.Errorf("row %d: the quote opened on line %d is never closed: the file is cut short, or that quote should be doubled", max(s.rows-1, 0), opened)
	}
	if err != nil {
		return err
	}
	if len(s.record)+len(line) > maxLine {
		return fmt.Errorf("line %d: the quote opened here is not closed within %d bytes", opened, maxLine)
	}
	s.record = append(s.record, line...)
	return nil
}
