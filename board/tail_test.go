package board

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTail: a file that grows, is torn, written anew, cut, or gone.
func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	f := tail{path: path}
	for i, c := range []struct {
		content string
		anew    bool // under a new inode
		lines   int
		began   bool // read from its beginning
	}{
		{`{"step":1}` + "\n", true, 1, true},
		{`{"step":1}` + "\n" + `{"st`, false, 1, false},
		{`{"step":1}` + "\n" + `{"step":2}` + "\n", false, 2, false},
		{`{"step":1}` + "\n" + `{"step":3}` + "\n", true, 2, true},
		{`{"step":9}` + "\n", false, 1, true},
		{`{"step":8}` + "\n" + `{"step":9}` + "\n" + `{"step":10}` + "\n", false, 3, true},
	} {
		if c.anew {
			os.Rename(path, path+".old")
		}
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		was := f.began
		if _, err := f.look(); err != nil || len(f.lines) != c.lines || (f.began != was) != c.began || f.bad != 0 {
			t.Errorf("%d: %d lines, began %d after %d, %v", i, len(f.lines), f.began, was, err)
		}
	}
	os.Remove(path)
	if changed, err := f.look(); !changed || err != nil || len(f.lines) != 0 {
		t.Errorf("gone: %v, %d lines, %v", changed, len(f.lines), err)
	}
}
