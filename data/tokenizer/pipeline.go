package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// pipeline is how a class of transformers 5 builds a tokenizer from the
// vocabulary (and merges) of tokenizer.json and from tokenizer_config.json,
// whatever else tokenizer.json says.
type pipeline struct {
	list     bool   // wants a vocabulary of pieces with scores
	defaults string // special tokens where the files name none, as name=text
	model    func(s *settings, d *definition) (any, error)
	// normalizer and preTokenizer give what stands in tokenizer.json under
	// their names.
	normalizer   func(s *settings, d *definition) (any, error)
	preTokenizer func(s *settings) (any, error)
	// postProcessor is nil for classes that keep tokenizer.json's.
	postProcessor func(s *settings, v *addedVocabulary) (any, error)
	again         bool // adds every special token once more, as a bare one
}

// part is a JSON object of tokenizer.json.
type part map[string]any

// The pipelines are those of transformers 5.23, models/*/tokenization_*.py.
var pipelines = map[string]pipeline{
	"BertTokenizer": {
		defaults: "unk_token=[UNK] sep_token=[SEP] pad_token=[PAD] cls_token=[CLS] mask_token=[MASK]",
		model:    wordPiece, normalizer: bertNormalizer, preTokenizer: bertPreTokenizer, postProcessor: clsSep,
	},
	"RobertaTokenizer": {
		defaults: "bos_token=<s> eos_token=</s> sep_token=</s> cls_token=<s> unk_token=<unk> pad_token=<pad> mask_token=<mask>",
		model:    bpe(part{}), normalizer: noNormalizer, preTokenizer: byteLevel, postProcessor: robertaProcessing,
	},
	"GPT2Tokenizer": {
		defaults: "unk_token=<|endoftext|> bos_token=<|endoftext|> eos_token=<|endoftext|>",
		model:    bpe(part{}), normalizer: noNormalizer, preTokenizer: byteLevel,
	},
	"Qwen2Tokenizer": {
		defaults: "unk_token=<|endoftext|> eos_token=<|endoftext|> pad_token=<|endoftext|>",
		model:    bpe(part{}), normalizer: always(part{"type": "NFC"}), preTokenizer: qwenPreTokenizer, again: true,
	},
	"LlamaTokenizer": {
		defaults: "unk_token=<unk> bos_token=<s> eos_token=</s>",
		model:    bpe(part{"fuse_unk": true, "byte_fallback": true}), normalizer: noNormalizer, preTokenizer: llamaPreTokenizer,
	},
	"GemmaTokenizer": {
		defaults: "unk_token=<unk> bos_token=<bos> eos_token=<eos> pad_token=<pad> mask_token=<mask>",
		model:    gemmaModel, normalizer: always(part{"type": "Replace", "pattern": part{"String": " "}, "content": "▁"}),
		preTokenizer: gemmaPreTokenizer,
	},
	"XLMRobertaTokenizer": {
		list:     true,
		defaults: "bos_token=<s> eos_token=</s> sep_token=</s> cls_token=<s> unk_token=<unk> pad_token=<pad> mask_token=<mask>",
		model:    unigram(func(*settings, *definition) int32 { return 3 }), normalizer: precompiled,
		preTokenizer: xlmRobertaPreTokenizer, postProcessor: bosEOS,
	},
	"DebertaV2Tokenizer": {
		list:     true,
		defaults: "bos_token=[CLS] eos_token=[SEP] unk_token=[UNK] sep_token=[SEP] pad_token=[PAD] cls_token=[CLS] mask_token=[MASK]",
		model:    unigram(debertaUnknown), normalizer: debertaNormalizer, preTokenizer: debertaPreTokenizer, postProcessor: clsSep,
	},
}

// rebuild puts the class's parts in place of tokenizer.json's, except the
// post-processor, which needs the ids of special tokens. It tells whether the
// class has any.
func (d *definition) rebuild(s *settings) (p pipeline, ok bool, err error) {
	if p, ok = pipelines[s.class]; !ok {
		return p, false, nil
	}
	if d.vocabulary.list != p.list {
		return p, true, fmt.Errorf("tokenizer_class %s does not fit the vocabulary of tokenizer.json: transformers cannot load it either", s.class)
	}
	for _, pair := range strings.Fields(p.defaults) {
		name, text, _ := strings.Cut(pair, "=")
		if !s.has(name) {
			s.named = append(s.named, namedToken{name: name, token: specialToken(text)})
		}
	}
	model, err := p.model(s, d)
	normalizer, normalizerErr := p.normalizer(s, d)
	preTokenizer, preErr := p.preTokenizer(s)
	err = errors.Join(err, normalizerErr, preErr)
	for key, value := range map[string]any{"model": model, "normalizer": normalizer, "pre_tokenizer": preTokenizer} {
		err = errors.Join(err, d.set(key, value))
	}
	return p, true, err
}

func (d *definition) set(key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	d.keys[key] = raw
	return nil
}

// need is the text of a special token that a pipeline cannot do without.
func (s *settings) need(name string) (string, error) {
	text := s.text(name)
	if text == "" {
		return "", fmt.Errorf("%s of tokenizer_config.json is null, and %s needs it", name, s.class)
	}
	return text, nil
}

// keep gives the named keys of tokenizer.json's model.
func (d *definition) keep(model part, keys ...string) (any, error) {
	var old map[string]json.RawMessage
	if err := json.Unmarshal(d.keys["model"], &old); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	for _, key := range keys {
		raw, ok := old[key]
		if !ok && key == "merges" {
			return nil, errors.New("model: no merges, and the tokenizer's class needs them")
		}
		model[key] = raw
	}
	return model, nil
}

func wordPiece(s *settings, d *definition) (any, error) {
	unknown, err := s.need("unk_token")
	if err != nil {
		return nil, err
	}
	return d.keep(part{"type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}, "vocab")
}

func bpe(flags part) func(*settings, *definition) (any, error) {
	return func(_ *settings, d *definition) (any, error) {
		model := part{"type": "BPE", "dropout": nil, "unk_token": nil, "fuse_unk": false, "byte_fallback": false,
			"continuing_subword_prefix": "", "end_of_word_suffix": "", "ignore_merges": false}
		for key, value := range flags {
			model[key] = value
		}
		return d.keep(model, "vocab", "merges")
	}
}

func gemmaModel(s *settings, d *definition) (any, error) {
	unknown, err := s.need("unk_token")
	if err != nil {
		return nil, err
	}
	return bpe(part{"fuse_unk": true, "byte_fallback": true, "unk_token": unknown})(s, d)
}

func unigram(unknown func(*settings, *definition) int32) func(*settings, *definition) (any, error) {
	return func(s *settings, d *definition) (any, error) {
		return d.keep(part{"type": "Unigram", "unk_id": unknown(s, d), "byte_fallback": false}, "vocab")
	}
}

// debertaUnknown is unk_token's place where its score is 0, else unk_id of
// tokenizer_config.json, else 1.
func debertaUnknown(s *settings, d *definition) int32 {
	id := int32(1)
	if raw, ok := s.values.values["unk_id"]; ok {
		if json.Unmarshal(raw, &id) != nil {
			id = 1
		}
	}
	var model struct {
		Vocab [][]any `json:"vocab"`
	}
	if json.Unmarshal(d.keys["model"], &model) != nil {
		return id
	}
	for i, piece := range model.Vocab {
		if len(piece) == 2 && piece[0] == s.text("unk_token") && piece[1] == 0.0 {
			return int32(i)
		}
	}
	return id
}

func noNormalizer(*settings, *definition) (any, error) { return nil, nil }

func always(p part) func(*settings, *definition) (any, error) {
	return func(*settings, *definition) (any, error) { return p, nil }
}

func bertNormalizer(s *settings, _ *definition) (any, error) {
	lower, err := s.flag("do_lower_case", true)
	chinese, chineseErr := s.flag("tokenize_chinese_chars", true)
	var accents any
	var accentsErr error
	if raw, ok := s.values.values["strip_accents"]; ok && string(raw) != "null" {
		accents, accentsErr = s.flag("strip_accents", false)
	}
	return part{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower},
		errors.Join(err, chineseErr, accentsErr)
}

// precompiled keeps the first Precompiled normalizer of tokenizer.json.
func precompiled(_ *settings, d *definition) (any, error) {
	var old struct {
		Type        string            `json:"type"`
		Normalizers []json.RawMessage `json:"normalizers"`
	}
	raw := d.keys["normalizer"]
	if json.Unmarshal(raw, &old) != nil {
		return nil, nil
	}
	if old.Type != "Sequence" {
		old.Normalizers = []json.RawMessage{raw}
	}
	for _, raw := range old.Normalizers {
		var one struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(raw, &one) == nil && one.Type == "Precompiled" {
			return raw, nil
		}
	}
	return nil, nil
}

func debertaNormalizer(s *settings, _ *definition) (any, error) {
	lower, err := s.flag("do_lower_case", false)
	steps := []part{
		{"type": "Replace", "pattern": part{"Regex": `\s{2,}|[\n\r\t]`}, "content": " "},
		{"type": "NFC"},
		{"type": "Strip", "strip_left": false, "strip_right": true},
	}
	if lower {
		steps = append([]part{{"type": "Lowercase"}}, steps...)
	}
	return part{"type": "Sequence", "normalizers": steps}, err
}

func bertPreTokenizer(*settings) (any, error) { return part{"type": "BertPreTokenizer"}, nil }

func byteLevel(s *settings) (any, error) {
	space, err := s.flag("add_prefix_space", false)
	return part{"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": true, "use_regex": true}, err
}

// qwenPattern is PRETOKENIZE_REGEX of Qwen2Tokenizer.
const qwenPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

func qwenPreTokenizer(s *settings) (any, error) {
	space, err := s.flag("add_prefix_space", false)
	return part{"type": "Sequence", "pretokenizers": []part{
		{"type": "Split", "pattern": part{"Regex": qwenPattern}, "behavior": "Isolated", "invert": false},
		{"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": true, "use_regex": false},
	}}, err
}

func llamaPreTokenizer(s *settings) (any, error) {
	space, err := s.flag("add_prefix_space", true)
	legacy, legacyErr := s.flag("legacy", false)
	scheme := "first"
	switch {
	case !space:
		scheme = "never"
	case legacy:
		scheme = "always"
	}
	return part{"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false}, errors.Join(err, legacyErr)
}

func gemmaPreTokenizer(*settings) (any, error) {
	return part{"type": "Split", "pattern": part{"String": " "}, "behavior": "MergedWithPrevious", "invert": false}, nil
}

func xlmRobertaPreTokenizer(s *settings) (any, error) {
	space, err := s.flag("add_prefix_space", true)
	scheme := "never"
	if space {
		scheme = "always"
	}
	return part{"type": "Sequence", "pretokenizers": []part{
		{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true},
	}}, err
}

func debertaPreTokenizer(s *settings) (any, error) {
	space, err := s.flag("add_prefix_space", true)
	punctuation, punctuationErr := s.flag("split_by_punct", false)
	scheme := "first"
	if space {
		scheme = "always"
	}
	var steps []part
	if punctuation {
		steps = append(steps, part{"type": "Punctuation", "behavior": "Isolated"})
	}
	steps = append(steps, part{"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true})
	return part{"type": "Sequence", "pretokenizers": steps}, errors.Join(err, punctuationErr)
}
