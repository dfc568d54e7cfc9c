package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// namedToken is a special token under its name in tokenizer_config.json. It is
// null where the file says so, which keeps a class's default away.
type namedToken struct {
	name  string
	token addedToken
	null  bool
	// object: tokenizer_config.json writes it as an object, not as text.
	object bool
}

// The special tokens that transformers names, in its order.
var tokenNames = [...]string{
	"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
}

// readTokens takes special tokens: those that transformers names, then any
// other key that ends in _token and holds a text, as multimodal models have.
func (s *settings) readTokens(o object) error {
	for _, name := range tokenNames {
		if raw, ok := o.values[name]; ok {
			if err := s.setNamed(name, raw); err != nil {
				return err
			}
		}
	}
	for _, name := range o.keys {
		if !strings.HasSuffix(name, "_token") || slices.Contains(tokenNames[:], name) || !isToken(o.values[name]) {
			continue
		}
		if err := s.setNamed(name, o.values[name]); err != nil {
			return err
		}
	}
	return nil
}

// isToken tells a token from a setting such as add_bos_token.
func isToken(raw json.RawMessage) bool {
	return bytes.HasPrefix(raw, []byte(`"`)) || bytes.HasPrefix(raw, []byte("{"))
}

func (s *settings) setNamed(name string, raw json.RawMessage) error {
	named := namedToken{name: name, null: string(raw) == "null", object: bytes.HasPrefix(raw, []byte("{"))}
	if !named.null {
		var err error
		if named.token, err = tokenOf(raw); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		named.null = named.token.Content == ""
	}
	for i, other := range s.named {
		if other.name == name {
			s.named[i] = named
			return nil
		}
	}
	s.named = append(s.named, named)
	return nil
}

// tokenOf reads a token written as text, which is a special one, or as an
// object.
func tokenOf(raw json.RawMessage) (addedToken, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return specialToken(text), nil
	}
	token, err := parseToken(raw)
	if err != nil {
		return token, fmt.Errorf("want a string or an object with content, got %.80s", raw)
	}
	return token, nil
}

// readExtra takes extra_special_tokens, which older files call
// additional_special_tokens: a list, or an object from names to tokens.
func (s *settings) readExtra(o object) error {
	for _, key := range []string{"extra_special_tokens", "additional_special_tokens"} {
		raw, ok := o.values[key]
		if !ok || string(raw) == "null" || string(raw) == "[]" || string(raw) == "{}" {
			continue
		}
		return s.setExtra(key, raw)
	}
	return nil
}

func (s *settings) setExtra(key string, raw json.RawMessage) error {
	if named, err := parseObject(raw); err == nil {
		for _, name := range named.keys {
			if err := s.setNamed(name, named.values[name]); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return fmt.Errorf("%s: want a list of tokens or an object of named ones, got %.80s", key, raw)
	}
	s.listed = true
	for _, raw := range list {
		token, err := tokenOf(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.extra = append(s.extra, token)
	}
	return nil
}

// readMapExtra takes the extra tokens of special_tokens_map.json: they join
// those of tokenizer_config.json, but for additional_special_tokens, which
// count only where tokenizer_config.json lists none.
func (s *settings) readMapExtra(o object) error {
	if raw, ok := o.values["extra_special_tokens"]; ok && string(raw) != "null" {
		return s.setExtra("extra_special_tokens", raw)
	}
	if raw, ok := o.values["additional_special_tokens"]; ok && string(raw) != "null" && !s.listed {
		s.late = true
		return s.setExtra("additional_special_tokens", raw)
	}
	return nil
}

// isSpecial tells whether transformers takes a token of added_tokens.json for a
// special one: it overlooks those that tokenizer_config.json writes as objects
// and those that special_tokens_map.json alone lists.
func (s *settings) isSpecial(text string) bool {
	for _, named := range s.named {
		if named.token.Content == text && slices.Contains(tokenNames[:], named.name) && !named.object {
			return true
		}
	}
	return !s.late && slices.ContainsFunc(s.extra, func(t addedToken) bool { return t.Content == text })
}

// takeFlags gives special tokens the flags of the added tokens of their text.
func (s *settings) takeFlags() {
	for i, named := range s.named {
		if !slices.Contains(tokenNames[:], named.name) {
			continue
		}
		for _, token := range s.declared {
			if token.Content == named.token.Content && !named.null {
				s.named[i].token = token
			}
		}
	}
}

// declares tells whether a file beside tokenizer.json gives a text an id.
func (s *settings) declares(text string) bool {
	return slices.ContainsFunc(s.declaredBeside, func(t addedToken) bool { return t.Content == text })
}

// names tells whether a text is a named special token.
func (s *settings) names(text string) bool {
	_, ok := s.nameOf(text)
	return ok
}

func (s *settings) nameOf(text string) (string, bool) {
	for _, named := range s.named {
		if !named.null && named.token.Content == text {
			return named.name, true
		}
	}
	return "", false
}

// text is a named token's; empty where there is none.
func (s *settings) text(name string) string {
	for _, named := range s.named {
		if named.name == name && !named.null {
			return named.token.Content
		}
	}
	return ""
}

// has tells whether a name is given, as a token or as null.
func (s *settings) has(name string) bool {
	return slices.ContainsFunc(s.named, func(n namedToken) bool { return n.name == name })
}

// specials are the named tokens in transformers' order, then the extra ones.
func (s *settings) specials() []addedToken {
	var tokens []addedToken
	for _, name := range tokenNames {
		if text := s.text(name); text != "" {
			tokens = append(tokens, s.named[slices.IndexFunc(s.named, func(n namedToken) bool { return n.name == name })].token)
		}
	}
	for _, named := range s.named {
		if !named.null && !slices.Contains(tokenNames[:], named.name) {
			tokens = append(tokens, named.token)
		}
	}
	return append(tokens, s.extra...)
}

// texts are the named tokens as a chat template sees them.
func (s *settings) texts() map[string]string {
	texts := map[string]string{}
	for _, named := range s.named {
		if !named.null {
			texts[named.name] = named.token.Content
		}
	}
	return texts
}
