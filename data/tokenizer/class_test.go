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
