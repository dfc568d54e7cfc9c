package tokenizer

import (
	"errors"
	"fmt"
	"strings"
)

// applyWhitespace carries out Jinja's whitespace rules on a template's source,
// with trim_blocks and lstrip_blocks on as transformers sets them. All text
// outside tags becomes quoted expressions and the marks - and + go, so that the
// template library's own rules, which lose a blank line between two blocks and
// do not know +, have nothing left to act on. Lines keep their numbers.
//
//   - trim_blocks: the newline right after %} or #} goes, unless it is +%}.
//   - lstrip_blocks: blanks from the start of a line to {% or {# go, unless {%+.
//   - {%- and -%}, and so on: all white space before and after goes.
//   - One newline at the very end goes.
//
// Source: https://jinja.palletsprojects.com/en/stable/templates/#whitespace-control
func applyWhitespace(source string) (string, error) {
	source = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(source)
	w := whitespace{rest: strings.TrimSuffix(source, "\n"), lineStart: true}
	for w.rest != "" {
		if err := w.textAndTag(); err != nil {
			return "", err
		}
	}
	return w.out.String(), nil
}

type whitespace struct {
	out       strings.Builder
	rest      string
	trimAll   bool // the tag before ended in -
	trimLine  bool // the tag before was a block or a comment: its newline goes
	lineStart bool // rest is at the start of a line
}

// Jinja strips what Python's str.strip does; templates use ASCII alone.
const blanks = " \t\n\v\f"

// textAndTag takes the text up to the next tag, and the tag.
func (w *whitespace) textAndTag() error {
	at := nextTag(w.rest)
	text := w.rest[:at]
	w.rest = w.rest[at:]
	if w.rest == "" {
		w.write(w.trimStart(text), text)
		return nil
	}
	mark := byte(0)
	if len(w.rest) > 2 {
		mark = w.rest[2]
	}
	w.write(w.trimEnd(w.trimStart(text), w.rest[1], mark), text)
	return w.tag()
}

// trimStart does what the tag before a text asks for.
func (w *whitespace) trimStart(text string) string {
	trimAll, trimLine := w.trimAll, w.trimLine
	w.trimAll, w.trimLine = false, false
	switch {
	case trimAll:
		return strings.TrimLeft(text, blanks)
	case trimLine && strings.HasPrefix(text, "\n"):
		w.lineStart = true
		return text[1:]
	}
	return text
}

// trimEnd does what the tag after a text asks for: kind is its second byte,
// mark its third.
func (w *whitespace) trimEnd(text string, kind, mark byte) string {
	line := strings.LastIndexByte(text, '\n') + 1
	startsLine := line > 0 || w.lineStart
	w.lineStart = false
	switch {
	case mark == '-':
		return strings.TrimRight(text, blanks)
	case kind != '{' && mark != '+' && startsLine && strings.Trim(text[line:], blanks) == "":
		return text[:line]
	}
	return text
}

// write puts a text as an expression, with as many line ends as the source had.
func (w *whitespace) write(text, source string) {
	lines := strings.Repeat("\n", strings.Count(source, "\n"))
	switch {
	case text != "":
		w.out.WriteString("{{ " + quoteJinja(text) + lines + " }}")
	case lines != "":
		w.out.WriteString("{#" + lines + "#}")
	}
}

func quoteJinja(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`).Replace(text) + "'"
}

// tag takes one tag, and the whole of a raw block.
func (w *whitespace) tag() error {
	tag, body, err := cutTag(w.rest)
	if err != nil {
		return err
	}
	w.rest = w.rest[len(tag):]
	w.after(tag)
	switch {
	case tag[1] == '#':
		w.write("", tag)
	case tag[1] == '%' && strings.TrimSpace(body) == "raw":
		return w.raw()
	default:
		w.out.WriteString(tag[:2] + " " + pythonTag(tag[1], body) + " " + tag[len(tag)-2:])
	}
	return nil
}

// after notes what the end of a tag asks of the text behind it.
func (w *whitespace) after(tag string) {
	mark := tag[len(tag)-3]
	w.trimAll = mark == '-'
	w.trimLine = tag[1] != '{' && mark != '+'
}

// raw takes the text up to {% endraw %}, in which tags are text.
func (w *whitespace) raw() error {
	for at := 0; ; at += 2 {
		i := strings.Index(w.rest[at:], "{%")
		if i < 0 {
			return errors.New("{% raw %} is not closed")
		}
		at += i
		tag, body, err := cutTag(w.rest[at:])
		if err != nil || strings.TrimSpace(body) != "endraw" {
			continue
		}
		text := w.rest[:at]
		w.rest = w.rest[at+len(tag):]
		w.write(w.trimEnd(w.trimStart(text), '%', tag[2]), text)
		w.after(tag)
		return nil
	}
}

// nextTag is the place of the next {{, {% or {#, or the end.
func nextTag(text string) int {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '{' && strings.IndexByte("{%#", text[i+1]) >= 0 {
			return i
		}
	}
	return len(text)
}

// cutTag takes the tag that text begins with, and what stands in it without
// marks. Quoted text and the braces of a dictionary do not end a tag; braces
// that touch in one are set apart, for the library's sake.
func cutTag(text string) (tag, body string, err error) {
	if text[1] == '#' {
		if i := strings.Index(text[2:], "#}"); i >= 0 {
			return text[:i+4], "", nil
		}
		return "", "", errors.New("a comment is not closed")
	}
	closing := text[1]
	if closing == '{' {
		closing = '}'
	}
	var inside, unquoted strings.Builder
	depth := 0
	for i := 2; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' || c == '"':
			end := quoteEnd(text[i:])
			inside.WriteString(text[i : i+end])
			unquoted.WriteString("''")
			i += end - 1
			continue
		case depth == 0 && c == closing && strings.HasPrefix(text[i+1:], "}"):
			body = strings.TrimRight(strings.TrimLeft(inside.String(), "+-"), "+-")
			return text[:i+2], body, checkSupported(unquoted.String())
		case c == '{':
			depth++
		case c == '}':
			depth--
			inside.WriteByte(' ')
		}
		inside.WriteByte(text[i])
		unquoted.WriteByte(text[i])
	}
	return "", "", fmt.Errorf("a tag is not closed: %.40q", text)
}

// quoteEnd is the length of the quoted text that text begins with.
func quoteEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}
