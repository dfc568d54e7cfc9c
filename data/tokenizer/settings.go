package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"laurel/data"
)

// settings is what the files beside tokenizer.json say, in the dialects of
// transformers 4 and 5.
type settings struct {
	values    object            // tokenizer_config.json
	class     string            // whose pipeline is used
	saidClass string            // that a file names
	named     []namedToken      // pad_token and so on, in transformers' order
	extra     []addedToken      // special tokens without a name
	listed    bool              // tokenizer_config.json lists extra ones
	late      bool              // special_tokens_map.json alone lists them
	maxLength int               // 0: no limit
	side      string            // truncation_side; "": not given
	templates map[string]string // by name; "default" where the file has one alone

	// Added tokens with their ids: what tokenizer_config.json or
	// added_tokens.json declares, and with tokenizer.json's own where those
	// count, sorted by id.
	declaredBeside []addedToken
	declaredIn     string
	declared       []addedToken
}

// readSettings reads tokenizer_config.json, special_tokens_map.json and
// added_tokens.json; a model may have any of them.
//
// As in transformers, the last two are read only where tokenizer_config.json
// has no added_tokens_decoder, and special_tokens_map.json then has the last
// word on special tokens.
func readSettings(dir, config string, d *definition) (*settings, error) {
	s := &settings{templates: map[string]string{}}
	path := filepath.Join(dir, "tokenizer_config.json")
	var err error
	if s.values, err = readObject(path); err != nil {
		return nil, err
	}
	if err := errors.Join(s.readTokens(s.values), s.readExtra(s.values), s.readConfig(), s.readDecoder()); err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", path, err)
	}
	if _, modern := s.values.values["added_tokens_decoder"]; !modern {
		if err := s.readLegacy(dir, d); err != nil {
			return nil, err
		}
	}
	s.takeFlags()
	return s, s.settleClass(dir, config, d)
}

// object is a JSON object that remembers the order of its keys.
type object struct {
	keys   []string
	values map[string]json.RawMessage
}

// readObject reads a JSON object; an absent file is an empty one.
func readObject(path string) (object, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return object{}, nil
	}
	if err != nil {
		return object{}, fmt.Errorf("read tokenizer: %w", err)
	}
	o, err := parseObject(raw)
	if err != nil {
		return o, fmt.Errorf("read tokenizer %s: not a JSON object: %w", path, err)
	}
	return o, nil
}

// parseObject takes the last of values under one key, as Python does.
func parseObject(raw []byte) (object, error) {
	o := object{}
	if err := data.CheckPointer(raw); err != nil {
		return o, err
	}
	if err := json.Unmarshal(raw, &o.values); err != nil {
		return o, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return o, errors.New("want an object")
	}
	seen := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return o, err
		}
		if name := key.(string); !seen[name] {
			seen[name], o.keys = true, append(o.keys, name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return o, err
		}
	}
	return o, nil
}

// readDecoder reads added_tokens_decoder: an object from ids to tokens.
func (s *settings) readDecoder() error {
	raw, ok := s.values.values["added_tokens_decoder"]
	if !ok {
		return nil
	}
	s.declaredIn = "added_tokens_decoder of tokenizer_config.json"
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil || entries == nil {
		return fmt.Errorf("added_tokens_decoder: want an object from ids to tokens, got %.80s", raw)
	}
	for key, raw := range entries {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 {
			return fmt.Errorf("added_tokens_decoder: %q is no id", key)
		}
		token, err := parseToken(raw)
		if err != nil {
			return fmt.Errorf("added_tokens_decoder: id %d: %w", id, err)
		}
		token.ID = int32(id)
		s.declaredBeside = append(s.declaredBeside, token)
	}
	s.declaredBeside = sortedByID(s.declaredBeside)
	s.declared = s.declaredBeside
	return nil
}

// readLegacy reads special_tokens_map.json and added_tokens.json, and takes
// tokenizer.json's own added tokens, which count before added_tokens.json's.
func (s *settings) readLegacy(dir string, d *definition) error {
	path := filepath.Join(dir, "special_tokens_map.json")
	tokens, err := readObject(path)
	if err != nil {
		return err
	}
	if err := errors.Join(s.readTokens(tokens), s.readMapExtra(tokens)); err != nil {
		return fmt.Errorf("read tokenizer %s: %w", path, err)
	}
	for i := range s.named {
		if raw, ok := tokens.values[s.named[i].name]; ok && bytes.HasPrefix(raw, []byte("{")) {
			s.named[i].token.Special, s.named[i].object = true, false
		}
	}
	path = filepath.Join(dir, "added_tokens.json")
	ids, err := readObject(path)
	if err != nil {
		return err
	}
	s.declaredIn = "added_tokens.json"
	byID := map[int32]addedToken{}
	for text, raw := range ids.values {
		var id int32
		if err := json.Unmarshal(raw, &id); err != nil || id < 0 {
			return fmt.Errorf("read tokenizer %s: %q: want an id, got %.40s", path, text, raw)
		}
		special := s.isSpecial(text)
		token := addedToken{ID: id, Content: text, Special: special, Normalized: !special}
		s.declaredBeside = append(s.declaredBeside, token)
		if other, ok := byID[id]; ok {
			return fmt.Errorf("read tokenizer %s: id %d is given to %q and to %q", path, id, other.Content, text)
		}
		byID[id] = token
	}
	s.declaredBeside = sortedByID(s.declaredBeside)
	for _, token := range d.added {
		byID[token.ID] = token
	}
	for _, token := range byID {
		s.declared = append(s.declared, token)
	}
	s.declared = sortedByID(s.declared)
	return nil
}

func (s *settings) readConfig() error {
	if raw, ok := s.values.values["model_max_length"]; ok {
		var length *float64
		if err := json.Unmarshal(raw, &length); err != nil {
			return fmt.Errorf("model_max_length: want a number, got %s", raw)
		}
		// transformers writes 1e30 for "no limit", older files 1e12.
		if length != nil && *length >= 1 && *length < math.MaxInt32 {
			s.maxLength = int(*length)
		}
	}
	if raw, ok := s.values.values["truncation_side"]; ok && string(raw) != "null" {
		if err := json.Unmarshal(raw, &s.side); err != nil {
			return fmt.Errorf("truncation_side: want left or right, got %s", raw)
		}
		if _, err := ParseSide(s.side); err != nil {
			return err
		}
	}
	raw, ok := s.values.values["chat_template"]
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

// flag reads a setting that is true, false or absent.
func (s *settings) flag(name string, absent bool) (bool, error) {
	raw, ok := s.values.values[name]
	if !ok {
		return absent, nil
	}
	var value *bool
	if err := json.Unmarshal(raw, &value); err != nil {
		return absent, fmt.Errorf("read tokenizer: tokenizer_config.json: %s: want true or false, got %.40s", name, raw)
	}
	if value == nil {
		return absent, nil
	}
	return *value, nil
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
