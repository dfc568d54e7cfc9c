package draw

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"laurel/data"
)

// Example is a row of the data to look at, with its texts.
type Example struct {
	Title, Note string
	Texts       []Passage
}

// Passage is a text from outside: shown as it is, never as markup.
type Passage struct{ Name, Text string }

// Words are the texts of a part of a dialogue, a message under its role.
func Words(t data.Text) string {
	parts := []string{}
	if t.Plain != "" {
		parts = append(parts, t.Plain)
	}
	for _, m := range t.Messages {
		parts = append(parts, m.Role+": "+m.Content)
	}
	return strings.Join(parts, "\n\n")
}

// What a page shows of a passage, in characters.
const (
	foldedFrom   = 400  // longer ones are folded
	beginning    = 160  // stands while it is folded
	longestShown = 6000 // more is left out, and said
)

// Folded says whether the text is shown only when asked for.
func (p Passage) Folded() bool {
	return utf8.RuneCountInString(p.Text) > foldedFrom || strings.Count(p.Text, "\n") > 12
}

// Beginning is what stands while the text is folded.
func (p Passage) Beginning() string {
	start, _ := cutRunes(p.Text, beginning)
	return fmt.Sprintf("%s… (%d characters)", strings.TrimSpace(start), utf8.RuneCountInString(p.Text))
}

// Shown is the text, up to what a page can bear.
func (p Passage) Shown() string {
	if p.Text == "" {
		return "(empty)"
	}
	shown, left := cutRunes(p.Text, longestShown)
	if left > 0 {
		shown += fmt.Sprintf("… (%d more characters)", left)
	}
	return shown
}

// cutRunes keeps the first n characters and counts the rest.
func cutRunes(s string, n int) (kept string, left int) {
	for i := range s {
		if n == 0 {
			return s[:i], utf8.RuneCountInString(s[i:])
		}
		n--
	}
	return s, 0
}
