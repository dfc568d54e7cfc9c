package tokenizer

import (
	"encoding/json"
	"slices"
	"strings"
)

// speller spells words of plain ASCII as WordPiece does behind BERT's
// pre-tokenizer: each punctuation sign apart, the rest by the longest piece of
// the vocabulary that fits, from the left. A call of the library for such a
// word takes thirty times as long, and texts with numbers have new words in
// every row.
type speller struct {
	begin, inside asciiPieces
	most          int // characters of a word: a longer one is unknown
	unknown       int32
	lower         bool
	plain         [128]bool // the characters of words that are spelled
}

// asciiPieces are pieces of plain ASCII, those inside of words without their
// prefix.
type asciiPieces struct {
	ids     map[string]int32
	longest [128]int // piece that begins with the character, in bytes
}

func (p *asciiPieces) take(text string, id int32) {
	if text == "" || slices.ContainsFunc([]byte(text), func(c byte) bool { return c >= 128 }) {
		return
	}
	p.ids[text] = id
	p.longest[text[0]] = max(p.longest[text[0]], len(text))
}

// first is the longest piece that the word begins with; length 0 for none.
func (p *asciiPieces) first(word []byte) (id int32, length int) {
	for length = min(len(word), p.longest[word[0]]); length > 0; length-- {
		if id, ok := p.ids[string(word[:length])]; ok {
			return id, length
		}
	}
	return 0, 0
}

// newSpeller is nil for a pipeline that may do anything else with plain
// ASCII. begins are the characters that no added token begins with.
func newSpeller(d *definition, normalizers, preTokenizers []component, begins [128]bool) *speller {
	var model struct {
		Type    string `json:"type"`
		Prefix  string `json:"continuing_subword_prefix"`
		Most    *int   `json:"max_input_chars_per_word"`
		Unknown string `json:"unk_token"`
	}
	if json.Unmarshal(d.keys["model"], &model) != nil || model.Type != "WordPiece" || model.Prefix == "" || model.Most == nil ||
		len(preTokenizers) != 1 || preTokenizers[0].Type != "BertPreTokenizer" {
		return nil
	}
	unknown, ok := d.vocabulary.ids[model.Unknown]
	lower, known := lowers(normalizers)
	if !ok || !known {
		return nil
	}
	w := &speller{begin: asciiPieces{ids: map[string]int32{}}, inside: asciiPieces{ids: map[string]int32{}},
		most: *model.Most, unknown: unknown, lower: lower, plain: begins}
	for text, id := range d.vocabulary.ids {
		w.begin.take(text, id)
		if inside, ok := strings.CutPrefix(text, model.Prefix); ok {
			w.inside.take(inside, id)
		}
	}
	return w
}

// lowers tells whether the normalizers change the case of ASCII; known is
// false where they may change more of it.
func lowers(normalizers []component) (lower, known bool) {
	for _, n := range normalizers {
		switch {
		case n.Type == "Lowercase":
			lower = true
		case n.Type == "BertNormalizer" && n.Lowercase != nil:
			lower = lower || *n.Lowercase
		case !slices.Contains([]string{"StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Strip"}, n.Type):
			return false, false
		}
	}
	return lower, true
}

// spell appends the ids of a piece of text, which may have a space before it;
// false where there is more in it than words of plain ASCII.
func (w *speller) spell(ids []int32, piece string) ([]int32, bool) {
	var room [maxWordLength]byte
	if len(piece) > len(room) {
		return ids, false
	}
	if piece[0] == ' ' {
		piece = piece[1:]
	}
	text := append(room[:0], piece...)
	for i, c := range text {
		switch {
		case c <= ' ' || c > '~' || !w.plain[c]:
			return ids, false
		case w.lower && c >= 'A' && c <= 'Z':
			text[i] = c + 'a' - 'A'
		}
	}
	for len(text) > 0 {
		end := wordEnd(text)
		ids = w.word(ids, text[:end])
		text = text[end:]
	}
	return ids, true
}

// wordEnd is the end of a first word: a punctuation sign is one.
func wordEnd(text []byte) int {
	for i, c := range text {
		if letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'; !letter {
			return max(i, 1)
		}
	}
	return len(text)
}

// word appends the ids of one word, or the unknown one's.
func (w *speller) word(ids []int32, word []byte) []int32 {
	if len(word) > w.most {
		return append(ids, w.unknown)
	}
	before, pieces := len(ids), &w.begin
	for len(word) > 0 {
		id, length := pieces.first(word)
		if length == 0 {
			return append(ids[:before], w.unknown)
		}
		ids, word, pieces = append(ids, id), word[length:], &w.inside
	}
	return ids
}
