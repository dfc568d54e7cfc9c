package model

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
)

// TestCompileCache: what is compiled is kept, a damaged program is made again,
// and without the cache nothing is kept.
func TestCompileCache(t *testing.T) {
	if !ChangedXLA {
		t.Skip("SKIPPED: built without the changes to go-xla, which keep compiled programs (make test has them)")
	}
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	choice, err := ChooseBackend("cpu")
	if err != nil {
		t.Skipf("SKIPPED, no compiled programs kept: %v", err)
	}
	cache := t.TempDir()
	t.Setenv(cacheVariable, cache)
	t.Setenv(programVariable, "")
	add := func() {
		t.Helper()
		backend, err := choice.Open()
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := TrySum(backend, tensors.FromValue([]float32{1, 2, 3})); err != nil || sum != 6 {
			t.Fatalf("1+2+3 = %v, %v", sum, err)
		}
	}
	add()
	first := programsIn(cache)
	if c := FindCompileCache(); len(first) != 1 || c.Programs != 1 || c.Bytes != first[0].size || c.Dir != cache {
		t.Fatalf("%d programs kept, %+v", len(first), c)
	}
	whole, err := os.ReadFile(first[0].path)
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(first[0].path, long, long); err != nil {
		t.Fatal(err)
	}
	add()
	if again := programsIn(cache); len(again) != 1 || !again[0].used.After(long.Add(time.Minute)) {
		t.Errorf("the program was not used again: %+v", again)
	}
	for name, damage := range map[string][]byte{"flipped": append([]byte{whole[0] ^ 1}, whole[1:]...), "cut": whole[:40], "empty": {}} {
		if err := os.WriteFile(first[0].path, damage, 0o644); err != nil {
			t.Fatal(err)
		}
		add()
		if raw, err := os.ReadFile(first[0].path); err != nil || len(raw) < len(whole)/2 {
			t.Errorf("%s: a damaged program stays: %d bytes, %v", name, len(raw), err)
		}
	}
	t.Setenv(cacheVariable, "off")
	if err := os.Remove(first[0].path); err != nil {
		t.Fatal(err)
	}
	add()
	if left := programsIn(cache); len(left) != 0 {
		t.Errorf("kept although the cache is off: %+v", left)
	}
}

// TestCompileCacheSize: the programs not used for longest go, and what was left
// half written.
func TestCompileCacheSize(t *testing.T) {
	root := t.TempDir()
	write := func(name string, size int64, age time.Duration) {
		t.Helper()
		path := filepath.Join(root, "key", name)
		file, err := os.Create(path)
		if err == nil {
			err = file.Truncate(size)
		}
		if err == nil {
			err = file.Close()
		}
		used := time.Now().Add(-age)
		if err == nil {
			err = os.Chtimes(path, used, used)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "key"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("old", cacheBytes/2, 3*time.Hour)
	write("middle", cacheBytes/2, 2*time.Hour)
	write("recent", cacheBytes/3, time.Minute)
	write("new-left", 10, 2*time.Hour)
	write("new-underway", 10, time.Minute)
	prune(root)
	var left []string
	for _, p := range programsIn(root) {
		left = append(left, filepath.Base(p.path))
	}
	if got := strings.Join(left, " "); got != "middle new-underway recent" {
		t.Errorf("left: %s", got)
	}
}
