package main

import (
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
	killAmid(t, dir, "parts.parquet.shard-1-of-3", score("parts.parquet", "--shard", "1/3"))
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

	killAmid(t, dir, "alone.parquet.shard-0-of-1", score("alone.parquet"))
	mustRun(t, dir, score("alone.parquet")...)
	if read(t, dir, "alone.parquet") != whole {
		t.Error("a process that was killed and started again gives another file")
	}
	left, err := filepath.Glob(filepath.Join(dir, "alone.parquet?*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q (%v)", left, err)
	}
}

// killAmid starts a command and kills it once it has kept some groups of a
// shard, before it has kept them all.
func killAmid(t *testing.T, dir, shard string, args []string) {
	t.Helper()
	p := startLaurel(t, dir, args...)
	for range 15_000 {
		content, _ := os.ReadFile(filepath.Join(dir, shard))
		if strings.Count(string(content), "\n") >= 3 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.Process.Kill()
	p.Wait()
	content := read(t, dir, shard)
	if n := strings.Count(content, `"group":{`); n < 2 || strings.Contains(content, `"end"`) {
		t.Fatalf("killed after %d groups of %s:\n%s", n, shard, p.out.String())
	}
}
