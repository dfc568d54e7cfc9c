package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// classCases is what testdata/make_classes.py writes: the files beside a
// tokenizer.json, and what AutoTokenizer makes of texts with them.
type classCases struct {
	Texts      []string
	Tokenizers map[string][]classCase
}

type classCase struct {
	Files map[string]json.RawMessage
	Class string
	Size  int
	IDs   []string
	Error string
}

// write lays out the directory that transformers loaded.
func (c classCase) write(t *testing.T, definition string) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tokenizer.json", string(raw))
	for name, raw := range c.Files {
		write(t, dir, name, string(raw))
	}
	return dir
}

// check wants transformers' ids, or a refusal that the case's kind allows.
func (c classCase) check(t *testing.T, texts []string, definition string) (refused bool) {
	t.Helper()
	tok, err := Open(c.write(t, definition))
	if c.Error != "" {
		if err == nil {
			tok.Close()
		}
		return err != nil
	}
	if err != nil {
		if !strings.Contains(err.Error(), "tokenizer.json gives") {
			t.Errorf("%s: %v", c.files(), err)
		}
		return true
	}
	defer tok.Close()
	for i, text := range texts {
		got, err := tok.EncodeText(text, 0, Left)
		if err != nil || strings.Trim(fmt.Sprint(got.IDs), "[]") != c.IDs[i] {
			t.Errorf("%s\n%s: %q: %v, %v; transformers (%s): %s", c.files(), tok.settings.class, text, got.IDs, err, c.Class, c.IDs[i])
		}
	}
	if tok.VocabSize() != c.Size {
		t.Errorf("%s: %d tokens, transformers has %d", c.files(), tok.VocabSize(), c.Size)
	}
	return false
}

func (c classCase) files() string {
	var all strings.Builder
	for name, raw := range c.Files {
		fmt.Fprintf(&all, "%s: %s\n", name, raw)
	}
	return all.String()
}

// Every setting beside tokenizer.json that changes ids does so as in
// transformers 5.23.
func TestClassesLoadAsTransformersDoes(t *testing.T) {
	var cases classCases
	readJSON(t, filepath.Join("testdata", "classes", "expected.json"), &cases)
	for name, list := range cases.Tokenizers {
		t.Run(name, func(t *testing.T) {
			refused := 0
			for _, c := range list {
				if c.check(t, cases.Texts, filepath.Join("testdata", "classes", name+".json")) {
					refused++
				}
			}
			if refused > len(list)/2 {
				t.Errorf("%d of %d are refused: too few are compared", refused, len(list))
			}
		})
	}
}

// The same for the shared tokenizers, whose cases are in classes/shared.json:
// python make_classes.py classes/shared.json 0 4 ../../../../shared/golden/*/
func TestGoldenClassesLoadAsTransformersDoes(t *testing.T) {
	compareGolden(t, filepath.Join("testdata", "classes", "shared.json"))
}

func compareGolden(t *testing.T, path string) {
	t.Helper()
	root := shared(t, "golden")
	var cases classCases
	readJSON(t, path, &cases)
	for name, list := range cases.Tokenizers {
		t.Run(name, func(t *testing.T) {
			for _, c := range list {
				c.check(t, cases.Texts, filepath.Join(root, name, "tokenizer.json"))
			}
		})
	}
}

// FuzzSettings: files beside tokenizer.json come from outside. They are read or
// refused, never a panic, and what is read encodes.
func FuzzSettings(f *testing.F) {
	f.Add(`{"tokenizer_class":"BertTokenizerFast","added_tokens_decoder":{"7":{"content":"<x>"}}}`, `{}`, `{"pad_token":"a"}`, `{"model_type":"bert"}`)
	f.Add(`{"extra_special_tokens":{"x_token":"<x>"},"strip_accents":null}`, `{"<y>":300}`, `{"eos_token":{"content":"</s>"}}`, `{}`)
	f.Add(`{"tokenizer_class":"XLMRobertaTokenizer","cls_token":null}`, ``, ``, `{"tokenizer_class":3}`)
	raw, err := os.ReadFile(filepath.Join("testdata", "classes", "wordpiece.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config, added, special, model string) {
		dir := t.TempDir()
		write(t, dir, "tokenizer.json", string(raw))
		for name, text := range map[string]string{
			"tokenizer_config.json": config, "added_tokens.json": added, "special_tokens_map.json": special, "config.json": model,
		} {
			if text != "" {
				write(t, dir, name, text)
			}
		}
		tok, err := Open(dir)
		if err != nil {
			return
		}
		defer tok.Close()
		if _, err := tok.EncodeText("a text <x>", 0, Left); err != nil {
			t.Error(err)
		}
	})
}

// Refusals and notes name the file and the token.
func TestFilesThatDisagree(t *testing.T) {
	cases := []struct{ name, file, text, refused, noted string }{
		{"id of another", "tokenizer_config.json", `{"added_tokens_decoder":{"5":{"content":"<x>"}}}`, `gives id 5 to "<x>", tokenizer.json gives it to`, ""},
		{"two ids", "added_tokens.json", `{"[SEP]":999}`, `gives "[SEP]" id 999, tokenizer.json gives it 3`, ""},
		{"gap", "added_tokens.json", `{"<x>":999}`, "", `gives "<x>" id 999: it has id 212`},
		{"no object", "tokenizer_config.json", `{"added_tokens_decoder":[]}`, "added_tokens_decoder: want an object", ""},
		{"no id", "tokenizer_config.json", `{"added_tokens_decoder":{"x":{"content":"<x>"}}}`, `"x" is no id`, ""},
		{"no content", "tokenizer_config.json", `{"added_tokens_decoder":{"999":{}}}`, "id 999", ""},
		{"unknown pipeline", "tokenizer_config.json", `{"tokenizer_class":"CLIPTokenizerFast"}`, "CLIPTokenizerFast builds a pipeline of its own", ""},
		{"vocabulary", "tokenizer_config.json", `{"tokenizer_class":"DebertaV2Tokenizer"}`, "does not fit the vocabulary", ""},
		{"null", "tokenizer_config.json", `{"tokenizer_class":"BertTokenizer","cls_token":null,"added_tokens_decoder":{}}`, "cls_token of tokenizer_config.json is null", ""},
		{"flag", "tokenizer_config.json", `{"tokenizer_class":"BertTokenizer","do_lower_case":"yes"}`, "do_lower_case: want true or false", ""},
		{"end", "tokenizer_config.json", `{"add_eos_token":true,"eos_token":"the"}`, "", "add_eos_token: true"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := copyModel(t, "wordpiece")
			write(t, dir, c.file, c.text)
			if c.file != "tokenizer_config.json" {
				write(t, dir, "tokenizer_config.json", `{}`)
			}
			tok, err := Open(dir)
			if err == nil {
				defer tok.Close()
			}
			if (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Fatalf("%v, want %q", err, c.refused)
			}
			if err == nil && !strings.Contains(strings.Join(tok.Notes(), "\n"), c.noted) {
				t.Errorf("notes %q, want %q", tok.Notes(), c.noted)
			}
		})
	}
}
