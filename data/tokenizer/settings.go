package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// settings is what tokenizer_config.json and special_tokens_map.json say, in
// the dialects of transformers 4 and 5.
type settings struct {
	tokens    map[string]string // pad_token and so on, to their text
	maxLength int               // 0: no limit
	templates map[string]string // by name; "default" where the file has one alone
}

// The special tokens that transformers names, in its order.
var tokenNames = [...]string{
	"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
}

// readSettings reads both files; a model may have either, both or none.
//
// As in transformers, special_tokens_map.json has the last word unless
// tokenizer_config.json carries added_tokens_decoder.
func readSettings(dir string) (settings, error) {
	s := settings{tokens: map[string]string{}, templates: map[string]string{}}
	config, err := readObject(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return s, err
	}
	if err := s.addTokens(config); err != nil {
		return s, fmt.Errorf("read tokenizer %s: %w", filepath.Join(dir, "tokenizer_config.json"), err)
	}
	if err := s.readConfig(config); err != nil {
		return s, fmt.Errorf("read tokenizer %s: %w", filepath.Join(dir, "tokenizer_config.json"), err)
	}
	if _, modern := config["added_tokens_decoder"]; modern {
		return s, nil
	}
	tokens, err := readObject(filepath.Join(dir, "special_tokens_map.json"))
	if err != nil {
		return s, err
	}
	if err := s.addTokens(tokens); err != nil {
		return s, fmt.Errorf("read tokenizer %s: %w", filepath.Join(dir, "special_tokens_map.json"), err)
	}
	return s, nil
}

// readObject reads a JSON object; an absent file is an empty one.
func readObject(path string) (map[string]json.RawMessage, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("read tokenizer %s: not a JSON object: %w", path, err)
	}
	return object, nil
}

// addTokens takes tokens written as text or as {"content": text, …}.
func (s *settings) addTokens(object map[string]json.RawMessage) error {
	for _, name := range tokenNames {
		raw, ok := object[name]
		if !ok {
			continue
		}
		text, err := tokenText(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if text != "" {
			s.tokens[name] = text
		}
	}
	return nil
}

// tokenText is empty for null.
func tokenText(raw json.RawMessage) (string, error) {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text == nil {
			return "", nil
		}
		return *text, nil
	}
	var token struct {
		Content *string `json:"content"`
	}
	if json.Unmarshal(raw, &token) != nil || token.Content == nil {
		return "", fmt.Errorf("want a string or an object with content, got %s", raw)
	}
	return *token.Content, nil
}

func (s *settings) readConfig(config map[string]json.RawMessage) error {
	if raw, ok := config["model_max_length"]; ok {
		var length *float64
		if err := json.Unmarshal(raw, &length); err != nil {
			return fmt.Errorf("model_max_length: want a number, got %s", raw)
		}
		// transformers writes 1e30 for "no limit", older files 1e12.
		if length != nil && *length >= 1 && *length < math.MaxInt32 {
			s.maxLength = int(*length)
		}
	}
	raw, ok := config["chat_template"]
	if !ok || string(raw) == "null" {
		return nil
	}
	templates, err := parseTemplates(raw)
	if err != nil {
		return fmt.Errorf("chat_template: %w", err)
	}
	s.templates = templates
	return nil
}

// parseTemplates reads one template, or a list of {name, template}.
func parseTemplates(raw json.RawMessage) (map[string]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return map[string]string{"default": one}, nil
	}
	var list []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	if err := json.Unmarshal(raw, &list); err == nil {
		templates := map[string]string{}
		for _, t := range list {
			templates[t.Name] = t.Template
		}
		return templates, nil
	}
	var named map[string]string
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, errors.New("want a string or a list of objects with name and template")
	}
	return named, nil
}
