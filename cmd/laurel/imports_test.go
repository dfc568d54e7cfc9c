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

// allowed says which of our packages each may import. Every package of ours
// has a row; commands, which are package main, may import all.
var allowed = map[string][]string{
	"data":              {"data/parquetpages"},
	"data/batches":      {"data"},
	"data/demo":         {"data"},
	"data/errortest":    {},
	"data/inspect":      {"data", "data/tokenizer"},
	"data/parquetpages": {},
	"data/rowtest":      {"data", "data/demo"},
	"data/tokenizer":    {"data", "data/tokenizer/jinja"},

	"data/tokenizer/jinja": {},

	"eval":               {"data", "data/batches", "eval/benchmarks", "eval/draw", "eval/stats", "eval/surface"},
	"eval/benchmarks":    {"data", "eval/stats"},
	"eval/audit":         {"data", "labels", "eval/draw", "eval/stats", "eval/surface"},
	"eval/draw":          {"data", "eval/stats"},
	"eval/draw/drawtest": {},
	"eval/stats":         {},
	"eval/surface":       {"data"},

	"labels":   {"data", "data/parquetpages"},
	"localweb": {},

	"feedback":          {"data", "feedback/chat", "labels"},
	"feedback/chat":     {"data"},
	"feedback/chattest": {},

	"model":             {"data", "data/batches", "model/hostkernels", "model/plugins", "model/safetensors"},
	"model/hostkernels": {},
	"model/hub":         {"data", "model/safetensors"},
	"model/plugins":     {},
	"model/safetensors": {"data"},

	"handoff": {"data", "data/tokenizer", "eval/stats", "model", "scoring"},
	"bestofn": {"data", "eval/draw", "eval/stats"},
	"drift":   {"data", "eval/draw", "eval/stats"},
	"probe":   {"data", "eval/draw", "eval/stats"},
	"scoring": {"data", "data/batches", "data/tokenizer", "model", "model/hub"},

	"board":  {"data", "eval", "eval/stats", "localweb", "report", "scoring", "trainer"},
	"report": {"configs", "eval", "eval/audit", "eval/draw", "eval/stats", "probe", "trainer"},
	"review": {"data", "labels", "eval/audit", "eval/stats", "localweb"},

	"sweep":  {"data", "eval/audit", "eval/draw", "eval/stats", "feedback", "labels"},
	"triage": {"data", "labels", "eval/draw", "eval/stats", "eval/surface"},

	"learning":  {"eval/draw", "eval/stats"},
	"selection": {"data"},
	"serve":     {"data", "data/tokenizer", "scoring"},

	"verify": {"data", "data/tokenizer", "eval/stats", "model", "scoring"},

	"trainer":           {"model", "model/safetensors", "eval", "data", "data/batches", "trainer/hostadamw"},
	"trainer/hostadamw": {},

	"bench": {"data", "data/batches", "data/demo", "data/tokenizer", "eval/draw", "eval/stats", "model", "trainer"},

	"configs": {"data", "feedback", "feedback/chat", "model", "eval", "trainer"},

	"loop": {"configs", "data", "eval", "eval/audit", "eval/draw", "eval/stats", "feedback", "feedback/chat", "labels", "selection"},
}

// notGoMLX are of GoMLX's authors, and compute nothing: the hub's records, and
// the index of Python's packages.
var notGoMLX = []string{"github.com/gomlx/go-huggingface/hub", "github.com/gomlx/go-xla/installer"}

// TestImportsGoOneWay holds the table, that every package is in it, and that
// GoMLX stays in model and trainer (commands pass a backend and a tensor
// along).
func TestImportsGoOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
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
		if file.Name.Name == "main" {
			return nil
		}
		dir = filepath.ToSlash(dir)
		may, known := allowed[dir]
		if !known && !seen[dir] {
			t.Errorf("package %s is not in the table of imports: say what it may import", dir)
		}
		seen[dir] = true
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if imported, ok := strings.CutPrefix(name, "laurel/"); ok && known && !slices.Contains(may, imported) {
				t.Errorf("%s imports %s", path, name)
			}
			if strings.HasPrefix(name, "github.com/gomlx/") && !slices.Contains(notGoMLX, name) && dir != "model" && dir != "trainer" {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range allowed {
		if !seen[dir] {
			t.Errorf("package %s is in the table of imports, but not in the tree", dir)
		}
	}
}
