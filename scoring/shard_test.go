package scoring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
)

// groupOf gives two rows of a pair each, with what the group decides in them.
func groupOf(group int) [][]data.Score {
	n := float32(group)
	return [][]data.Score{
		{{Reward: 0.1 + n, Valid: true, Tokens: 3, Std: 1e-7, Lower: -n}, {Reward: -1.0 / 3, Valid: true, Tokens: 9, Truncated: true, Std: 0.5, Lower: -1}},
		{{Reason: "null_text"}, {Reason: "null_text"}},
	}
}

var demoTask = Task{Model: "m", Input: "i", GroupRows: 2, Pairs: true, Ensemble: true, Settings: map[string]string{"max-length": "24"}}

// writeShard writes so many groups of a shard, and its end where it is finished.
func writeShard(t *testing.T, path string, shard data.Shard, groups, rows int) {
	t.Helper()
	f, err := OpenShard(path, demoTask, shard, false)
	if err != nil {
		t.Fatal(err)
	}
	for group := range groups {
		if shard.Has(group) && group >= f.Groups.From && err == nil {
			err = f.Put(group, groupOf(group))
		}
	}
	if rows >= 0 && err == nil {
		err = f.Finish(rows)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestShardCutAnywhere cuts a shard's file at every byte, as a killed process may
// leave it, and goes on: the file is the same again.
func TestShardCutAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	writeShard(t, path, data.Whole, 3, 6)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(whole) {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := OpenShard(path, demoTask, data.Whole, false)
		if err != nil {
			t.Fatalf("cut at %d: %v", size, err)
		}
		if cut := size > 0 && whole[size-1] != '\n'; cut != (f.Repaired != "") {
			t.Errorf("cut at %d: %q", size, f.Repaired)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		writeShard(t, path, data.Whole, 3, 6)
		if again, _ := os.ReadFile(path); string(again) != string(whole) {
			t.Fatalf("cut at %d: the file is\n%swant\n%s", size, again, whole)
		}
	}
}

// TestShardRefuses: damage, another task, and a file that is being written.
func TestShardRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	writeShard(t, path, data.Whole, 3, -1)
	other := demoTask
	other.Settings, other.Model = map[string]string{"max-length": "8"}, "n"
	_, err := OpenShard(path, other, data.Whole, false)
	if !errors.Is(err, ErrOtherTask) || !strings.Contains(err.Error(), "another model") || !strings.Contains(err.Error(), "max-length 24, not 8") {
		t.Error(err)
	}
	if _, err := OpenShard(path, demoTask, data.Shard{Index: 1, Of: 2}, false); err == nil || !strings.Contains(err.Error(), "shard 0/1, not 1/2") {
		t.Error(err)
	}
	f, err := OpenShard(path, demoTask, data.Whole, false)
	if err != nil || f.Kept != 3 {
		t.Fatalf("%d groups kept, %v", f.Kept, err)
	}
	if _, err := OpenShard(path, demoTask, data.Whole, true); err == nil || !strings.Contains(err.Error(), "is being written by another process") {
		t.Error(err)
	}
	f.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(content), "null_text", "null_texs", 1) // in the second line of four
	if err := os.WriteFile(path, []byte(damaged), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err = OpenShard(path, demoTask, data.Whole, false)
	if err != nil || f.Kept != 0 || !strings.Contains(f.Repaired, "line 2 is damaged") {
		t.Fatalf("%d groups kept, %q, %v", f.Kept, f.Repaired, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a shard without a group was left")
	}
	if err := os.WriteFile(path, []byte("{\"text\":\"a\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenShard(path, demoTask, data.Whole, false); err == nil || !strings.Contains(err.Error(), "no file of laurel score's shards") {
		t.Error(err)
	}
	f, err = OpenShard(path, other, data.Whole, true)
	if err != nil {
		t.Fatalf("anew: %v", err)
	}
	f.Close()
}

// TestShardsMerge: the scores come back as they were put, in the order of the
// rows, and a merge wants every shard once.
func TestShardsMerge(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i := range 3 {
		path := filepath.Join(dir, fmt.Sprint(i))
		writeShard(t, path, data.Shard{Index: i, Of: 3}, 5, 10)
		paths = append([]string{path}, paths...) // the order is of no account
	}
	shards, err := OpenShards(paths)
	if err != nil {
		t.Fatal(err)
	}
	row := 0
	err = shards.read(2, func(scores []data.Score) error {
		if got, want := fmt.Sprint(scores), fmt.Sprint(groupOf(row / 2)[row%2]); got != want {
			t.Errorf("row %d is %s, want %s", row, got, want)
		}
		row++
		return nil
	})
	if err != nil || row != 10 {
		t.Errorf("%d rows, %v", row, err)
	}
	half, short, two := filepath.Join(dir, "half"), filepath.Join(dir, "short"), filepath.Join(dir, "two")
	writeShard(t, half, data.Shard{Index: 1, Of: 3}, 5, -1)
	writeShard(t, short, data.Shard{Index: 1, Of: 3}, 3, 6)
	writeShard(t, two, data.Shard{Index: 1, Of: 2}, 5, 10)
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{nil, "no shards"},
		{paths[:1], "2 of 3 shards are missing: 0/3, 1/3"},
		{append(paths[:2:2], paths[1]), "are both shard 1/3"},
		{append(paths[:1:1], half), "half: shard 1/3 is not finished"},
		{append(paths[:1:1], short), "2 tells of 10 rows, " + short + " of 6"},
		{append(paths[:1:1], two), "shard 1/2, not 1/3"},
		{[]string{filepath.Join(dir, "none")}, "no such file"},
	} {
		if _, err := OpenShards(c.paths); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.paths, err, c.want)
		}
	}
}
