package data

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A device that takes writes but not fsync shows that fsync's error is not
// dropped.
func TestSyncErrorIsReported(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	file := &asideFile{File: write, path: filepath.Join(t.TempDir(), "f")}
	if err := file.commit(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("fsync of a pipe: %v", err)
	}
	if err := write.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was left open: %v", err)
	}
}

func TestWriteAsideLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := WriteAside(path, func(w io.Writer) error { w.Write([]byte("new")); return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(dir)
	content, _ := os.ReadFile(path)
	if len(entries) != 1 || string(content) != "old" {
		t.Errorf("%d files, %q in the first", len(entries), content)
	}
}

// TestAbandonedPartsAreRemoved: what a killed process left of a file goes when the
// file is written again; what is being written, or is of another file, stays.
func TestAbandonedPartsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "scores.jsonl")
	left, other := path+".2EHPO27VOWQ73HONACDDSJMRZY.partial", filepath.Join(dir, "more.jsonl.2EHPO27VOWQ73HONACDDSJMRZY.partial")
	for _, name := range []string{left, other} {
		if err := os.WriteFile(name, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open, err := createAside(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("whole")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{left: false, other: true, open.Name(): true, path: true} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := open.abort(); err != nil {
		t.Error(err)
	}
}
