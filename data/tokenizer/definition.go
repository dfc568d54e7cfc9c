package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"laurel/data"
)

// definition is tokenizer.json.
type definition struct {
	keys       map[string]json.RawMessage
	vocabulary *vocabulary
	dropout    float64 // of merges (BPE)
	added      []addedToken
}

// parseDefinition checks what can be checked before the bytes go to the Rust
// library, so that errors carry a place.
func parseDefinition(raw []byte) (*definition, error) {
	if err := data.CheckPointer(raw); err != nil {
		return nil, err
	}
	d := &definition{}
	if err := json.Unmarshal(raw, &d.keys); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("malformed JSON at byte %d: %w", syntax.Offset, err)
		}
		return nil, fmt.Errorf("want a JSON object: %w", err)
	}
	if len(d.keys["model"]) == 0 || string(d.keys["model"]) == "null" {
		return nil, errors.New("no model: this is not a tokenizer.json of the tokenizers library")
	}
	var err error
	if d.vocabulary, err = d.readVocabulary(); err != nil {
		return nil, err
	}
	if list, ok := d.keys["added_tokens"]; ok {
		if err := json.Unmarshal(list, &d.added); err != nil {
			return nil, fmt.Errorf("added_tokens: %w", err)
		}
	}
	return d, nil
}

// tokenAt is the text that the file gives an id to.
func (d *definition) tokenAt(id int32) (string, bool) {
	for _, token := range d.added {
		if token.ID == id {
			return token.Content, true
		}
	}
	text, ok := d.vocabulary.texts[id]
	return text, ok
}

// idOf is the id that the file gives a text.
func (d *definition) idOf(text string) (int32, bool) {
	for _, token := range d.added {
		if token.Content == text {
			return token.ID, true
		}
	}
	id, ok := d.vocabulary.ids[text]
	return id, ok
}

// with is the definition for FromBytes: with these added tokens, in this
// order, and without truncation and padding, which it would apply.
func (d *definition) with(added []addedToken) ([]byte, error) {
	keys := maps.Clone(d.keys)
	keys["truncation"], keys["padding"] = json.RawMessage("null"), json.RawMessage("null")
	raw, err := json.Marshal(added)
	if err != nil {
		return nil, err
	}
	if added == nil {
		raw = json.RawMessage("[]")
	}
	keys["added_tokens"] = raw
	return json.Marshal(keys)
}

// padToken is the token of the file's padding, which transformers takes for
// pad_token where nothing else names one.
func (d *definition) padToken() string {
	var padding struct {
		Token string `json:"pad_token"`
	}
	if json.Unmarshal(d.keys["padding"], &padding) != nil {
		return ""
	}
	return padding.Token
}
