package tokenizer

import (
	"fmt"
	"regexp"
	"strings"
)

// The template library joins anything to a text (None as nothing, a list as its
// own idea of one), where Python has str(value) or a TypeError. So what stands in
// a tag is rewritten to call the functions of python_values.go:
//
//	{{ a }}           {{ python_str(a) }}
//	a + b             python_add(a, b)
//	a ~ b             python_cat(a, b)
//	a | trim          a | python_trim, and tojson, string, join
//	a | upper         a | python_str | upper, and so on
//	a is iterable     a | python_iterable
//	for x in a        for x in python_iter(a)

// pythonFilters stand for filters that the library has with other results.
var pythonFilters = map[string]string{
	"tojson": jsonFilter, "string": "python_str", "trim": "python_trim", "join": "python_join",
	"from_json": "python_unknown",
	"upper":     "python_str | upper", "lower": "python_str | lower", "capitalize": "python_str | capitalize", "title": "python_str | title", "replace": "python_str | replace",
}

// jsonFilter is what templates' tojson is renamed to: see pythonJSON.
const jsonFilter = "python_json"

// loosely are the words between which an operand of + and ~ lies.
var loosely = map[string]bool{"and": true, "or": true, "not": true, "in": true, "is": true, "if": true, "else": true,
	"elif": true, "for": true, "set": true, "recursive": true}

var (
	filterName = regexp.MustCompile(`^\|\s*(\w+)`)
	isIterable = regexp.MustCompile(`^is\s+(not\s+)?iterable\b`)
	lastWord   = regexp.MustCompile(`\w+\s*$`)
	powerOf    = regexp.MustCompile(`^\*\*\s*(\w+)`)
	forTag     = regexp.MustCompile(`^\s*for\b`)
)

// pythonTag rewrites what stands in a tag of that kind, { or %.
func pythonTag(kind byte, body string) string {
	x := &expression{}
	x.scan(body, forTag.MatchString(body))
	if kind == '{' {
		return "python_str(" + x.out.String() + ")"
	}
	return x.out.String()
}

// expression is rewritten from left to right: terms are the operands of + since
// the last looser operator, each of them the operands of ~.
type expression struct {
	out   strings.Builder
	terms [][]string
	iter  bool // within what a for goes over
}

// scan rewrites one level of brackets. loop says that it is a for's tag.
func (x *expression) scan(s string, loop bool) {
	x.terms = [][]string{{""}}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\'' || c == '"':
			end := i + quoteEnd(s[i:])
			x.add(joinLines(s[i:end]))
			i = end
		case strings.IndexByte("([{", c) >= 0:
			end := closing(s, i)
			inner := &expression{}
			inner.scan(s[i+1:end], false)
			x.add(s[i:i+1] + inner.out.String())
			if end < len(s) {
				x.add(s[end : end+1])
			}
			i = end + 1
		case c == '|' && filterName.MatchString(s[i:]):
			found := filterName.FindStringSubmatch(s[i:])
			name := found[1]
			if python, ok := pythonFilters[name]; ok {
				name = python
			}
			x.add("| " + name)
			i += len(found[0])
		case isWord(c):
			i = x.word(s, i, &loop)
		case strings.IndexByte(",:=<>!", c) >= 0:
			x.flush()
			x.out.WriteByte(c)
			i++
		case strings.HasPrefix(s[i:], "**"):
			i += x.power(s[i:])
		default:
			x.operator(c)
			i++
		}
	}
	x.flush()
}

// power takes a ** between two numbers or names: of whole numbers it is whole.
func (x *expression) power(s string) (taken int) {
	last := &x.terms[len(x.terms)-1]
	part := &(*last)[len(*last)-1]
	base, exponent := lastWord.FindString(*part), powerOf.FindStringSubmatch(s)
	if base == "" || exponent == nil {
		x.add("**")
		return 2
	}
	*part = fmt.Sprintf("%spython_pow(%s, %s)", strings.TrimSuffix(*part, base), base, exponent[1])
	return len(exponent[0])
}

// joinLines leaves out of a quoted text what Python does: a backslash at a line's
// end, with that end (Mistral Small's templates).
func joinLines(quoted string) string {
	if !strings.Contains(quoted, "\\\n") {
		return quoted
	}
	var b strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch {
		case quoted[i] != '\\' || i+1 == len(quoted):
			b.WriteByte(quoted[i])
		case quoted[i+1] == '\n':
			i++
		default:
			b.WriteString(quoted[i : i+2])
			i++
		}
	}
	return b.String()
}

// word takes the word at i, which may end the operand.
func (x *expression) word(s string, i int, loop *bool) (next int) {
	end := i
	for end < len(s) && isWord(s[end]) {
		end++
	}
	word := s[i:end]
	attribute := strings.HasSuffix(strings.TrimRight(s[:i], " \t\n"), ".")
	switch {
	case attribute || !loosely[word]:
		x.add(word)
	case isIterable.MatchString(s[i:]):
		found := isIterable.FindStringSubmatch(s[i:])
		name := "python_iterable"
		if found[1] != "" {
			name = "python_uniterable"
		}
		x.add("| " + name)
		return i + len(found[0])
	default:
		x.flush()
		x.out.WriteString(word)
		if *loop && word == "in" {
			*loop, x.iter = false, true
		}
	}
	return end
}

// operator takes another character: + and ~ begin an operand.
func (x *expression) operator(c byte) {
	last := len(x.terms) - 1
	begun := strings.TrimSpace(strings.Join(x.terms[last], "")) != ""
	switch {
	case c == '+' && begun: // else it is a sign
		x.terms = append(x.terms, []string{""})
	case c == '~':
		x.terms[last] = append(x.terms[last], "")
	default:
		x.add(string([]byte{c}))
	}
}

func (x *expression) add(text string) {
	last := &x.terms[len(x.terms)-1]
	(*last)[len(*last)-1] += text
}

// flush writes the operands since the last looser operator.
func (x *expression) flush() {
	sums := make([]string, len(x.terms))
	for i, parts := range x.terms {
		sums[i] = called("python_cat", parts)
	}
	text := called("python_add", sums)
	if x.iter && strings.TrimSpace(text) != "" {
		text, x.iter = " python_iter("+text+") ", false
	}
	x.out.WriteString(text)
	x.terms = [][]string{{""}}
}

// called is a single operand as it is, several as a call.
func called(function string, operands []string) string {
	if len(operands) == 1 {
		return operands[0]
	}
	return fmt.Sprintf(" %s(%s) ", function, strings.Join(operands, ", "))
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// closing is the place of the bracket that closes the one at i, or the end.
func closing(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			i += quoteEnd(s[i:]) - 1
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s)
}
