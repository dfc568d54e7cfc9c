package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ardanlabs/jinja"
)

// pythonJSON stands for the filter tojson, which the template library has with
// other bytes: transformers' is json.dumps(value, ensure_ascii=False), with
// indent, separators, sort_keys and ensure_ascii as arguments.
func pythonJSON(args []jinja.Value, options map[string]jinja.Value) (jinja.Value, error) {
	if len(args) != 1 {
		return jinja.Undefined(), errors.New("tojson: name its arguments: indent=, separators=, sort_keys=, ensure_ascii=")
	}
	w := jsonWriter{item: ", ", key: ": ", indent: -1}
	for name, value := range options {
		if err := w.option(name, value); err != nil {
			return jinja.Undefined(), err
		}
	}
	if w.indent >= 0 && options["separators"].IsUndefined() {
		w.item = ","
	}
	if err := w.value(args[0], 0); err != nil {
		return jinja.Undefined(), err
	}
	return jinja.NewString(w.out.String()), nil
}

// jsonWriter writes what Python's json.dumps does.
type jsonWriter struct {
	out         strings.Builder
	item, key   string // separators
	indent      int    // -1 for one line
	sort, ascii bool
}

func (w *jsonWriter) option(name string, value jinja.Value) error {
	switch {
	case value.IsNone() || value.IsUndefined():
	case name == "indent" && value.IsInt():
		w.indent = int(value.AsInt())
	case name == "sort_keys" && value.IsBool():
		w.sort = value.AsBool()
	case name == "ensure_ascii" && value.IsBool():
		w.ascii = value.AsBool()
	case name == "separators" && value.IsList() && value.AsList().Len() == 2 && value.AsList().Items[0].IsString() && value.AsList().Items[1].IsString():
		w.item, w.key = value.AsList().Items[0].AsString(), value.AsList().Items[1].AsString()
	default:
		return fmt.Errorf("tojson: %s=%s is not supported", name, value.String())
	}
	return nil
}

func (w *jsonWriter) value(v jinja.Value, depth int) error {
	switch {
	case v.IsNone():
		w.out.WriteString("null")
	case v.IsBool():
		w.out.WriteString(strconv.FormatBool(v.AsBool()))
	case v.IsInt():
		w.out.WriteString(strconv.FormatInt(v.AsInt(), 10))
	case v.IsFloat():
		w.out.WriteString(pythonFloat(v.AsFloat()))
	case v.IsString():
		w.text(v.AsString())
	case v.IsList():
		items := v.AsList().Items
		return w.nested('[', ']', len(items), depth, func(i int) error { return w.value(items[i], depth+1) })
	case v.IsDict():
		d := v.AsDict()
		keys := d.Keys
		if w.sort {
			keys = slices.Sorted(slices.Values(keys))
		}
		return w.nested('{', '}', len(keys), depth, func(i int) error {
			w.text(keys[i])
			w.out.WriteString(w.key)
			return w.value(d.Data[keys[i]], depth+1)
		})
	default:
		return errors.New("tojson: a value that is undefined or no JSON")
	}
	return nil
}

func (w *jsonWriter) nested(opening, closing byte, n, depth int, member func(i int) error) error {
	w.out.WriteByte(opening)
	for i := range n {
		if i > 0 {
			w.out.WriteString(w.item)
		}
		w.line(depth + 1)
		if err := member(i); err != nil {
			return err
		}
	}
	if n > 0 {
		w.line(depth)
	}
	w.out.WriteByte(closing)
	return nil
}

func (w *jsonWriter) line(depth int) {
	if w.indent >= 0 {
		w.out.WriteString("\n" + strings.Repeat(" ", w.indent*depth))
	}
}

func (w *jsonWriter) text(s string) {
	w.out.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.out.WriteByte('\\')
			w.out.WriteRune(r)
		case r < 0x20:
			if short := strings.IndexRune("\b\f\n\r\t", r); short >= 0 {
				w.out.WriteString(`\` + "bfnrt"[short:short+1])
			} else {
				fmt.Fprintf(&w.out, `\u%04x`, r)
			}
		case w.ascii && r >= 0x10000:
			fmt.Fprintf(&w.out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		case w.ascii && r > 0x7e:
			fmt.Fprintf(&w.out, `\u%04x`, r)
		default:
			_, size := utf8.DecodeRuneInString(s[i:])
			w.out.WriteString(s[i : i+size])
		}
	}
	w.out.WriteByte('"')
}

// pythonFloat is repr(x): an exponent below 1e-4 and from 1e16.
func pythonFloat(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	case math.IsNaN(x):
		return "NaN"
	}
	scientific := strconv.FormatFloat(x, 'e', -1, 64)
	exponent, _ := strconv.Atoi(scientific[strings.IndexByte(scientific, 'e')+1:])
	if x != 0 && (exponent < -4 || exponent >= 16) {
		return scientific
	}
	plain := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}

// fromJSON is a JSON text as a template's value, keys in their order and
// integers apart from other numbers, as json.loads has them.
func fromJSON(text string) (jinja.Value, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	v, err := decodeValue(decoder)
	if err == nil {
		if _, err := decoder.Token(); err != io.EOF {
			return jinja.Undefined(), errors.New("something follows the JSON value")
		}
	}
	return v, err
}

func decodeValue(decoder *json.Decoder) (jinja.Value, error) {
	token, err := decoder.Token()
	if err != nil {
		return jinja.Undefined(), err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return decodeList(decoder)
		}
		return decodeDict(decoder)
	case string:
		return jinja.NewString(token), nil
	case bool:
		return jinja.NewBool(token), nil
	case json.Number:
		return number(token.String())
	}
	return jinja.None(), nil
}

func number(digits string) (jinja.Value, error) {
	if !strings.ContainsAny(digits, ".eE") {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return jinja.Undefined(), fmt.Errorf("the integer %.40s has more than 64 bits", digits)
		}
		return jinja.NewInt(n), nil
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return jinja.Undefined(), fmt.Errorf("the number %.40s is out of range", digits)
	}
	return jinja.NewFloat(x), nil
}

func decodeList(decoder *json.Decoder) (jinja.Value, error) {
	var items []jinja.Value
	for decoder.More() {
		item, err := decodeValue(decoder)
		if err != nil {
			return jinja.Undefined(), err
		}
		items = append(items, item)
	}
	_, err := decoder.Token()
	return jinja.NewList(items), err
}

func decodeDict(decoder *json.Decoder) (jinja.Value, error) {
	dict := jinja.NewDict()
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return jinja.Undefined(), err
		}
		value, err := decodeValue(decoder)
		if err != nil {
			return jinja.Undefined(), err
		}
		dict.AsDict().Set(key.(string), value)
	}
	_, err := decoder.Token()
	return dict, err
}
