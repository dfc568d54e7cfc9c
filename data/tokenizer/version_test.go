package tokenizer

import (
	"os"
	"strings"
	"testing"
)

// TestLibraryVersion: the library that is linked in is that of Cargo.lock.
func TestLibraryVersion(t *testing.T) {
	lock, err := os.ReadFile("Cargo.lock")
	if err != nil {
		t.Fatal(err)
	}
	name, version, _ := strings.Cut(LibraryVersion(), " ")
	if want := "name = \"" + name + "\"\nversion = \"" + version + "\"\n"; !strings.Contains(string(lock), want) {
		t.Errorf("the library says %s, which Cargo.lock does not have", LibraryVersion())
	}
}
