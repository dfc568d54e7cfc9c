package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// objectLines gives the objects of a file, one after another: a line each, or
// the elements of one array.
type objectLines interface {
	next() ([]byte, error)
	place() int   // of the object read last
	unit() string // "line" or "row", what places count
	Close() error
}

// openObjects opens a file of JSON lines, or one that is a JSON array.
func openObjects(path string) (objectLines, error) {
	lines, err := openLines(path)
	if err != nil {
		return nil, err
	}
	if !beginsArray(lines.buf) {
		return lines, nil
	}
	return &arrayReader{lines: lines}, nil
}

// beginsArray reports whether the text begins with an array of objects.
func beginsArray(buf *bufio.Reader) bool {
	head, _ := buf.Peek(4096)
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] != '[' {
		return false
	}
	head = bytes.TrimLeft(head[1:], " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// arrayReader reads the elements of an array, one in memory at a time.
type arrayReader struct {
	lines   *lineReader
	element []byte
	parts   []byte // of an element that goes over the buffer's end
	read    int
	opened  bool
	closed  bool
}

func (r *arrayReader) place() int   { return r.read - 1 }
func (r *arrayReader) unit() string { return "row" }
func (r *arrayReader) Close() error { return r.lines.Close() }

// next returns the text of the next element, up to the comma or bracket that
// ends it; it is valid until the next call.
func (r *arrayReader) next() ([]byte, error) {
	if !r.opened {
		r.opened = true
		if _, err := r.lines.buf.ReadBytes('['); err != nil {
			return nil, r.lines.failed(err)
		}
	}
	if r.closed {
		return nil, r.atEnd()
	}
	if err := r.readElement(); err != nil {
		return nil, err
	}
	if r.closed && len(bytes.TrimSpace(r.element)) == 0 {
		if r.read > 0 {
			return nil, fmt.Errorf("row %d: the JSON array ends after a comma: an element is missing", r.read)
		}
		return nil, r.atEnd()
	}
	r.read++
	return r.element, nil
}

// readElement reads on to the comma or bracket that ends the element. One that
// lies in the buffer as a whole stays there.
func (r *arrayReader) readElement() error {
	buf := r.lines.buf
	r.element, r.parts = nil, r.parts[:0]
	for scan := (elementScan{}); ; {
		if _, err := buf.Peek(1); err == io.EOF {
			return fmt.Errorf("row %d: the JSON array is not closed: the file is cut short", r.read)
		} else if err != nil {
			return r.lines.failed(err)
		}
		part, _ := buf.Peek(buf.Buffered())
		end := scan.end(part)
		whole := end >= 0 && len(r.parts) == 0
		read := part
		if end >= 0 {
			r.closed, part, read = part[end] == ']', part[:end], part[:end+1]
		}
		if r.element = part; !whole {
			r.parts = append(r.parts, part...)
			r.element = r.parts
		}
		if len(r.element) > maxLine {
			return fmt.Errorf("row %d is longer than %d bytes: not a file of rows", r.read, maxLine)
		}
		if _, err := buf.Discard(len(read)); err != nil || end >= 0 {
			return err
		}
	}
}

// atEnd makes sure that nothing follows the array.
func (r *arrayReader) atEnd() error {
	for {
		c, err := r.lines.buf.ReadByte()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return r.lines.failed(err)
		}
		if !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)) {
			return errors.New("something follows the JSON array: is it several files in one?")
		}
	}
}

// elementScan finds where an element ends: what is wrong with it is the
// parser's to say.
type elementScan struct {
	depth           int
	quoted, escaped bool
}

// end is where in the bytes the element ends, -1 where it goes on.
func (s *elementScan) end(b []byte) int {
	for i := 0; i < len(b); i++ {
		if s.quoted && !s.escaped {
			for i < len(b)-1 && b[i] != '"' && b[i] != '\\' {
				i++
			}
		}
		if s.ends(b[i]) {
			return i
		}
	}
	return -1
}

func (s *elementScan) ends(c byte) bool {
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted:
		s.escaped, s.quoted = c == '\\', c != '"'
	case c == '"':
		s.quoted = true
	case c == '{' || c == '[':
		s.depth++
	case s.depth > 0 && (c == '}' || c == ']'):
		s.depth--
	case s.depth == 0 && (c == ',' || c == ']'):
		return true
	}
	return false
}
