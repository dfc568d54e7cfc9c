package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed says which of our packages each may import.
var allowed = map[string][]string{
	"data":           {},
	"data/tokenizer": {"data"},
	"data/demo":      {"data"},
	"eval":           {"data"},
	"model":          {"data", "model/safetensors"},
	"trainer":        {"model", "model/safetensors", "eval", "data"},
	"feedback":       {"data", "feedback/chat"},
	"feedback/chat":  {"data"},

	"model/safetensors": {"data"},
	"model/hub":         {"data", "model/safetensors"},
	"configs":           {"data", "feedback", "feedback/chat", "model", "eval", "trainer"},
}

// hubRecords is of GoMLX's authors, and not GoMLX.
const hubRecords = "github.com/gomlx/go-huggingface/hub"

// TestImportsGoOneWay holds the table, and that GoMLX stays in model and
// trainer (commands pass a backend and a tensor along).
func TestImportsGoOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "build" || strings.HasPrefix(entry.Name(), ".") && path != root) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			may, ours := allowed[filepath.ToSlash(dir)]
			if imported, ok := strings.CutPrefix(name, "laurel/"); ok && ours && !slices.Contains(may, imported) {
				t.Errorf("%s imports %s", path, name)
			}
			if strings.HasPrefix(name, "github.com/gomlx/") && name != hubRecords && ours && dir != "model" && dir != "trainer" {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
