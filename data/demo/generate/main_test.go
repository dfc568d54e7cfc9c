package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerate(t *testing.T) {
	folder := t.TempDir()
	var out bytes.Buffer
	if err := generate(&out, []string{"-out", folder}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"train.jsonl", "validation.jsonl", "test.jsonl", "unlabelled.jsonl", "unlabelled_gold.jsonl"} {
		got, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the committed one", file)
		}
		if file != "unlabelled_gold.jsonl" && !strings.Contains(out.String(), file) {
			t.Errorf("output does not name %s:\n%s", file, out.String())
		}
	}
}

func TestGenerateIntoNowhere(t *testing.T) {
	err := generate(&bytes.Buffer{}, []string{"-out", filepath.Join(t.TempDir(), "missing")})
	if err == nil || !strings.Contains(err.Error(), "write demo data") {
		t.Errorf("error %v", err)
	}
}
