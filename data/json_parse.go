package data

import (
	"bytes"
	"fmt"
	"strconv"
)

// jsonParser reads one JSON text (RFC 8259), keeping only the values asked
// for. It differs from encoding/json on purpose in one thing: half a surrogate
// pair is kept as the three bytes that UTF-8 forbids, and bytes that are no
// UTF-8 are kept as they are, so that the row's checks find both.
type jsonParser struct {
	b       []byte
	i       int
	depth   int
	scratch []byte            // for decoding strings
	keys    map[string]string // of kept objects, each once in memory
	lenient bool              // a key that is given twice is no error
}

// jsonError is a syntax error; nan marks NaN and Infinity, which Python's json
// module writes and JSON lacks.
type jsonError struct {
	at  int // offset in bytes
	msg string
	key string // of the outermost object
	nan bool

	twice bool // key is given a second time
}

const maxJSONDepth = 10000 // as encoding/json

// parseObject reads a line that holds one object. want returns where to keep
// the value of a key, or nil; with raw the text of the value is kept too.
// object is false where the line is well-formed JSON of another kind.
func parseObject(line []byte, want func(key []byte) *Cell, raw func(key, value []byte)) (object bool, err *jsonError) {
	p := jsonParser{b: line}
	return p.parse(want, raw)
}

func (p *jsonParser) parse(want func(key []byte) *Cell, raw func(key, value []byte)) (object bool, err *jsonError) {
	p.space()
	if p.i < len(p.b) && p.b[p.i] == '{' {
		object = true
		err = p.object(want, raw)
	} else {
		err = p.value(nil)
	}
	if err != nil {
		return object, err
	}
	p.space()
	if p.i < len(p.b) {
		return object, p.fail("something follows the value")
	}
	return object, nil
}

func (p *jsonParser) fail(format string, args ...any) *jsonError {
	return &jsonError{at: p.i, msg: fmt.Sprintf(format, args...)}
}

func (p *jsonParser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *jsonParser) enter() *jsonError {
	p.depth++
	if p.depth > maxJSONDepth {
		return p.fail("nested deeper than %d", maxJSONDepth)
	}
	p.i++
	p.space()
	return nil
}

func (p *jsonParser) object(want func(key []byte) *Cell, raw func(key, value []byte)) *jsonError {
	if err := p.enter(); err != nil {
		return err
	}
	var seen keySet
	for first := true; ; first = false {
		switch c := p.peek(); {
		case c == '}' && first:
			p.i++
			p.depth--
			return nil
		case c != '"':
			return p.expected("a key in quotes")
		}
		if err := p.member(&seen, want, raw); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.i++
			p.space()
		case '}':
			p.i++
			p.depth--
			return nil
		default:
			return p.expected("a comma or }")
		}
	}
}

// member reads `"key": value`.
func (p *jsonParser) member(seen *keySet, want func(key []byte) *Cell, raw func(key, value []byte)) *jsonError {
	var decoded []byte // not the scratch: the key outlives its value
	key, err := p.str(&decoded)
	if err != nil {
		return err
	}
	if want != nil && !seen.add(key) && !p.lenient {
		return &jsonError{at: p.i, msg: "given twice", key: string(key), twice: true}
	}
	p.space()
	if p.peek() != ':' {
		return p.expected("a colon")
	}
	p.i++
	p.space()
	var keep *Cell
	if want != nil {
		keep = want(key)
	}
	start := p.i
	if err := p.value(keep); err != nil {
		if err.twice { // in an object inside
			err.key = string(key) + "." + err.key
		} else {
			err.key = string(key)
		}
		return err
	}
	if raw != nil {
		raw(key, p.b[start:p.i])
	}
	return nil
}

// keySet holds the keys of one object. Most have a few, which are compared one
// by one.
type keySet struct {
	few  [16][]byte
	n    int
	more map[string]struct{}
}

// add reports whether the key is new.
func (s *keySet) add(key []byte) bool {
	for _, known := range s.few[:min(s.n, len(s.few))] {
		if bytes.Equal(known, key) {
			return false
		}
	}
	if s.n++; s.n <= len(s.few) {
		s.few[s.n-1] = key
		return true
	}
	if s.more == nil {
		s.more = map[string]struct{}{}
	}
	if _, known := s.more[string(key)]; known {
		return false
	}
	s.more[string(key)] = struct{}{}
	return true
}

// value reads any value; keep may be nil.
func (p *jsonParser) value(keep *Cell) *jsonError {
	if keep == nil {
		keep = &Cell{}
		return p.skip(keep)
	}
	*keep = Cell{}
	switch p.peek() {
	case '"':
		s, err := p.str(&p.scratch)
		keep.Kind, keep.Text = CellText, string(s)
		return err
	case '[':
		return p.list(keep)
	case '{':
		return p.members(keep)
	}
	return p.skip(keep)
}

// skip reads a value that is not kept, but for a number, true, false or null.
func (p *jsonParser) skip(keep *Cell) *jsonError {
	switch c := p.peek(); {
	case c == '"':
		_, err := p.str(nil)
		return err
	case c == '{':
		return p.object(nil, nil)
	case c == '[':
		return p.array(func() *jsonError { return p.value(nil) })
	case c == 't':
		keep.Kind, keep.True = CellBool, true
		return p.word("true")
	case c == 'f':
		keep.Kind = CellBool
		return p.word("false")
	case c == 'n':
		keep.Kind = CellNull
		return p.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return p.number(keep)
	case c == 'N' || c == 'I':
		return p.expected("a value")
	}
	return p.expected("a value")
}

func (p *jsonParser) array(element func() *jsonError) *jsonError {
	if err := p.enter(); err != nil {
		return err
	}
	if p.peek() == ']' {
		p.i++
		p.depth--
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.i++
			p.space()
		case ']':
			p.i++
			p.depth--
			return nil
		default:
			return p.expected("a comma or ]")
		}
	}
}

// list keeps a list. One of objects, or an empty one, may be messages.
func (p *jsonParser) list(keep *Cell) *jsonError {
	keep.Kind, keep.Items = CellMessages, []Cell{}
	return p.array(func() *jsonError {
		if p.peek() != '{' {
			keep.Kind = CellList
		}
		keep.Items = append(keep.Items, Cell{})
		return p.value(&keep.Items[len(keep.Items)-1])
	})
}

// members keeps an object.
func (p *jsonParser) members(keep *Cell) *jsonError {
	keep.Kind = CellObject
	return p.object(func(key []byte) *Cell {
		keep.Members = append(keep.Members, Member{Key: p.known(key)})
		return &keep.Members[len(keep.Members)-1].Value
	}, nil)
}

// known is the key as a string that its other uses share.
func (p *jsonParser) known(key []byte) string {
	if s, ok := p.keys[string(key)]; ok {
		return s
	}
	const most = 1000 // keys may be data, as ids are
	if p.keys == nil || len(p.keys) >= most {
		p.keys = map[string]string{}
	}
	s := string(key)
	p.keys[s] = s
	return s
}

func (p *jsonParser) word(w string) *jsonError {
	if !bytes.HasPrefix(p.b[p.i:], []byte(w)) {
		return p.expected("a value")
	}
	p.i += len(w)
	return nil
}

// expected tells what is there instead.
func (p *jsonParser) expected(what string) *jsonError {
	rest := p.b[p.i:]
	for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(rest, []byte(w)) {
			return &jsonError{at: p.i, msg: "a bare " + w, nan: true}
		}
	}
	if len(rest) == 0 {
		return p.fail("the line ends where %s should be: cut short", what)
	}
	return p.fail("%q where %s should be", Clip(rest, 12), what)
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (p *jsonParser) number(keep *Cell) *jsonError {
	start := p.i
	if p.peek() == '-' {
		if bytes.HasPrefix(p.b[p.i:], []byte("-Infinity")) {
			return p.expected("a number")
		}
		p.i++
	}
	if p.peek() == '0' {
		p.i++
	} else if !p.digits() {
		return p.expected("a digit")
	}
	if p.peek() == '.' {
		p.i++
		if !p.digits() {
			return p.expected("a digit")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		if !p.digits() {
			return p.expected("a digit")
		}
	}
	keep.Kind, keep.Text = CellNumber, string(p.b[start:p.i])
	// Out of range is ±Inf, which the row's checks refuse.
	keep.Num, _ = strconv.ParseFloat(keep.Text, 64)
	return nil
}

func (p *jsonParser) digits() bool {
	start := p.i
	for p.i < len(p.b) && p.b[p.i]-'0' <= 9 {
		p.i++
	}
	return p.i > start
}
