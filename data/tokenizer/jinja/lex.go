package jinja

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	endToken   tokenKind = iota // of the template
	textToken                   // outside of tags
	openToken                   // {{ or {%
	closeToken                  // }} or %}
	nameToken
	stringToken
	intToken
	floatToken
	operatorToken
)

// token is one of a template's: text is what a string, a name or text between
// tags says, and the characters of all others.
type token struct {
	kind tokenKind
	text string
	line int
}

func (t token) String() string {
	switch t.kind {
	case endToken:
		return "the end of the template"
	case textToken:
		return "text"
	case stringToken:
		return fmt.Sprintf("the text %q", t.text)
	}
	return fmt.Sprintf("'%s'", t.text)
}

// lexer follows jinja2's (lexer.py): trim_blocks and lstrip_blocks are on, as
// transformers has them.
type lexer struct {
	source string
	at     int
	line   int
	out    []token
	// lineStart is whether what was read last ended a line.
	lineStart bool
}

var newlines = regexp.MustCompile(`\r\n|\r|\n`)

// lex splits a template. A newline at its end is left out, as jinja2 does.
func lex(source string) []token {
	if !utf8.ValidString(source) {
		panic(syntaxError(1, "the template is not UTF-8"))
	}
	source = strings.TrimSuffix(newlines.ReplaceAllString(source, "\n"), "\n")
	l := &lexer{source: source, line: 1, lineStart: true}
	for l.at < len(l.source) {
		l.next()
	}
	l.emit(endToken, "")
	return l.out
}

func (l *lexer) emit(kind tokenKind, text string) {
	l.out = append(l.out, token{kind, text, l.line})
}

// advance goes on to a place and counts the lines on the way.
func (l *lexer) advance(to int) {
	l.line += strings.Count(l.source[l.at:to], "\n")
	l.lineStart = to > 0 && l.source[to-1] == '\n'
	l.at = to
}

// text emits what stands before a tag.
func (l *lexer) text(text string) {
	if text != "" {
		l.emit(textToken, text)
	}
}

var (
	rawBegin   = regexp.MustCompile(`^\{%([-+]?)\s*raw\s*(?:-%\}` + space + `*|%\})`)
	rawEnd     = regexp.MustCompile(`\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}` + space + `*|%\}\n?)`)
	commentEnd = regexp.MustCompile(`\+#\}|-#\}` + space + `*|#\}\n?`)
	blockEnd   = regexp.MustCompile(`^(?:\+%\}|-%\}` + space + `*|%\}\n?)`)
	printEnd   = regexp.MustCompile(`^(?:-\}\}` + space + `*|\}\})`)
)

// space is one of Python's white space characters.
const space = `[\s\v\x1c-\x1f\x{85}\p{Z}]`

// next reads text up to a tag, and the tag.
func (l *lexer) next() {
	rest := l.source[l.at:]
	begin := nextTag(rest)
	if begin == len(rest) {
		l.text(rest)
		l.advance(len(l.source))
		return
	}
	kind, sign := rest[begin+1], byte(0)
	if begin+2 < len(rest) && (rest[begin+2] == '-' || rest[begin+2] == '+') {
		sign = rest[begin+2]
	}
	l.text(strippedLeft(rest[:begin], sign, kind != '{', l.lineStart))
	l.advance(l.at + begin)
	rest = l.source[l.at:]
	width := 2
	if sign != 0 {
		width = 3
	}
	switch {
	case kind == '#':
		end := commentEnd.FindStringIndex(rest[width:])
		if end == nil {
			panic(syntaxError(l.line, "a comment {# is not closed"))
		}
		l.advance(l.at + width + end[1])
	case kind == '%' && rawBegin.MatchString(rest):
		l.raw(rest)
	default:
		l.emit(openToken, rest[:2])
		l.advance(l.at + width)
		l.tag(kind)
	}
}

// raw reads {% raw %} to {% endraw %}.
func (l *lexer) raw(rest string) {
	begin := len(rawBegin.FindString(rest))
	end := rawEnd.FindStringSubmatchIndex(rest[begin:])
	if end == nil {
		panic(syntaxError(l.line, "{% raw %} is not closed"))
	}
	l.advance(l.at + begin)
	sign := byte(0)
	if end[3] > end[2] {
		sign = rest[begin+end[2]]
	}
	l.text(strippedLeft(rest[begin:begin+end[0]], sign, true, l.lineStart))
	l.advance(l.at + end[1])
}

// nextTag is where the next tag or comment begins.
func nextTag(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%' || s[i+1] == '#') {
			return i
		}
	}
	return len(s)
}

// strippedLeft is text before a tag without what the tag takes off: with - all
// white space, and before blocks and comments that of the tag's own line.
func strippedLeft(text string, sign byte, ownLine, lineStart bool) string {
	switch {
	case sign == '-':
		return strings.TrimRightFunc(text, isSpace)
	case sign == '+' || !ownLine:
		return text
	}
	line := strings.LastIndexByte(text, '\n') + 1
	if (line > 0 || lineStart) && strings.TrimLeftFunc(text[line:], isSpace) == "" {
		return text[:line]
	}
	return text
}

// isSpace is Python's str.isspace.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

var (
	floatLiteral = regexp.MustCompile(`^(?i)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)`)
	intLiteral   = regexp.MustCompile(`^(?i)(?:0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*)`)
	nameLiteral  = regexp.MustCompile(`^[\pL\pN_]+`)
	quoted       = regexp.MustCompile(`^(?s)(?:'([^'\\]*(?:\\.[^'\\]*)*)'|"([^"\\]*(?:\\.[^"\\]*)*)")`)
	operators    = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"}
)

var closing = map[string]string{"(": ")", "[": "]", "{": "}"}

// tag reads the tokens of a tag, and its end.
func (l *lexer) tag(kind byte) {
	end, closer := printEnd, "}}"
	if kind == '%' {
		end, closer = blockEnd, "%}"
	}
	var open []string // brackets
	for {
		rest := l.source[l.at:]
		if rest == "" {
			panic(syntaxError(l.line, "a tag is not closed: want '%s'", closer))
		}
		if len(open) == 0 {
			if found := end.FindString(rest); found != "" {
				l.emit(closeToken, closer)
				l.advance(l.at + len(found))
				return
			}
		}
		if trimmed := strings.TrimLeftFunc(rest, isSpace); len(trimmed) < len(rest) {
			l.advance(l.at + len(rest) - len(trimmed))
			continue
		}
		n := l.word(rest)
		if last := l.out[len(l.out)-1]; last.kind == operatorToken {
			open = balanced(open, last)
		}
		l.advance(l.at + n)
	}
}

// balanced follows brackets.
func balanced(open []string, t token) []string {
	switch t.text {
	case "(", "[", "{":
		return append(open, closing[t.text])
	case ")", "]", "}":
		if len(open) == 0 {
			panic(syntaxError(t.line, "unexpected '%s'", t.text))
		}
		if want := open[len(open)-1]; want != t.text {
			panic(syntaxError(t.line, "unexpected '%s', expected '%s'", t.text, want))
		}
		return open[:len(open)-1]
	}
	return open
}

// word emits one token of a tag, and gives its length.
func (l *lexer) word(rest string) int {
	afterDot := l.at > 0 && l.source[l.at-1] == '.'
	if found := floatLiteral.FindString(rest); found != "" && !afterDot {
		l.emit(floatToken, strings.ReplaceAll(found, "_", ""))
		return len(found)
	}
	if found := intLiteral.FindString(rest); found != "" {
		l.emit(intToken, strings.ReplaceAll(found, "_", ""))
		return len(found)
	}
	if found := nameLiteral.FindString(rest); found != "" {
		if first, _ := utf8.DecodeRuneInString(found); !unicode.IsLetter(first) && first != '_' {
			panic(syntaxError(l.line, "invalid name %q", found))
		}
		l.emit(nameToken, found)
		return len(found)
	}
	if found := quoted.FindStringSubmatch(rest); found != nil {
		l.emit(stringToken, l.unescape(found[1]+found[2]))
		return len(found[0])
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.emit(operatorToken, op)
			return len(op)
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	panic(syntaxError(l.line, "unexpected character %q", r))
}
