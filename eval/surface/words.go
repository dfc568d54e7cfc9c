package surface

import (
	"iter"
	"strings"
	"unicode"

	"laurel/data"
)

// Words yields the words of a text in lower case: runs of letters, digits and
// apostrophes. Of a script without spaces a word is what stands between marks.
func Words(t data.Text) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !words(t.Plain, yield) {
			return
		}
		for _, m := range t.Messages {
			if !words(m.Content, yield) {
				return
			}
		}
	}
}

func words(text string, yield func(string) bool) (more bool) {
	outside := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' }
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), outside) {
		if word = strings.Trim(strings.ReplaceAll(word, "’", "'"), "'"); word != "" && !yield(word) {
			return false
		}
	}
	return true
}

// hedges are words and phrases with which a writer holds back: Hyland's list
// (Metadiscourse, 2005, appendix), without those that are rare in answers, and
// the phrases of chat assistants.
var hedges = []string{
	"almost", "apparently", "appear", "appears", "approximately", "arguably", "around", "assume", "assumed", "basically", "could", "couldn't",
	"doubt", "essentially", "estimate", "estimated", "fairly", "frequently", "generally", "guess", "largely", "likely", "mainly", "may", "maybe",
	"might", "mostly", "often", "perhaps", "plausible", "plausibly", "possible", "possibly", "presumably", "probable", "probably", "quite",
	"rather", "relatively", "roughly", "seem", "seems", "should", "sometimes", "somewhat", "suggest", "suggests", "suppose", "suspect",
	"tend", "tends", "typically", "uncertain", "unclear", "unlikely", "usually", "would", "wouldn't",
	"as an ai", "depends on", "i believe", "i can't", "i cannot", "i think", "i'm not sure", "in general", "in most cases", "in my opinion", "it depends", "not certain",
}

// hedgesByFirst are the hedges' words by the first.
var hedgesByFirst = byFirst(hedges)

func byFirst(phrases []string) map[string][][]string {
	by := map[string][][]string{}
	for _, phrase := range phrases {
		parts := strings.Fields(phrase)
		by[parts[0]] = append(by[parts[0]], parts)
	}
	return by
}

// Hedges counts the words and phrases of a response that hold back.
func Hedges(t data.Text) (n float64) {
	var recent [3]string // the last three words, and the phrases that may end with the last
	for word := range Words(t) {
		recent = [3]string{recent[1], recent[2], word}
		for back := range recent {
			for _, phrase := range hedgesByFirst[recent[2-back]] {
				if len(phrase) == back+1 && equal(phrase, recent[2-back:]) {
					n++
				}
			}
		}
	}
	return n
}

func equal(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Overlap is the share of the prompt's different words that the response has;
// 0 of a prompt without words.
func Overlap(prompt, response data.Text) float64 {
	found := map[string]bool{}
	for word := range Words(prompt) {
		found[word] = false
	}
	if len(found) == 0 {
		return 0
	}
	there := 0.0
	for word := range Words(response) {
		if seen, wanted := found[word]; wanted && !seen {
			found[word] = true
			there++
		}
	}
	return there / float64(len(found))
}
