package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// addedToken is a token beside the model's own vocabulary, with the flags that
// say how a text is searched for it.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// specialToken is what transformers makes of a special token written as text.
func specialToken(text string) addedToken { return addedToken{Content: text, Special: true} }

// parseToken reads a token written as an object. Flags that are absent are
// those of tokenizers.AddedToken: normalized is the contrary of special.
func parseToken(raw json.RawMessage) (addedToken, error) {
	var token struct {
		Content    *string `json:"content"`
		SingleWord bool    `json:"single_word"`
		LStrip     bool    `json:"lstrip"`
		RStrip     bool    `json:"rstrip"`
		Normalized *bool   `json:"normalized"`
		Special    bool    `json:"special"`
	}
	if json.Unmarshal(raw, &token) != nil || token.Content == nil {
		return addedToken{}, fmt.Errorf("want an object with content and the flags of an added token, got %.80s", raw)
	}
	t := addedToken{
		Content: *token.Content, SingleWord: token.SingleWord, LStrip: token.LStrip, RStrip: token.RStrip,
		Special: token.Special, Normalized: !token.Special,
	}
	if token.Normalized != nil {
		t.Normalized = *token.Normalized
	}
	return t, nil
}

// same tells whether two tokens are one to the tokenizers library: content and
// every flag.
func (a addedToken) same(b addedToken) bool {
	a.ID, b.ID = 0, 0
	return a == b
}

// addedVocabulary follows AddedVocabulary of the tokenizers library, so that
// the ids it will give are known before it is built.
type addedVocabulary struct {
	model  *vocabulary
	ids    map[string]int32
	tokens map[int32]addedToken // the last added where several have one text
	notes  []string
}

func newAddedVocabulary(model *vocabulary) *addedVocabulary {
	return &addedVocabulary{model: model, ids: map[string]int32{}, tokens: map[int32]addedToken{}}
}

// add gives a token the id that it has in the vocabulary, else the next one.
func (v *addedVocabulary) add(token addedToken) {
	if token.Content == "" {
		return
	}
	id, ok := v.ids[token.Content]
	if !ok {
		id, ok = v.model.ids[token.Content]
	}
	if !ok {
		id = int32(v.model.size)
		for _, other := range v.ids {
			id = max(id, other+1)
		}
	}
	token.ID = id
	v.ids[token.Content], v.tokens[id] = id, token
}

// id finds a token among those added and in the model's vocabulary.
func (v *addedVocabulary) id(text string) (int32, bool) {
	if id, ok := v.ids[text]; ok {
		return id, true
	}
	id, ok := v.model.ids[text]
	return id, ok
}

// holds tells whether a token is added with these very flags.
func (v *addedVocabulary) holds(token addedToken) bool {
	id, ok := v.ids[token.Content]
	return ok && v.tokens[id].same(token)
}

// complete gives the JSON for FromBytes, with the class's pipeline and every
// added token in its place.
func (d *definition) complete(s *settings) ([]byte, *addedVocabulary, error) {
	if text := d.padToken(); text != "" && !s.has("pad_token") {
		s.named = append(s.named, namedToken{name: "pad_token", token: specialToken(text)})
	}
	v := newAddedVocabulary(d.vocabulary)
	p, own, err := d.rebuild(s)
	if err != nil {
		return nil, nil, err
	}
	if !own && d.dropout > 0 {
		return nil, nil, fmt.Errorf("model.dropout is %v: merges are left out at random, so that a text would have other ids and another reward every time: set it to null", d.dropout)
	}
	if !own {
		for _, token := range d.added {
			v.add(token)
		}
	}
	v.complete(s)
	if p.again {
		for _, token := range s.specials() {
			v.add(specialToken(token.Content))
		}
	}
	if p.postProcessor != nil {
		processor, err := p.postProcessor(s, v)
		if err == nil {
			err = d.set("post_processor", processor)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if err := v.check(s, d); err != nil {
		return nil, nil, err
	}
	bytes, err := d.with(sortedByID(slices.Collect(maps.Values(v.tokens))))
	return bytes, v, err
}

// complete adds what transformers adds on loading, in its order: tokens that
// the files beside tokenizer.json declare, by id, then the special tokens that
// are no added tokens yet, by their names, then the extra ones.
//
// Source: TokenizersBackend.__init__ of transformers 5.23.
func (v *addedVocabulary) complete(s *settings) {
	var next []addedToken
	for _, token := range s.declared {
		if !v.holds(token) {
			next = append(next, token)
		}
	}
	known := map[string]bool{}
	for text := range v.ids {
		known[text] = true
	}
	for _, token := range next {
		known[token.Content] = true
	}
	for _, token := range s.specials() {
		if !known[token.Content] {
			next = append(next, token)
		}
	}
	for _, token := range next {
		token.Special = token.Special || s.names(token.Content)
		v.add(token)
	}
}

// check refuses files that give one id to two tokens or one token two ids, and
// notes tokens that have another id than a file says.
func (v *addedVocabulary) check(s *settings, d *definition) error {
	var problems []error
	for _, token := range s.declaredBeside {
		if token.Content == "" || v.ids[token.Content] == token.ID {
			continue
		}
		holder, taken := d.tokenAt(token.ID)
		own, has := d.idOf(token.Content)
		switch {
		case taken && holder != token.Content:
			problems = append(problems, fmt.Errorf("%s gives id %d to %q, tokenizer.json gives it to %q", s.declaredIn, token.ID, token.Content, holder))
		case has && own != token.ID:
			problems = append(problems, fmt.Errorf("%s gives %q id %d, tokenizer.json gives it %d", s.declaredIn, token.Content, token.ID, own))
		default:
			v.note("%s gives %q id %d: it has id %d, as in transformers, which leaves no gap", s.declaredIn, token.Content, token.ID, v.ids[token.Content])
		}
	}
	v.noteOwn(s, d)
	return errors.Join(problems...)
}

// noteOwn tells of tokens of tokenizer.json that end up elsewhere, and of
// special tokens that no file gives an id.
func (v *addedVocabulary) noteOwn(s *settings, d *definition) {
	for _, token := range d.added {
		switch id, ok := v.id(token.Content); {
		case s.declares(token.Content) || ok && id == token.ID:
		case !ok:
			v.note("the added token %q of tokenizer.json is left out, as transformers does for tokenizer_class %s beside an added_tokens_decoder without it", token.Content, s.class)
		default:
			v.note("tokenizer.json gives the added token %q id %d: it has id %d, as in transformers", token.Content, token.ID, id)
		}
	}
	for _, named := range s.named {
		text := named.token.Content
		if _, ok := d.idOf(text); !ok && !named.null && !s.declares(text) {
			v.note("%s %q is not in the vocabulary: it is added with id %d, as transformers does", named.name, text, v.ids[text])
		}
	}
}

func (v *addedVocabulary) note(format string, values ...any) {
	v.notes = append(v.notes, fmt.Sprintf(format, values...))
}

// special resolves the named tokens.
func (v *addedVocabulary) special(s *settings) map[string]int32 {
	ids := map[string]int32{}
	for _, named := range s.named {
		if id, ok := v.id(named.token.Content); ok {
			ids[named.name] = id
		}
	}
	return ids
}

// sortedByID is a copy in the order in which transformers adds them.
func sortedByID(tokens []addedToken) []addedToken {
	sorted := slices.Clone(tokens)
	slices.SortStableFunc(sorted, func(a, b addedToken) int { return int(a.ID) - int(b.ID) })
	return sorted
}
