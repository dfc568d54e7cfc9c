package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"laurel/eval"
	"laurel/model"
)

// process is laurel in a process of its own.
type process struct {
	*exec.Cmd
	out lockedBuffer
}

// lockedBuffer is written by a process and read by the test meanwhile.
type lockedBuffer struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.String()
}

// startLaurel starts this test binary as laurel in dir.
func startLaurel(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("laurel", args...)}
	p.Dir, p.Stdout, p.Stderr = dir, &p.out, &p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// mustRun runs laurel to its end, which must be a good one.
func mustRun(t *testing.T, dir string, args ...string) {
	t.Helper()
	p := startLaurel(t, dir, args...)
	if err := p.Wait(); err != nil {
		t.Fatalf("laurel %s: %v\n%s", strings.Join(args, " "), err, p.out.String())
	}
}

// waitFor waits until the process has printed a text.
func (p *process) waitFor(t *testing.T, text string) {
	t.Helper()
	for range 3000 {
		if strings.Contains(p.out.String(), text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no %q after 15 s in\n%s", text, p.out.String())
}

// stopped sends a signal and expects exit code 1.
func (p *process) stopped(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("after %v: %v, want exit code 1\n%s", signal, err, p.out.String())
	}
}

func inputs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeInputs(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sameRun fails unless two run directories have the same files, the same
// losses byte for byte, the same weights and the same report.
func sameRun(t *testing.T, got, want string) {
	t.Helper()
	if g, w := filesUnder(t, got), filesUnder(t, want); !slices.Equal(g, w) {
		t.Errorf("%s has the files\n%s\nwant\n%s", got, strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
	g, w := lossLines(read(t, got, "metrics.jsonl")), lossLines(read(t, want, "metrics.jsonl"))
	if !slices.Equal(g, w) {
		t.Errorf("%s has the losses\n%s\nwant\n%s", got, strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
	for _, name := range filesUnder(t, want) {
		if filepath.Ext(name) != ".safetensors" && filepath.Ext(name) != ".json" || name == eval.MadeFile {
			continue // reports name the directory and the time, metrics have rates
		}
		if read(t, got, name) != read(t, want, name) {
			t.Errorf("%s differs between %s and %s", name, got, want)
		}
	}
}

func filesUnder(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// checkpointsWhole fails unless every folder of a checkpoint's final name
// loads, and counts those half written or half removed.
func checkpointsWhole(t *testing.T, run string) (half int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(run, "checkpoints"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		dir := filepath.Join(run, "checkpoints", entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			half++
			continue
		}
		if _, err := model.Load(dir, 0); err != nil {
			t.Errorf("after a kill: %v", err)
		}
		read(t, dir, "trainer_state.json")
	}
	return half
}

// TestKilledRunResumes kills runs that save every step, at random moments,
// and resumes them until they end: as if nothing had been.
func TestKilledRunResumes(t *testing.T) {
	dir := inputs(t)
	train := []string{"train", "--config", "run.yaml", "--set", "train.save_every=1", "--set", "train.epochs=4", "--set", "train.eval_every=4"}
	mustRun(t, dir, append(slices.Clone(train), "--out", "whole")...)
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		random := rand.New(rand.NewPCG(20, uint64(round)))
		killAndResume(t, dir, train, 10, func(*process) { time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond) })
	}
}

// TestKilledRunOfSeveralDevicesResumes: the same where two devices share each
// batch.
func TestKilledRunOfSeveralDevicesResumes(t *testing.T) {
	if !severalDevices(t) {
		t.Skip("SKIPPED: several devices need the XLA CPU plugin and the changes to go-xla (make test has both)")
	}
	t.Setenv("LAUREL_PJRT", pluginFolder(t))
	dir := inputs(t)
	train := []string{"train", "--config", "run.yaml", "--set", "train.save_every=1", "--set", "train.epochs=4", "--set", "train.eval_every=4",
		"--set", "backend=cpu", "--set", "train.devices=2"}
	mustRun(t, dir, append(slices.Clone(train), "--out", "whole")...)
	random := rand.New(rand.NewPCG(20, 3))
	killAndResume(t, dir, train, 5, func(p *process) {
		p.waitFor(t, "pairs/s") // of the first step after it went on
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
	})
}

// killAndResume kills a run several times, each after a wait, and lets it end: it
// must be the same as whole.
func killAndResume(t *testing.T, dir string, train []string, kills int, wait func(*process)) {
	t.Helper()
	run, half := filepath.Join(dir, "killed"), 0
	args := append(slices.Clone(train), "--resume", "--out", "killed")
	for range kills {
		p := startLaurel(t, dir, args...)
		wait(p)
		p.Process.Kill()
		p.Wait() // it was killed, or had ended
		half += checkpointsWhole(t, run)
		if strings.Contains(p.out.String(), "damaged") {
			t.Errorf("a checkpoint is damaged:\n%s", p.out.String())
		}
	}
	mustRun(t, dir, args...)
	sameRun(t, run, filepath.Join(dir, "whole"))
	t.Logf("%d kills, %d checkpoints half written or half removed", kills, half)
	if err := os.RemoveAll(run); err != nil {
		t.Fatal(err)
	}
}

// TestInterruptedRunResumes stops a run twice, with dropout on, shuffled, in
// the middle of epochs, and goes on by the command that it prints.
func TestInterruptedRunResumes(t *testing.T) {
	dir := inputs(t)
	// a validation after every step: some interruptions fall into one
	train := []string{"train", "--config", "run.yaml", "--set", "train.epochs=6", "--set", "train.eval_every=1"}
	mustRun(t, dir, append(slices.Clone(train), "--out", "whole")...)
	args := append(slices.Clone(train), "--out", "stopped")
	for _, stop := range []struct {
		after  string
		signal os.Signal
	}{{"step 4  loss", os.Interrupt}, {"step 9  loss", syscall.SIGTERM}, {"step 20  validation", os.Interrupt}} {
		p := startLaurel(t, dir, args...)
		p.waitFor(t, stop.after)
		p.stopped(t, stop.signal)
		_, hint, ok := strings.Cut(p.out.String(), "go on with: laurel ")
		if !ok || !strings.Contains(p.out.String(), "laurel: interrupted after step ") {
			t.Fatalf("no hint how to resume:\n%s", p.out.String())
		}
		args = strings.Fields(hint)
		if want := []string{"train", "--config", "stopped/config.yaml", "--resume", "--out", "stopped"}; !slices.Equal(args, want) {
			t.Fatalf("the hint is %q, want %q", args, want)
		}
	}
	mustRun(t, dir, args...)
	sameRun(t, filepath.Join(dir, "stopped"), filepath.Join(dir, "whole"))
}

// TestInterruptedBeforeTheFirstStep stops commands while they read: they leave
// nothing behind, and the same command starts again.
func TestInterruptedBeforeTheFirstStep(t *testing.T) {
	dir := inputs(t)
	pairs := read(t, dir, "train.jsonl")
	if err := os.WriteFile(filepath.Join(dir, "large.jsonl"), bytes.Repeat([]byte(pairs), 6_000), 0o644); err != nil {
		t.Fatal(err)
	}
	p := startLaurel(t, dir, "train", "--config", "run.yaml", "--set", "data.train=[large.jsonl]", "--out", "run")
	p.waitFor(t, "model: from scratch")
	p.stopped(t, os.Interrupt)
	if !strings.Contains(p.out.String(), "laurel: interrupted before it was done; the same command starts again") {
		t.Errorf("interrupted train says\n%s", p.out.String())
	}
	if left := filesUnder(t, filepath.Join(dir, "run")); len(left) > 0 {
		t.Errorf("interrupted train left %q", left)
	}
	mustRun(t, dir, "train", "--config", "run.yaml", "--out", "run")

	p = startLaurel(t, dir, "inspect", "large.jsonl")
	p.waitFor(t, "tokens are counted")
	p.stopped(t, os.Interrupt)

	p = startLaurel(t, dir, "score", "--model", "run", "--data", "large.jsonl", "--out", "scores.parquet", "--backend", "go")
	p.waitFor(t, "backend: go")
	p.stopped(t, os.Interrupt)
	left, err := filepath.Glob(filepath.Join(dir, "*scores.parquet*"))
	if err != nil || len(left) > 0 {
		t.Errorf("interrupted score left %q (%v)", left, err)
	}
}
