package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestREADMECommands runs every bin/laurel line of the README's sh blocks, in
// their order, in a folder that has the repository's configs and data. Only
// the backend, the number of steps or rows and the shapes measured are its own. (make demo and make test
// are what CI runs.)
func TestREADMECommands(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"configs", "data"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	ran := 0
	for _, line := range shLines(string(readme)) {
		args, ok := strings.CutPrefix(line, "bin/laurel ")
		if !ok {
			continue
		}
		args, _, _ = strings.Cut(args, " #")
		fields := strings.Fields(args)
		switch fields[0] {
		case "train":
			fields = append(fields, "--set", "backend=go", "--set", "train.max_steps=2", "--set", "data.validation=[]")
		case "parity":
			fields = []string{"parity", "--backend", "go", "--family", "bert", "--dtype", "float32"}
		case "bench":
			fields = []string{"bench", "--backend", "go", "--shape", "tiny-bert", "--tokens", "16", "--pairs", "1", "--steps", "1"}
		case "eval", "score", "doctor", "export", "verify", "handoff":
			if !slices.Contains(fields, "--merge") { // which computes nothing
				fields = append(fields, "--backend", "go")
			}
		case "probe":
			fields = append(fields, "--backend", "go", "--rows", "2")
		case "serve":
			fields = append(fields, "--backend", "go", "--addr", "127.0.0.1:0")
		}
		var out lockedBuffer
		ctx, stop := context.WithCancel(context.Background())
		go func() { // a server ends once it is ready
			for !strings.Contains(out.String(), "\nready: ") && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
			stop()
		}()
		code := laurel(ctx, fields, &out, &out)
		if stop(); code != 0 {
			t.Fatalf("laurel %s: exit %d\n%s", strings.Join(fields, " "), code, out.String())
		}
		ran++
	}
	if ran < 6 {
		t.Errorf("%d commands found in the README, want at least 6", ran)
	}
}

// shLines are the lines of a document's sh blocks.
func shLines(document string) (lines []string) {
	for i, block := range strings.Split(document, "```sh\n") {
		if i == 0 {
			continue
		}
		code, _, _ := strings.Cut(block, "```")
		lines = append(lines, strings.Split(code, "\n")...)
	}
	return lines
}
