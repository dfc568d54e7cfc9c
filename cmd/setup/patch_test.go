package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplacement: a change is made where its text is there once, and refused
// by name where the module has become another.
func TestReplacement(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.go")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := replacement{file: "a.go", old: "one()", new: "two()"}
	write("x := one()\n")
	if err := r.apply(dir); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "x := two()\n" {
		t.Errorf("%q, %v", raw, err)
	}
	for _, content := range []string{"x := 3\n", "x := one() + one()\n"} {
		write(content)
		if err := r.apply(dir); err == nil || !strings.Contains(err.Error(), "a.go holds \"one()\"") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestPatchXLA makes the copy of the module that go.mod names, and a second time
// finds it there.
func TestPatchXLA(t *testing.T) {
	root := t.TempDir()
	repository := filepath.Join("..", "..")
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("go-xla: v0.4.1 with %d changes", len(replacements)), "go-xla: already there"} {
		var out strings.Builder
		if err := patchXLA(root, &out); err != nil || !strings.Contains(out.String(), want) {
			t.Fatalf("%q, %v; want %q", out.String(), err, want)
		}
	}
	for file, want := range map[string]string{
		"go-xla/compute/xla/function.go": "donorAttributes(f.builder.name, name)", "go-xla/compute/xla/donors.go": "jax.buffer_donor",
		"go-xla/pjrt/compilecache.go": "compileCached", "go.mod": "replace github.com/gomlx/go-xla => ./build/go-xla", "goflags": "-modfile=",
	} {
		raw, err := os.ReadFile(filepath.Join(root, "build", file))
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %q: %v", file, want, err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.sum"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if files, err := readModFiles(root); err != nil || patchDigest(files) == patchDigest(map[string]string{}) {
		t.Errorf("another go.sum makes no other copy: %v", err)
	}
}
