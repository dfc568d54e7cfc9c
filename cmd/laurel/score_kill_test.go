package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledShardsScoreTheSameFile scores a file in one process and in three at
// a time, one of them killed with SIGKILL and started again, and one process alone
// that is killed: the same bytes each time.
func TestKilledShardsScoreTheSameFile(t *testing.T) {
	dir := inputs(t)
	mustRun(t, dir, "train", "--config", "run.yaml", "--out", "run", "--set", "train.max_steps=2")
	rows := strings.Repeat(read(t, dir, "train.jsonl"), 25)
	if err := os.WriteFile(filepath.Join(dir, "rows.jsonl"), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	score := func(out string, more ...string) []string {
		return append([]string{"score", "--model", "run", "--data", "rows.jsonl", "--backend", "go", "--group-rows", "16", "--out", out}, more...)
	}
	mustRun(t, dir, score("whole.parquet")...)
	whole := read(t, dir, "whole.parquet")

	first, second := startLaurel(t, dir, score("parts.parquet", "--shard", "0/3")...), startLaurel(t, dir, score("parts.parquet", "--shard", "2/3")...)
	stopAmid(t, dir, "parts.parquet.shard-1-of-3", os.Kill, score("parts.parquet", "--shard", "1/3"))
	mustRun(t, dir, score("parts.parquet", "--shard", "1/3")...)
	for _, p := range []*process{first, second} {
		if err := p.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, p.out.String())
		}
	}
	mustRun(t, dir, "score", "--merge", "--data", "rows.jsonl", "--out", "parts.parquet")
	if read(t, dir, "parts.parquet") != whole {
		t.Error("three shards, one of them killed, give another file")
	}

	stopAmid(t, dir, "alone.parquet.shard-0-of-1", os.Kill, score("alone.parquet"))
	p := stopAmid(t, dir, "alone.parquet.shard-0-of-1", os.Interrupt, score("alone.parquet"))
	if !strings.Contains(p.out.String(), "laurel: interrupted: what is scored is kept in alone.parquet.shard-0-of-1, and the same command goes on") {
		t.Errorf("interrupted score says\n%s", p.out.String())
	}
	mustRun(t, dir, score("alone.parquet")...)
	if read(t, dir, "alone.parquet") != whole {
		t.Error("a process that was killed and started again gives another file")
	}
	left, err := filepath.Glob(filepath.Join(dir, "alone.parquet?*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q (%v)", left, err)
	}
}

// stopAmid starts a command and sends it a signal once it has kept some more groups
// of a shard, before it has kept them all. One that is too fast is started anew.
func stopAmid(t *testing.T, dir, shard string, signal os.Signal, args []string) *process {
	t.Helper()
	path, out := filepath.Join(dir, shard), filepath.Join(dir, strings.Split(shard, ".shard-")[0])
	for range 10 {
		before, _ := os.ReadFile(path)
		p := startLaurel(t, dir, args...)
		for range 15_000 {
			if content, _ := os.ReadFile(path); strings.Count(string(content), "\n") >= strings.Count(string(before), "\n")+3 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_ = p.Process.Signal(signal) // it may have ended
		p.Wait()
		if content, err := os.ReadFile(path); err == nil && !strings.Contains(string(content), `"end"`) {
			return p
		}
		for _, file := range []string{path, out} {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	t.Fatalf("no signal came amid %v", args)
	return nil
}
