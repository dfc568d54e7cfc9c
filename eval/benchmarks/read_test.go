package benchmarks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// published are the small files of the command's script, by the benchmark that they
// are of, with names from which each can be told.
var published = map[string][]string{
	"rewardbench": {"rewardbench.jsonl", "shp-00000-of-00001.jsonl"}, "rewardbench2": {"rewardbench2.jsonl"}, "rm-bench": {"rmbench.json"},
	"judgebench": {"judgebench.jsonl"}, "ppe": {"PPE-Human-Preference-V1.jsonl", "PPE-MATH-Best-of-K.jsonl"}, "hh": {"harmless-base/test.jsonl"}, "summarize": {"summaries.jsonl"},
}

// FuzzRead: whatever a file holds, it is read or refused, and what was read is
// measured, by rewards and by a judge without answers.
func FuzzRead(f *testing.F) {
	script, err := txtar.ParseFile(filepath.Join("..", "..", "cmd", "laurel", "testdata", "script", "benchmark.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for name, files := range published {
		for _, file := range files {
			for _, part := range script.Files {
				if part.Name == file {
					f.Add(name, file, part.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, name, file string, content []byte) {
		b, err := Find(name)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "harmless-base-"+filepath.Base(file)+".jsonl")
		if filepath.Ext(file) == ".json" {
			path = path[:len(path)-1]
		}
		if os.WriteFile(path, content, 0o644) != nil { // a name that no file may have
			return
		}
		set, err := Read(b, []string{path}, Config{OnBadRow: "skip"})
		if err != nil {
			return
		}
		r := set.Measure(lengths(set.Items))
		if r.Score.Score.Defined() && r.Score.Score != r.Score.AlwaysLonger {
			t.Errorf("lengths as rewards have %v, and the length's own score is %v", r.Score.Score, r.Score.AlwaysLonger)
		}
		NewAnswers(set).Measure()
	})
}
