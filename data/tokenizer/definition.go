package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// definition is tokenizer.json.
type definition map[string]json.RawMessage

// parseDefinition checks what can be checked before the bytes go to the Rust
// library, so that errors carry a place.
func parseDefinition(raw []byte) (definition, error) {
	var d definition
	if err := json.Unmarshal(raw, &d); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("malformed JSON at byte %d: %w", syntax.Offset, err)
		}
		return nil, fmt.Errorf("want a JSON object: %w", err)
	}
	if len(d["model"]) == 0 || string(d["model"]) == "null" {
		return nil, errors.New("no model: this is not a tokenizer.json of the tokenizers library")
	}
	return d, nil
}

// withoutTruncation is the definition for FromBytes, which would apply both.
func (d definition) withoutTruncation() ([]byte, error) {
	bare := definition{}
	for key, value := range d {
		bare[key] = value
	}
	bare["truncation"] = json.RawMessage("null")
	bare["padding"] = json.RawMessage("null")
	return json.Marshal(bare)
}

// tokenIDs is the id of every added token by its text.
func (d definition) tokenIDs() (map[string]int32, error) {
	var added []struct {
		ID      int32  `json:"id"`
		Content string `json:"content"`
	}
	if raw, ok := d["added_tokens"]; ok {
		if err := json.Unmarshal(raw, &added); err != nil {
			return nil, fmt.Errorf("added_tokens: %w", err)
		}
	}
	ids := make(map[string]int32, len(added))
	for _, token := range added {
		ids[token.Content] = token.ID
	}
	return ids, nil
}

// vocabularyID finds a token in the model's own vocabulary: an object from
// text to id, or a list of [text, score] for Unigram.
func (d definition) vocabularyID(text string) (int32, bool) {
	var model struct {
		Vocab json.RawMessage `json:"vocab"`
	}
	if json.Unmarshal(d["model"], &model) != nil {
		return 0, false
	}
	var ids map[string]int32
	if json.Unmarshal(model.Vocab, &ids) == nil {
		id, ok := ids[text]
		return id, ok
	}
	var pieces [][]any
	if json.Unmarshal(model.Vocab, &pieces) != nil {
		return 0, false
	}
	for i, piece := range pieces {
		if len(piece) > 0 && piece[0] == text {
			return int32(i), true
		}
	}
	return 0, false
}

// specialIDs resolves the named tokens. One that the vocabulary lacks has no
// id; transformers would add a row that the model's embedding does not have.
func (s settings) specialIDs(d definition, added map[string]int32) map[string]int32 {
	ids := map[string]int32{}
	for name, text := range s.tokens {
		id, ok := added[text]
		if !ok {
			id, ok = d.vocabularyID(text)
		}
		if ok {
			ids[name] = id
		}
	}
	return ids
}
