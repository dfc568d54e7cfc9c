package tokenizer

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
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
// prefix: a tree of their characters.
type asciiPieces struct {
	nodes []pieceNode
	next  []int32 // of each node, the nodes by the character that follows; 0 for none
}

type pieceNode struct {
	id    int32 // notAPiece where only longer ones go on from here
	first int32 // place in next of the character low
	low   byte  // the least that follows
	span  uint8 // characters from low to the greatest
}

const notAPiece = -1

func newPieces(ids map[string]int32) asciiPieces {
	p := asciiPieces{nodes: []pieceNode{{id: notAPiece}}}
	p.grow(0, 0, slices.Sorted(maps.Keys(ids)), ids)
	return p
}

// grow puts sorted texts, which are alike up to depth, below a node.
func (p *asciiPieces) grow(node int32, depth int, texts []string, ids map[string]int32) {
	if len(texts) > 0 && len(texts[0]) == depth {
		p.nodes[node].id, texts = ids[texts[0]], texts[1:]
	}
	if len(texts) == 0 {
		return
	}
	first, low, high := len(p.next), texts[0][depth], texts[len(texts)-1][depth]
	p.nodes[node].first, p.nodes[node].low, p.nodes[node].span = int32(first), low, high-low+1
	p.next = append(p.next, make([]int32, high-low+1)...)
	for len(texts) > 0 {
		c := texts[0][depth]
		alike := 1
		for alike < len(texts) && texts[alike][depth] == c {
			alike++
		}
		child := int32(len(p.nodes))
		p.nodes, p.next[first+int(c-low)] = append(p.nodes, pieceNode{id: notAPiece}), child
		p.grow(child, depth+1, texts[:alike], ids)
		texts = texts[alike:]
	}
}

// first is the longest piece that the word begins with; length 0 for none.
func (p *asciiPieces) first(word []byte) (id int32, length int) {
	node := &p.nodes[0]
	for i, c := range word {
		at := c - node.low
		if at >= node.span {
			break
		}
		child := p.next[int(node.first)+int(at)]
		if child == 0 {
			break
		}
		if node = &p.nodes[child]; node.id != notAPiece {
			id, length = node.id, i+1
		}
	}
	return id, length
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
	begin, inside := map[string]int32{}, map[string]int32{}
	for text, id := range d.vocabulary.ids {
		if text == "" || slices.ContainsFunc([]byte(text), func(c byte) bool { return c >= utf8.RuneSelf }) {
			continue
		}
		begin[text] = id
		if text, ok := strings.CutPrefix(text, model.Prefix); ok && text != "" {
			inside[text] = id
		}
	}
	return &speller{begin: newPieces(begin), inside: newPieces(inside), most: *model.Most, unknown: unknown, lower: lower, plain: begins}
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
