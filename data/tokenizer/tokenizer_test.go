package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t testing.TB, dir ...string) *Tokenizer {
	t.Helper()
	tok, err := Open(filepath.Join(dir...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tok.Close(); err != nil {
			t.Error(err)
		}
	})
	return tok
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copyModel copies a tokenizer of testdata, to be spoilt.
func copyModel(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Merges left out at random would give a text another reward every time; a class
// that builds its own pipeline, as transformers does, has none.
func TestDropout(t *testing.T) {
	for value, want := range map[string]string{"0.5": "model.dropout is 0.5", "0.0": "", "null": ""} {
		for class, own := range map[string]bool{"PreTrainedTokenizerFast": false, "GPT2Tokenizer": true} {
			dir := copyModel(t, "bpe")
			var tokenizer map[string]any
			readJSON(t, filepath.Join(dir, "tokenizer.json"), &tokenizer)
			tokenizer["model"].(map[string]any)["dropout"] = json.RawMessage(value)
			text, err := json.Marshal(tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "tokenizer.json", string(text))
			write(t, dir, "tokenizer_config.json", `{"tokenizer_class":"`+class+`"}`)
			tok, err := Open(dir)
			if err == nil {
				tok.Close()
			}
			if refused := want != "" && !own; (err != nil) != refused || refused && !strings.Contains(err.Error(), want) {
				t.Errorf("dropout %s of %s: %v", value, class, err)
			}
		}
	}
}

func TestSpecialTokens(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	checks := []struct {
		name string
		get  func() (int32, bool)
		id   int32
		ok   bool
	}{
		{"pad", tok.PadID, 0, true}, {"unk", tok.UNKID, 1, true}, {"cls", tok.CLSID, 2, true},
		{"sep", tok.SEPID, 3, true}, {"bos", tok.BOSID, 0, false}, {"eos", tok.EOSID, 0, false},
	}
	for _, c := range checks {
		if id, ok := c.get(); id != c.id || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, id, ok, c.id, c.ok)
		}
	}
	prefix, suffix := tok.Specials()
	if !slices.Equal(prefix, []int32{2}) || !slices.Equal(suffix, []int32{3}) {
		t.Errorf("specials %v … %v, want [2] … [3]", prefix, suffix)
	}
	if length, ok := tok.MaxLength(); length != 64 || !ok {
		t.Errorf("model_max_length %d, %v", length, ok)
	}
}

func TestFilesAreThoseThatExist(t *testing.T) {
	dir := copyModel(t, "bpe")
	write(t, dir, "chat_template.jinja", "{{ messages[-1].content }}")
	write(t, dir, "merges.txt", "")
	tok := open(t, dir)
	want := []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "merges.txt", "chat_template.jinja"}
	if got := tok.Files(); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if tok.Dir() != dir {
		t.Errorf("dir %q", tok.Dir())
	}
}

// special_tokens_map.json has the last word, unless tokenizer_config.json has
// added_tokens_decoder (transformers 4.34 and later write it).
func TestDialectsOfSpecialTokens(t *testing.T) {
	cases := []struct{ name, config, tokens, pad string }{
		{"config alone", `{"pad_token":"[PAD]"}`, ``, "[PAD]"},
		{"object", `{"pad_token":{"__type":"AddedToken","content":"[MASK]","lstrip":false}}`, ``, "[MASK]"},
		{"map alone", `{}`, `{"pad_token":{"content":"[SEP]"}}`, "[SEP]"},
		{"map over config", `{"pad_token":"[PAD]"}`, `{"pad_token":"[SEP]"}`, "[SEP]"},
		{"decoder", `{"pad_token":"[PAD]","added_tokens_decoder":{}}`, `{"pad_token":"[SEP]"}`, "[PAD]"},
		{"null", `{"pad_token":null,"model_max_length":1e30}`, ``, ""},
		{"not in the vocabulary", `{"pad_token":"<none>"}`, ``, "<none>"},
		{"vocabulary, not added", `{"pad_token":"the"}`, ``, "the"},
	}
	base := open(t, "testdata", "wordpiece")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := copyModel(t, "wordpiece")
			os.Remove(filepath.Join(dir, "special_tokens_map.json"))
			write(t, dir, "tokenizer_config.json", c.config)
			if c.tokens != "" {
				write(t, dir, "special_tokens_map.json", c.tokens)
			}
			tok := open(t, dir)
			id, ok := tok.PadID()
			if c.pad == "" {
				if _, limited := tok.MaxLength(); ok || limited {
					t.Errorf("pad %d, limited %v; want neither", id, limited)
				}
				return
			}
			ids, err := base.encode(c.pad)
			if c.pad == "<none>" { // transformers adds it
				ids = []int32{int32(base.VocabSize())}
			}
			if err != nil || len(ids) != 1 {
				t.Fatal(ids, err)
			}
			if !ok || id != ids[0] {
				t.Errorf("pad %d, %v; want %d", id, ok, ids[0])
			}
		})
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	cases := []struct {
		name, file, text string
		want             []string
	}{
		{"malformed", "tokenizer.json", `{"model": {`, []string{"tokenizer.json", "malformed JSON at byte 11"}},
		{"not an object", "tokenizer.json", `[1]`, []string{"tokenizer.json", "JSON object"}},
		{"no model", "tokenizer.json", `{"version":"1.0"}`, []string{"tokenizer.json", "no model"}},
		{"unknown model", "tokenizer.json", `{"version":"1.0","model":{"type":"Nonesuch"}}`, []string{"tokenizer.json"}},
		{"empty", "tokenizer.json", ``, []string{"tokenizer.json", "malformed"}},
		{"config", "tokenizer_config.json", `not json`, []string{"tokenizer_config.json", "not a JSON object"}},
		{"pad", "tokenizer_config.json", `{"pad_token": 3}`, []string{"tokenizer_config.json", "pad_token", "3"}},
		{"length", "tokenizer_config.json", `{"model_max_length": "long"}`, []string{"tokenizer_config.json", "model_max_length"}},
		{"map", "special_tokens_map.json", `{"eos_token": []}`, []string{"special_tokens_map.json", "eos_token"}},
		{"template", "chat_template.jinja", `{% for m in messages %}`, []string{"chat_template.jinja"}},
		{"open tag", "chat_template.jinja", `{{ messages`, []string{"chat_template.jinja", "not closed"}},
		{"templates", "tokenizer_config.json", `{"chat_template": [{"name":"rag","template":"x"}]}`, []string{"tokenizer_config.json", "default", "rag"}},
		{"template type", "tokenizer_config.json", `{"chat_template": 7}`, []string{"tokenizer_config.json", "chat_template"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := copyModel(t, "wordpiece")
			write(t, dir, c.file, c.text)
			tok, err := Open(dir)
			if err == nil {
				tok.Close()
				t.Fatal("opened")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestOpenWithoutFastTokenizer(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "vocab.txt", "[PAD]\n")
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "save a fast tokenizer") || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("vocab.txt alone: %v", err)
	}
	if _, err = Open(filepath.Join(dir, "nowhere")); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("no directory: %v", err)
	}
	if _, err = Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("empty directory: %v", err)
	}
}
