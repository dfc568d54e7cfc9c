package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// fields are the keys of a request's object, spelled as they are there.
type fields map[string]json.RawMessage

// parseFields refuses what encoding/json would mend unseen: bytes that are no
// UTF-8, and half a surrogate pair.
func parseFields(raw []byte) (fields, error) {
	if !utf8.Valid(raw) {
		return nil, bad("", "the body is not UTF-8")
	}
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return nil, bad("", "the body is not JSON: %v at byte %d", err, syntax.Offset)
		}
		return nil, bad("", "the body is JSON, and not an object")
	}
	if f == nil {
		return nil, bad("", "the body is null, and not an object")
	}
	if at := halfSurrogate(raw); at >= 0 {
		return nil, bad("", "half a surrogate pair at byte %d: such text is no Unicode", at)
	}
	return f, nil
}

// textKeys are those that a list of texts comes under in some dialect.
var textKeys = []string{"query", "input", "text", "input_ids", "queries", "documents", "items", "data_1", "data_2", "text_1", "text_2", "inputs", "messages"}

// bounded refuses lists of more texts than a request may have before they are decoded,
// which takes up to a hundred times their bytes. A list of numbers is one text's ids,
// one of messages a conversation.
func (f fields) bounded(limit int) error {
	for _, key := range textKeys {
		list, ok := bytes.CutPrefix(f[key], []byte("["))
		list = bytes.TrimLeft(list, " \t\r\n")
		if !ok || list[0] == '-' || list[0] >= '0' && list[0] <= '9' || list[0] == '{' && key == "messages" {
			continue
		}
		if n := listLength(f[key]); n > limit {
			return tooMany(key, n, limit)
		}
	}
	return nil
}

// listLength counts the elements of a valid list that has some.
func listLength(raw json.RawMessage) int {
	n, depth := 1, 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 1 {
				n++
			}
		}
	}
	return n
}

func tooMany(param string, texts, limit int) error {
	return bad(param, "%d texts, more than %d a request: send them in several (or start the server with a larger --max-items)", texts, limit)
}

// halfSurrogate finds an escape \ud800 to \udfff in valid JSON that is not one of a
// pair; -1 where there is none.
func halfSurrogate(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		first := escaped(raw[i-1:])
		if !utf16.IsSurrogate(first) {
			continue
		}
		if utf16.DecodeRune(first, escaped(raw[i+5:])) == utf8.RuneError {
			return i - 1
		}
		i += 10
	}
	return -1
}

// escaped is the unit of an escape \uXXXX, 0 where there is none.
func escaped(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

// has tells whether a key is there and not null.
func (f fields) has(key string) bool {
	raw, ok := f[key]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// first is the first of some keys that is there, "" for none.
func (f fields) first(keys ...string) string {
	for _, key := range keys {
		if f.has(key) {
			return key
		}
	}
	return ""
}

// into decodes a key that may be absent; want says in words what it should be.
func (f fields) into(key, want string, value any) error {
	if !f.has(key) {
		return nil
	}
	if json.Unmarshal(f[key], value) != nil {
		return bad(key, "%s is %s, want %s", key, clip(string(f[key])), want)
	}
	return nil
}

// text is a string, "" where the key is absent.
func (f fields) text(key string) (value string, err error) {
	return value, f.into(key, "a text", &value)
}

// flag is true or false, nil where the key is absent.
func (f fields) flag(key string) (*bool, error) {
	var value bool
	if !f.has(key) {
		return nil, nil
	}
	return &value, f.into(key, "true or false", &value)
}

// integer is a whole number, also where it is written 3.0; nil where the key is
// absent.
func (f fields) integer(key string) (*int, error) {
	var value float64
	if !f.has(key) {
		return nil, nil
	}
	if err := f.into(key, "a whole number", &value); err != nil {
		return nil, err
	}
	if value != math.Trunc(value) || math.Abs(value) > 1<<53 {
		return nil, bad(key, "%s is %s, want a whole number", key, clip(string(f[key])))
	}
	whole := int(value)
	return &whole, nil
}

// refuse names keys whose value would change the answer, and is not done here.
func (f fields) refuse(why string, keys ...string) error {
	if key := f.first(keys...); key != "" {
		return bad(key, "%s: %s", key, why)
	}
	return nil
}

// texts reads a text or a list of texts.
func (f fields) texts(key string) (texts []string, one bool, err error) {
	if !f.has(key) {
		return nil, false, bad(key, "%s is missing", key)
	}
	var text string
	if json.Unmarshal(f[key], &text) == nil {
		return []string{text}, true, nil
	}
	texts, err = textList(f[key], key)
	return texts, false, err
}

// textList reads a list of texts; null in it is none.
func textList(raw json.RawMessage, key string) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return nil, bad(key, "%s is %s, want a text or a list of texts", key, clip(string(raw)))
	}
	texts := make([]string, len(list))
	for i, text := range list {
		if text == nil {
			return nil, bad(key, "%s[%d] is null, want a text", key, i)
		}
		texts[i] = *text
	}
	return texts, nil
}
