// Package tokenizer turns pairs and completions into token ids with the
// tokenizer.json of a Hugging Face model, through the Rust tokenizers library
// that transformers itself uses, and messages into text through the model's
// chat template.
//
// It is the only package of laurel that needs cgo's linker: cmd/setup leaves
// libtokenizers.a in build/lib.
package tokenizer

// #cgo LDFLAGS: -L${SRCDIR}/../../build/lib
import "C"

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/daulet/tokenizers"
)

// Tokenizer encodes text as the model's own tokenizer does. It may be shared
// by any number of goroutines.
type Tokenizer struct {
	dir       string
	settings  *settings
	special   map[string]int32 // name of tokenizer_config.json, such as pad_token, to id
	added     map[string]int32 // text of added tokens to id
	templates *chatTemplates   // nil where the model has none
	unread    unread
	prefix    []int32 // what the post-processor puts before every text
	suffix    []int32 // and after it
	notes     []string

	// Guards library against Close, which frees it, during an encoding.
	mu      sync.RWMutex
	library *tokenizers.Tokenizer
	vocab   int
	words   *words    // nil where texts are encoded whole
	lately  sync.Pool // of *begun, what goroutines have encoded last
}

// ErrClosed is returned by encodings after Close.
var ErrClosed = errors.New("tokenizer is closed")

// Open reads the tokenizer of a model directory as AutoTokenizer of
// transformers 5.23 does: tokenizer.json, the pipeline of the class that
// tokenizer_config.json or config.json names, special and added tokens of
// tokenizer_config.json, special_tokens_map.json and added_tokens.json, and the
// chat template of chat_template.jinja or tokenizer_config.json.
//
// The truncation and padding of tokenizer.json are left out: both are the
// caller's, as they are in transformers.
func Open(dir string) (*Tokenizer, error) {
	return OpenFor(dir, filepath.Join(dir, "config.json"))
}

// OpenFor is Open where the model's config.json lies elsewhere, as that of an
// adapter does.
func OpenFor(dir, config string) (*Tokenizer, error) {
	path := filepath.Join(dir, "tokenizer.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, missing(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	definition, err := parseDefinition(raw)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", path, err)
	}
	settings, err := readSettings(dir, config, definition)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{dir: dir, settings: settings, lately: sync.Pool{New: func() any { return new(begun) }}}
	if err := t.load(definition); err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", path, err)
	}
	if t.templates, err = readTemplates(dir, settings); err != nil {
		t.library.Close()
		return nil, err
	}
	return t, nil
}

// load builds the tokenizer of the library and finds what it puts around
// texts.
func (t *Tokenizer) load(d *definition) error {
	bytes, added, err := d.complete(t.settings)
	if err != nil {
		return err
	}
	t.special, t.added, t.notes = added.special(t.settings), added.ids, added.notes
	var options []tokenizers.TokenizerOption
	split, err := t.settings.flag("split_special_tokens", false)
	if err != nil {
		return err
	}
	if split {
		options = append(options, tokenizers.WithEncodeSpecialTokens())
	}
	if t.library, err = tokenizers.FromBytes(bytes, options...); err != nil {
		return err
	}
	t.vocab = int(t.library.VocabSize())
	if t.prefix, t.suffix, err = t.findAffixes(); err != nil {
		t.library.Close()
		return err
	}
	if !split {
		t.words = newWords(d, slices.Collect(maps.Values(added.tokens)))
	}
	t.notes = append(t.notes, t.otherVersions(d)...)
	return nil
}

// Notes say what in the tokenizer's files is not taken as it is written, or is
// read otherwise by other versions of transformers.
func (t *Tokenizer) Notes() []string { return slices.Clone(t.notes) }

// missing says what to do about a directory without tokenizer.json.
func missing(dir string) error {
	err := fmt.Errorf("read tokenizer %s: no such file", filepath.Join(dir, "tokenizer.json"))
	if _, statErr := os.Stat(dir); statErr != nil {
		return fmt.Errorf("read tokenizer: %w", statErr)
	}
	for _, slow := range []string{"vocab.txt", "vocab.json", "tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model"} {
		if _, statErr := os.Stat(filepath.Join(dir, slow)); statErr == nil {
			return fmt.Errorf("%w (%s alone is not enough): save a fast tokenizer there with transformers: "+
				"AutoTokenizer.from_pretrained(%q).save_pretrained(%q)", err, slow, dir, dir)
		}
	}
	return err
}

// Close frees the tokenizer. Encodings that are under way end first; later
// ones return ErrClosed.
func (t *Tokenizer) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.library == nil {
		return nil
	}
	err := t.library.Close()
	t.library = nil
	return err
}

// PadID is the id of pad_token; false where the model names none.
func (t *Tokenizer) PadID() (int32, bool) { return t.specialID("pad_token") }

// EOSID is the id of eos_token; false where the model names none.
func (t *Tokenizer) EOSID() (int32, bool) { return t.specialID("eos_token") }

// BOSID is the id of bos_token; false where the model names none.
func (t *Tokenizer) BOSID() (int32, bool) { return t.specialID("bos_token") }

// CLSID is the id of cls_token; false where the model names none.
func (t *Tokenizer) CLSID() (int32, bool) { return t.specialID("cls_token") }

// SEPID is the id of sep_token; false where the model names none.
func (t *Tokenizer) SEPID() (int32, bool) { return t.specialID("sep_token") }

// UNKID is the id of unk_token; false where the model names none.
func (t *Tokenizer) UNKID() (int32, bool) { return t.specialID("unk_token") }

// MaskID is the id of mask_token; false where the model names none.
func (t *Tokenizer) MaskID() (int32, bool) { return t.specialID("mask_token") }

func (t *Tokenizer) specialID(name string) (int32, bool) {
	id, ok := t.special[name]
	return id, ok
}

// VocabSize is the number of tokens, added ones included. The embedding of the
// model may have more rows, never fewer.
func (t *Tokenizer) VocabSize() int { return t.vocab }

// MaxLength is model_max_length of tokenizer_config.json, in tokens; false
// where it is absent or transformers' "no limit" (1e30).
func (t *Tokenizer) MaxLength() (int, bool) {
	return t.settings.maxLength, t.settings.maxLength > 0
}

// TruncationSide is truncation_side of tokenizer_config.json, at which transformers
// cuts; false where it is absent.
func (t *Tokenizer) TruncationSide() (Side, bool) {
	side, err := ParseSide(t.settings.side)
	return side, err == nil
}

// Specials are the ids that are put before and after every text.
func (t *Tokenizer) Specials() (prefix, suffix []int32) {
	return slices.Clone(t.prefix), slices.Clone(t.suffix)
}

// Dir is the directory that Open read.
func (t *Tokenizer) Dir() string { return t.dir }

// CopyFiles has write put each of Files below a folder, where it lies below Dir.
func (t *Tokenizer) CopyFiles(to string, write func(path string, content []byte) error) error {
	for _, name := range t.Files() {
		content, err := os.ReadFile(filepath.Join(t.dir, name))
		if err != nil {
			return err
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := write(path, content); err != nil {
			return err
		}
	}
	return nil
}

// Files are the names of the tokenizer's files in Dir, those that an exported
// model needs beside its weights.
func (t *Tokenizer) Files() []string {
	var files []string
	for _, name := range []string{
		"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
		"vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "spm.model",
		"sentencepiece.bpe.model", "chat_template.jinja",
	} {
		if info, err := os.Stat(filepath.Join(t.dir, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	return append(files, NamedTemplates(t.dir)...)
}
