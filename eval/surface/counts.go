// Package surface counts on texts what can be counted without understanding
// them: length, marks of markdown, hedges, words.
package surface

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"laurel/data"
)

// Counts are what can be counted on a response without understanding it.
type Counts [Num]float64

// What is counted, as an index of Counts.
const (
	Length    = iota // characters
	LongWords        // share of words of longWord letters or more: jargon
	Marks            // all marks of markdown below, with quotes and tables
	Items            // list items
	Headings
	Bold
	Code // fences and pieces of inline code
	Num  // of the counts
)

// Names are the counts', in their order.
func Names() [Num]string {
	return [Num]string{"length", "long words", "markdown", "list items", "headings", "bold", "code"}
}

// longWord is in letters; plain English has some 7 % of such words.
const longWord = 9

// Of counts on a response.
func Of(t data.Text) (s Counts) {
	add(&s, t.Plain)
	words := 0.0
	long := 0.0
	count := func(text string) {
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			words++
			if utf8.RuneCountInString(word) >= longWord {
				long++
			}
		}
	}
	count(t.Plain)
	for _, m := range t.Messages {
		add(&s, m.Content)
		count(m.Content)
	}
	s[Length] = float64(t.Chars())
	if words > 0 {
		s[LongWords] = long / words
	}
	s[Marks] += s[Items] + s[Headings] + s[Bold] + s[Code]
	return s
}

func add(s *Counts, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case isItem(line):
			s[Items]++
		case isHeading(line):
			s[Headings]++
		case strings.HasPrefix(line, "```"):
			s[Code]++
			continue
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "|"):
			s[Marks]++
		}
		s[Bold] += math.Floor(float64(strings.Count(line, "**")) / 2)
		s[Code] += math.Floor(float64(strings.Count(line, "`")) / 2)
	}
}

// isItem knows "- ", "* ", "+ ", "• ", "1. " and "1) ".
func isItem(line string) bool {
	for _, mark := range []string{"- ", "* ", "+ ", "• "} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	rest := strings.TrimLeft(line, "0123456789")
	digits := len(line) - len(rest)
	return digits > 0 && digits <= 3 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

func isHeading(line string) bool {
	rest := strings.TrimLeft(line, "#")
	level := len(line) - len(rest)
	return level >= 1 && level <= 6 && strings.HasPrefix(rest, " ")
}
