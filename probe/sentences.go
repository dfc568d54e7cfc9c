package probe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence is a sentence with the white space after it: joined, those of a text
// are the text.
type sentence struct{ text, gap string }

// sentences cuts a text after a full stop, question or exclamation mark (with
// the quotes and brackets that close behind it) where white space and no small
// letter follows, after the marks of Chinese and Japanese, and at line breaks.
func sentences(text string) (out []sentence) {
	for text != "" {
		end := sentenceEnd(text)
		rest := strings.TrimLeftFunc(text[end:], unicode.IsSpace)
		out = append(out, sentence{text[:end], text[end : len(text)-len(rest)]})
		text = rest
	}
	return out
}

// sentenceEnd is the length of the first sentence of a text, in bytes.
func sentenceEnd(text string) int {
	ended := false // whether a mark that ends a sentence stands before i
	for i, c := range text {
		switch {
		case c == '\n' && i > 0:
			return len(strings.TrimRightFunc(text[:i], unicode.IsSpace))
		case strings.ContainsRune("。！？", c):
			return i + utf8.RuneLen(c)
		case strings.ContainsRune(".!?…", c):
			ended = true
		case ended && unicode.IsSpace(c):
			next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text[i:], unicode.IsSpace))
			if !unicode.IsLower(next) {
				return i
			}
			ended = false
		case !strings.ContainsRune(`"')]}”’»*_`, c):
			ended = false
		}
	}
	return len(text)
}

// join puts sentences together, without white space at the end.
func join(all ...sentence) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s.text + s.gap)
	}
	return strings.TrimRightFunc(b.String(), unicode.IsSpace)
}

// mapWords replaces each word, a run of letters and apostrophes, by what change
// makes of it; at counts words from 0.
func mapWords(text string, change func(at int, word string) string) string {
	var b strings.Builder
	at := 0
	for text != "" {
		n := strings.IndexFunc(text, func(c rune) bool { return !inWord(c) })
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			b.WriteString(change(at, text[:n]))
			at, text = at+1, text[n:]
		}
		gap := strings.IndexFunc(text, inWord)
		if gap < 0 {
			gap = len(text)
		}
		b.WriteString(text[:gap])
		text = text[gap:]
	}
	return b.String()
}

func inWord(c rune) bool { return unicode.IsLetter(c) || unicode.IsMark(c) || c == '\'' || c == '’' }
