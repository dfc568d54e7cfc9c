package tokenizer

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// words remembers the ids of words, so that a text is mostly looked up and not
// encoded anew. A text is cut before each single space that has visible ASCII
// characters on both sides, and only for pipelines that provably give such
// pieces the same ids apart as together: they split texts there themselves, or
// have no token that reaches across.
type words struct {
	begins  [128]bool // the characters that a word begins with, after the space
	bare    bool      // the pipeline puts a space before every text: pieces lose theirs
	strips  []string  // added tokens that take white space beside them along
	added   []string  // all added tokens, where bare
	spelled *speller  // nil where new words are the library's to encode
	known   atomic.Pointer[map[string][]int32]
	mu      sync.Mutex
	fresh   map[string][]int32 // not yet in known
}

// Bounds of what is remembered: about 10 MB. Beyond, what was not learnt of
// late is forgotten.
const (
	maxWords      = 1 << 16
	maxWordLength = 48
)

// component is a normalizer or pre_tokenizer of tokenizer.json.
type component struct {
	Type          string      `json:"type"`
	Normalizers   []component `json:"normalizers"`
	PreTokenizers []component `json:"pretokenizers"`
	Pattern       struct {
		String, Regex string
	} `json:"pattern"`
	Content       string `json:"content"`
	Prepend       string `json:"prepend"`
	Behavior      string `json:"behavior"`
	Invert        bool   `json:"invert"`
	UseRegex      *bool  `json:"use_regex"`
	Replacement   string `json:"replacement"`
	PrependScheme string `json:"prepend_scheme"`
	Split         *bool  `json:"split"`
	StripLeft     bool   `json:"strip_left"`
	Lowercase     *bool  `json:"lowercase"`
}

// steps are the components of a sequence, one after another.
func (d *definition) steps(key string) ([]component, bool) {
	var c component
	if raw := d.keys[key]; len(raw) > 0 && json.Unmarshal(raw, &c) != nil {
		return nil, false
	}
	switch c.Type {
	case "":
		return nil, true
	case "Sequence":
		return append(c.Normalizers, c.PreTokenizers...), true
	}
	return []component{c}, true
}

// newWords is nil for a pipeline of which it is not known that words can be
// encoded apart.
func newWords(d *definition, added []addedToken) *words {
	normalizers, readable := d.steps("normalizer")
	preTokenizers, alsoReadable := d.steps("pre_tokenizer")
	var model struct {
		Type    string   `json:"type"`
		Dropout *float64 `json:"dropout"`
		Suffix  string   `json:"end_of_word_suffix"`
		Prefix  string   `json:"continuing_subword_prefix"`
	}
	if !readable || !alsoReadable || json.Unmarshal(d.keys["model"], &model) != nil || model.Dropout != nil {
		return nil
	}
	w := &words{fresh: map[string][]int32{}}
	w.known.Store(&map[string][]int32{})
	if len(normalizers) > 0 && normalizers[0].Type == "Prepend" {
		w.bare, normalizers = true, normalizers[1:]
	}
	split := splitting(preTokenizers)
	stripped := slices.ContainsFunc(normalizers, func(c component) bool { return c.Type == "Strip" })
	spaces := " ▁"
	if split == splitsByteLevel || split == splitsDropping {
		spaces = " "
	}
	if split == splitsNot && (model.Type != "BPE" || model.Suffix+model.Prefix != "" || d.reachesAcross()) || w.bare && split != splitsNot {
		return nil
	}
	if !slices.ContainsFunc(splitters[split], func(allowed []string) bool { return onlyOf(normalizers, allowed) }) || !w.take(added, spaces, stripped) {
		return nil
	}
	if blank := func(t addedToken) bool { return strings.TrimLeft(t.Content, spaces) == "" }; !slices.ContainsFunc(added, blank) {
		w.spelled = newSpeller(d, normalizers, preTokenizers, w.begins)
	}
	return w
}

// take says whether no added token can reach across a cut, and sees to it that
// none begins behind one: what is left of the space before it would be another
// text's end. spaces are the signs that may stand for one, stripped whether
// ends of texts lose theirs.
func (w *words) take(added []addedToken, spaces string, stripped bool) bool {
	for c := byte('!'); c <= '~'; c++ {
		w.begins[c] = true
	}
	for _, token := range added {
		text := strings.TrimLeft(token.Content, spaces)
		switch {
		case strings.ContainsAny(text, spaces), stripped && text != token.Content:
			return false
		case text == "":
		case text[0] < utf8.RuneSelf:
			w.begins[text[0]], w.begins[unicode.ToLower(rune(text[0]))], w.begins[unicode.ToUpper(rune(text[0]))] = false, false, false
		case token.Normalized: // and so perhaps ASCII
			return false
		}
		if token.LStrip || token.RStrip {
			if token.Normalized {
				return false
			}
			w.strips = append(w.strips, token.Content)
		}
		w.added = append(w.added, token.Content)
	}
	return true
}

// splitKind is how the pre-tokenizer cuts at spaces.
type splitKind int

const (
	splitsUnknown    splitKind = iota
	splitsDropping             // white space separates and is dropped
	splitsByteLevel            // a space goes with the word behind it
	splitsMetaspace            // likewise, and every first word gets one
	splitsMetaspaces           // likewise, but not every one does
	splitsNot
)

// splitters are the normalizers that each kind of splitting is known to go
// with: they change no ASCII but its case, join nothing across a single space,
// and what they strip from the ends of texts does not matter.
var splitters = map[splitKind][][]string{
	splitsDropping:   {{"BertNormalizer", "Lowercase", "StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Strip", "Precompiled"}},
	splitsByteLevel:  {{"NFC"}},
	splitsMetaspace:  {{"Lowercase", "NFC", "NFKC", "Strip", "Precompiled", "Replace"}},
	splitsMetaspaces: {{"Lowercase", "NFC", "NFKC", "Precompiled", "Replace"}},
	splitsNot:        {{"Replace"}},
}

// onlyOf tells whether the normalizers are of the allowed types; a Replace
// must leave a single space a space, or make it the sign for one.
func onlyOf(normalizers []component, allowed []string) bool {
	for _, n := range normalizers {
		if !slices.Contains(allowed, n.Type) {
			return false
		}
		sign := n.Pattern.String == " " && n.Content == "▁"
		spaces := slices.Contains([]string{`\s{2,}|[\n\r\t]`, ` {2,}`}, n.Pattern.Regex) && (n.Content == " " || n.Content == "▁")
		if n.Type == "Replace" && !sign && !spaces {
			return false
		}
	}
	return true
}

// Patterns of which a word and the space before it are one match: those of
// GPT-2, of Llama 3 and of Qwen 2.
var wordPatterns = []string{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
	qwenPattern,
}

func splitting(steps []component) splitKind {
	if len(steps) == 0 {
		return splitsNot
	}
	first, last := steps[0], steps[len(steps)-1]
	switch {
	case len(steps) == 1:
		return first.splitting()
	case len(steps) > 2:
	case first.Type == "Split" && last.Type == "ByteLevel" && first.Behavior == "Isolated" && !first.Invert &&
		slices.Contains(wordPatterns, first.Pattern.Regex) && last.UseRegex != nil && !*last.UseRegex:
		return splitsByteLevel
	case first.Type == "WhitespaceSplit" && last.Type == "Metaspace":
		return last.splitting()
	}
	return splitsUnknown
}

func (c component) splitting() splitKind {
	switch {
	case c.Type == "BertPreTokenizer", c.Type == "Whitespace", c.Type == "WhitespaceSplit":
		return splitsDropping
	case c.Type == "ByteLevel" && (c.UseRegex == nil || *c.UseRegex):
		return splitsByteLevel
	case c.Type == "Metaspace" && c.Replacement == "▁" && c.PrependScheme != "":
		switch {
		case c.Split != nil && !*c.Split:
			return splitsNot
		case c.PrependScheme == "always":
			return splitsMetaspace
		}
		return splitsMetaspaces
	case c.Type == "Split" && c.Pattern.String == " ": // after Replace there are none
		return splitsNot
	}
	return splitsUnknown
}

// reachesAcross tells whether a token holds the sign for a space behind
// anything else, so that a merge may join two words.
func (d *definition) reachesAcross() bool {
	if _, ok := d.vocabulary.ids["▁"]; !ok {
		return true
	}
	for text := range d.vocabulary.ids {
		if strings.Contains(strings.TrimLeft(text, "▁"), "▁") {
			return true
		}
	}
	return false
}

// encode gives the ids of a text, where encode gives those of a piece; false
// where the text must be encoded as a whole. What the text begins with as the one
// before it is taken from there, and the ids are valid until the next call with
// the same begun.
func (w *words) encode(text string, last *begun, encode func(string) ([]int32, error)) ([]int32, bool, error) {
	if len(text) == 0 || !w.apart(text) {
		return nil, false, nil
	}
	known := *w.known.Load()
	start, ids := last.backTo(text)
	for start < len(text) {
		end := w.nextCut(text, start+1)
		piece := text[start:end]
		if start > 0 {
			last.cuts = append(last.cuts, cut{start, len(ids)})
			if w.bare {
				piece = piece[1:]
			}
		}
		start = end
		of, ok := known[piece]
		if !ok && w.spelled != nil {
			var done bool
			if ids, done = w.spelled.spell(ids, piece); done {
				continue
			}
		}
		if !ok {
			var err error
			if of, err = w.learn(piece, encode); err != nil {
				return nil, true, err
			}
		}
		ids = append(ids, of...)
	}
	last.text, last.ids = text, ids
	return ids, true, nil
}

// apart tells whether no added token in the text asks for what is around it.
func (w *words) apart(text string) bool {
	inText := func(token string) bool { return strings.Contains(text, token) }
	return !slices.ContainsFunc(w.strips, inText) && (!w.bare || !slices.ContainsFunc(w.added, inText))
}

// nextCut is where the next piece begins, len(text) for none.
func (w *words) nextCut(text string, from int) int {
	for {
		at := strings.IndexByte(text[from:], ' ')
		if at < 0 {
			return len(text)
		}
		at += from
		if at+1 < len(text) && text[at-1] > ' ' && text[at-1] <= '~' && text[at+1] < utf8.RuneSelf && w.begins[text[at+1]] {
			return at
		}
		from = at + 1
	}
}

// learn encodes a piece, and remembers it if it is short and there is room.
// New pieces are gathered before they are known, since knowing them copies all.
func (w *words) learn(piece string, encode func(string) ([]int32, error)) ([]int32, error) {
	keep := len(piece) <= maxWordLength
	if keep {
		w.mu.Lock()
		ids, ok := w.fresh[piece]
		w.mu.Unlock()
		if ok {
			return ids, nil
		}
	}
	ids, err := encode(piece)
	if err != nil || !keep {
		return ids, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fresh[strings.Clone(piece)] = slices.Clip(ids)
	if known := *w.known.Load(); len(w.fresh) > 64+len(known)/4 {
		grown := maps.Clone(w.fresh)
		if len(known)+len(grown) <= maxWords {
			maps.Copy(grown, known)
		}
		w.known.Store(&grown)
		clear(w.fresh)
	}
	return ids, nil
}
