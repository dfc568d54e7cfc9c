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
	for _, file := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		path := filepath.Join(dir, file)
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && file != "tokenizer_config.json" {
			continue
		}
		object := map[string]any{}
		if err == nil {
			err = json.Unmarshal(raw, &object)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set pad_token in %s: %w", path, err)
		}
		object["pad_token"] = text
		if raw, err = json.MarshalIndent(object, "", "  "); err != nil {
			return err
		}
		if err := data.WriteFile(path, append(raw, '\n')); err != nil {
			return err
		}
	}
	return nil
}
