package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestSecondTrainIsRefused: while a process trains in a run directory no other does,
// resumed or new, and the first comes to its end; a killed one leaves nothing in the
// way of the next.
func TestSecondTrainIsRefused(t *testing.T) {
	dir := inputs(t)
	train := []string{"train", "--config", "run.yaml", "--set", "train.save_every=1", "--set", "train.epochs=20", "--out", "run"}
	resume := append(slices.Clone(train), "--resume")
	first := startLaurel(t, dir, train...)
	first.waitFor(t, "step 2  loss")
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil { // so that it cannot end meanwhile
		t.Fatal(err)
	}
	for _, args := range [][]string{train, resume} {
		second := startLaurel(t, dir, args...)
		var exit *exec.ExitError
		want := fmt.Sprintf("laurel: another process (pid %d) trains in run: wait for it, or stop it", first.Process.Pid)
		if err := second.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(second.out.String(), want) {
			t.Errorf("%v: %v, want %q in\n%s", args, err, want, second.out.String())
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	if _, err := os.Stat(filepath.Join(dir, "run", "train.lock")); err != nil {
		t.Error(err)
	}
	mustRun(t, dir, resume...)
	mustRun(t, dir, append(slices.Clone(train[:len(train)-1]), "whole")...)
	sameRun(t, filepath.Join(dir, "run"), filepath.Join(dir, "whole"))
}
