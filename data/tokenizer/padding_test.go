package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetKeys: what the files hold besides stays as it is, and what they say already is
// not written again.
func TestSetKeys(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tokenizer_config.json")
	read := func() string {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if err := SetSide(dir, Right); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file is written for the side that is the default")
	}
	first := `{"model_max_length": 1000000000000000019884624838656}`
	if err := os.WriteFile(path, []byte(first), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := SetSide(dir, Right); err != nil || read() != first {
		t.Errorf("the default side changes the file to %s (%v)", read(), err)
	}
	if err := SetSide(dir, Left); err != nil || !strings.Contains(read(), `"truncation_side": "left"`) || !strings.Contains(read(), "1000000000000000019884624838656") {
		t.Errorf("left gives %s (%v)", read(), err)
	}
	if err := SetSide(dir, Right); err != nil || !strings.Contains(read(), `"truncation_side": "right"`) {
		t.Errorf("right, where left was written, gives %s (%v)", read(), err)
	}
	if err := SetPad(dir, "<|pad|>"); err != nil || !strings.Contains(read(), `"truncation_side": "right"`) || !strings.Contains(read(), "pad_token") {
		t.Errorf("pad gives %s (%v)", read(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "special_tokens_map.json")); err == nil {
		t.Error("special_tokens_map.json is written where there was none")
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := SetSide(dir, Left); err == nil || !strings.Contains(err.Error(), "set truncation_side in "+path) {
		t.Errorf("a broken file gives %v", err)
	}
}
