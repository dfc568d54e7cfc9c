package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"laurel/data"
)

// padNames are tokens that vocabularies hold for padding or for no use, which
// no text contains.
var padNames = []string{"<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|PAD|>", "<|finetune_right_pad_id|>",
	"<|vision_pad|>", "<|endoftext|>", "<|reserved_special_token_0|>", "<unused0>", "[control_8]"}

// FindPad gives a token to pad with that is none of those excluded: the
// tokenizer's own, a token known to be for padding or for nothing, or the
// unknown token.
func (t *Tokenizer) FindPad(excluded []int32) (text string, id int32, ok bool) {
	names := append([]string{t.settings.text("pad_token")}, padNames...)
	for _, name := range append(names, t.settings.text("unk_token")) {
		if id, ok := t.tokenID(name); ok && !slices.Contains(excluded, id) {
			return name, id, true
		}
	}
	return "", 0, false
}

// tokenID finds an added or a named special token.
func (t *Tokenizer) tokenID(text string) (int32, bool) {
	if id, ok := t.added[text]; ok {
		return id, true
	}
	if name, ok := t.settings.nameOf(text); ok {
		return t.specialID(name)
	}
	return 0, false
}

// TokenText is the text of an added or a named special token.
func (t *Tokenizer) TokenText(id int32) (string, bool) {
	for text, other := range t.added {
		if other == id {
			return text, true
		}
	}
	for _, named := range t.settings.named {
		if other, ok := t.specialID(named.name); ok && other == id {
			return named.token.Content, true
		}
	}
	return "", false
}

// SetPad makes text the pad_token of the tokenizer files in dir.
func SetPad(dir, text string) error {
	if err := setKey(filepath.Join(dir, "tokenizer_config.json"), "pad_token", text); err != nil {
		return err
	}
	specials := filepath.Join(dir, "special_tokens_map.json")
	if _, err := os.Stat(specials); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return setKey(specials, "pad_token", text)
}

// SetSide makes side the truncation_side of the tokenizer files in dir, at which
// transformers cuts what is too long: right where it is not given.
func SetSide(dir string, side Side) error {
	path := filepath.Join(dir, "tokenizer_config.json")
	raw, err := os.ReadFile(path)
	var has struct {
		Side string `json:"truncation_side"`
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && side == Right:
		return nil
	case err == nil && json.Unmarshal(raw, &has) == nil && (has.Side == side.String() || has.Side == "" && side == Right):
		return nil
	}
	return setKey(path, "truncation_side", side.String())
}

// setKey writes one key of a JSON file, which need not be there.
func setKey(path, key, value string) error {
	raw, err := os.ReadFile(path)
	object := map[string]json.RawMessage{} // numbers as they stand: model_max_length has 31 digits
	if err == nil {
		err = json.Unmarshal(raw, &object)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("set %s in %s: %w", key, path, err)
	}
	if object[key], err = json.Marshal(value); err != nil {
		return err
	}
	if raw, err = json.MarshalIndent(object, "", "  "); err != nil {
		return err
	}
	return data.WriteFile(path, append(raw, '\n'))
}
