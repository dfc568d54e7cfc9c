package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKilledTriageStartsAgain kills triage at moments spread over its run, most
// of which is fitting out of fold: the same command then gives the files of a run that
// was let be, or says that --overwrite will.
func TestKilledTriageStartsAgain(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	triage := func(out string, more ...string) []string {
		return append([]string{"triage", "--data", filepath.Join(root, "data", "demo", "test.jsonl"), "--budget", "10", "--out", out}, more...)
	}
	began := time.Now()
	mustRun(t, dir, triage("whole")...)
	took := time.Since(began)
	random, amid, partly := rand.New(rand.NewPCG(14, 1)), 0, 0
	for i := range 6 {
		p := startLaurel(t, dir, triage("killed")...)
		time.Sleep(took * time.Duration(150*i+random.IntN(150)) / 1000)
		p.Process.Kill()
		if p.Wait() != nil {
			amid++
		}
		args := triage("killed")
		if again := startLaurel(t, dir, args...); again.Wait() != nil {
			if !strings.Contains(again.out.String(), "is there already: add --overwrite") {
				t.Fatalf("after a kill triage says\n%s", again.out.String())
			}
			partly++
			mustRun(t, dir, append(args, "--overwrite")...)
		}
		sameTriage(t, filepath.Join(dir, "killed"), filepath.Join(dir, "whole"))
		if err := os.RemoveAll(filepath.Join(dir, "killed")); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 6 were killed before their end, %d of them with files written", amid, partly)
}

func sameTriage(t *testing.T, got, want string) {
	t.Helper()
	names := filesUnder(t, want)
	if g := filesUnder(t, got); !slices.Equal(g, names) {
		t.Errorf("%s has the files %q, want %q", got, g, names)
	}
	for _, name := range names {
		if filepath.Ext(name) != ".html" && read(t, got, name) != read(t, want, name) { // the page has the time
			t.Errorf("%s differs between %s and %s", name, got, want)
		}
	}
}
