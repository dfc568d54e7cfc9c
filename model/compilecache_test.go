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
// half written; what laurel did not write stays, where the cache is a folder of
// other things too. The folder may be named by a link.
func TestCompileCacheSize(t *testing.T) {
	home := t.TempDir()
	root := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(home, root); err != nil {
		t.Fatal(err)
	}
	write := func(name string, size int64, age time.Duration) {
		t.Helper()
		path := filepath.Join(home, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err != nil {
			t.Fatal(err)
		}
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
	const key = "0123456789abcdef/"
	named := func(digit string) string { return strings.Repeat(digit, 64) }
	write(key+named("1"), cacheBytes/2, 3*time.Hour)
	write(key+named("2"), cacheBytes/2, 2*time.Hour)
	write(key+named("3"), cacheBytes/3, time.Minute)
	write(key+"new-left", 10, 2*time.Hour)
	write(key+"new-underway", 10, time.Minute)
	others := []string{"thesis.bin", "new-year.txt", "docs/new-year.txt", "docs/" + named("4"), key + "notes.txt", key + "docs/" + named("5")}
	for _, other := range others {
		write(other, cacheBytes, 5*time.Hour)
	}
	prune(root)
	var left []string
	for _, p := range programsIn(root) {
		left = append(left, filepath.Base(p.path))
	}
	if got, want := strings.Join(left, " "), named("2")+" "+named("3")+" new-underway"; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
	for _, other := range others {
		if _, err := os.Stat(filepath.Join(home, other)); err != nil {
			t.Errorf("a file that is not laurel's: %v", err)
		}
	}
}
