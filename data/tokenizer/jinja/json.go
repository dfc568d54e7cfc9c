package jinja

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// JSONText is a text as json.dumps(text, ensure_ascii=False) writes it.
func JSONText(s string) string {
	w := jsonWriter{}
	w.text(s)
	return w.out.String()
}

// toJSON is transformers' filter tojson: json.dumps.
func toJSON(r *run, value Value, c *call) Value {
	w := jsonWriter{run: r, item: ", ", key: ": ", indent: -1}
	w.ascii = r.truth(c.optional("ensure_ascii", false))
	switch indent := c.optional("indent", nil).(type) {
	case nil:
	case int64:
		w.indent = max(0, int(min(indent, 1<<20)))
		w.item = ","
	default:
		r.fail("tojson: indent=%s is not supported here", r.key(indent))
	}
	if separators := c.optional("separators", nil); separators != nil {
		pair := r.iterate(separators)
		if len(pair) != 2 {
			r.fail("tojson: separators are two, not %d", len(pair))
		}
		w.item, w.key = c.text(pair[0]), c.text(pair[1])
	}
	w.sort = r.truth(c.optional("sort_keys", false))
	c.done()
	w.value(value, 0)
	return w.out.String()
}

// jsonWriter writes what Python's json.dumps does.
type jsonWriter struct {
	run         *run
	out         strings.Builder
	item, key   string // separators
	indent      int    // -1 for one line
	sort, ascii bool
}

func (w *jsonWriter) value(v Value, depth int) {
	w.run.step(1)
	switch v := v.(type) {
	case string:
		w.text(v)
	case *markup:
		w.text(v.text)
	case *List:
		w.nested('[', ']', len(v.Items), depth, func(i int) { w.value(v.Items[i], depth+1) })
	case *Tuple:
		w.nested('[', ']', len(v.Items), depth, func(i int) { w.value(v.Items[i], depth+1) })
	case *Dict:
		entries := v.entries
		if w.sort {
			entries = slices.Clone(entries)
			slices.SortStableFunc(entries, func(a, b entry) int { return w.run.order("<", a.key, b.key) })
		}
		w.nested('{', '}', len(entries), depth, func(i int) {
			key, ok := textOf(entries[i].key)
			if !ok {
				key = w.scalar(entries[i].key, "keys must be str, int, float, bool or None, not %s")
			}
			w.text(key)
			w.out.WriteString(w.key)
			w.value(entries[i].value, depth+1)
		})
	default:
		w.out.WriteString(w.scalar(v, "Object of type %s is not JSON serializable"))
	}
	w.run.take(w.out.Len() / 8)
}

// scalar is a value without members.
func (w *jsonWriter) scalar(v Value, otherwise string) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return w.run.digits(v)
	case float64:
		return floatText(v, "Infinity", "NaN")
	}
	w.run.fail(otherwise, typeName(v))
	return ""
}

func (w *jsonWriter) nested(opening, closing byte, n, depth int, member func(i int)) {
	defer w.run.enter()()
	w.out.WriteByte(opening)
	for i := range n {
		if i > 0 {
			w.out.WriteString(w.item)
		}
		w.line(depth + 1)
		member(i)
	}
	if n > 0 {
		w.line(depth)
	}
	w.out.WriteByte(closing)
}

func (w *jsonWriter) line(depth int) {
	if w.indent >= 0 {
		w.run.take(w.indent*depth + 1)
		w.out.WriteString("\n" + strings.Repeat(" ", w.indent*depth))
	}
}

func (w *jsonWriter) text(s string) {
	if w.run != nil {
		w.run.take(len(s))
	}
	w.out.WriteByte('"')
	for i, c := range s {
		switch {
		case c == '"' || c == '\\':
			w.out.WriteByte('\\')
			w.out.WriteRune(c)
		case c < 0x20:
			if short := strings.IndexRune("\b\f\n\r\t", c); short >= 0 {
				w.out.WriteString(`\` + "bfnrt"[short:short+1])
			} else {
				fmt.Fprintf(&w.out, `\u%04x`, c)
			}
		case w.ascii && c >= 0x10000:
			fmt.Fprintf(&w.out, `\u%04x\u%04x`, 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff)
		case w.ascii && c > 0x7e:
			fmt.Fprintf(&w.out, `\u%04x`, c)
		default:
			_, size := utf8.DecodeRuneInString(s[i:])
			w.out.WriteString(s[i : i+size])
		}
	}
	w.out.WriteByte('"')
}

// FromJSON is a JSON text as json.loads has it: keys in their order and integers
// apart from other numbers.
func FromJSON(text string) (Value, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	v, err := decodeValue(decoder)
	if err == nil {
		if _, err := decoder.Token(); err != io.EOF {
			return nil, errors.New("something follows the JSON value")
		}
	}
	return v, err
}

func decodeValue(decoder *json.Decoder) (Value, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return decodeList(decoder)
		}
		return decodeDict(decoder)
	case json.Number:
		return decodeNumber(token.String())
	}
	return token, nil // string, bool, nil
}

func decodeNumber(digits string) (Value, error) {
	if !strings.ContainsAny(digits, ".eE") {
		n, ok := new(big.Int).SetString(digits, 10)
		if !ok || len(digits) > 4300 {
			return nil, fmt.Errorf("the integer %.40s… has more than 4300 digits", digits)
		}
		return whole(n), nil
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %.40s is out of range", digits)
	}
	return x, nil
}

func decodeList(decoder *json.Decoder) (Value, error) {
	var items []Value
	for decoder.More() {
		item, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := decoder.Token()
	return &List{items}, err
}

func decodeDict(decoder *json.Decoder) (Value, error) {
	dict := NewDict()
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		dict.Set(key.(string), value)
	}
	_, err := decoder.Token()
	return dict, err
}
