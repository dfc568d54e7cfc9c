package data

import (
	"strings"
	"testing"
)

func TestShards(t *testing.T) {
	for text, want := range map[string]string{"0/1": "", "3/4": "", "4/4": "0/4 to 3/4", "-1/4": "count from 0", "1/0": "count from 0", "1": "want i/n", "a/b": "want i/n", "1/2/3": "want i/n"} {
		s, err := ParseShard(text)
		if want == "" && (err != nil || s.String() != text) {
			t.Errorf("%s: %v, %v", text, s, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for n := range 20 { // each belongs to one
		has := 0
		for i := range 3 {
			if (Shard{i, 3}).Has(n) {
				has++
			}
		}
		if has != 1 {
			t.Errorf("%d belongs to %d of 3 shards", n, has)
		}
	}
}

func TestShardOfJob(t *testing.T) {
	for _, c := range []struct{ environment, want string }{
		{"JOB_COMPLETION_INDEX=2 JOB_COMPLETIONS=5", "2/5"},
		{"JOB_COMPLETION_INDEX=2", "JOB_COMPLETIONS is not set"},
		{"JOB_COMPLETION_INDEX=5 JOB_COMPLETIONS=5", "0/5 to 4/5"},
		{"JOB_COMPLETION_INDEX=x JOB_COMPLETIONS=5", `JOB_COMPLETION_INDEX="x" is no whole number`},
		{"SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=0", "0/4"},
		{"SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=1", "3/4"},
		{"SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=2", "2/4"},
		{"SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=2", "none of the array's"},
		{"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_COUNT"},
		{"SLURM_ARRAY_TASK_ID=1 JOB_COMPLETION_INDEX=1", "both"},
		{"", "neither"},
	} {
		values := map[string]string{}
		for _, one := range strings.Fields(c.environment) {
			name, value, _ := strings.Cut(one, "=")
			values[name] = value
		}
		s, from, err := ShardOfJob(func(name string) string { return values[name] })
		got := s.String() + " " + from
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.environment, got, c.want)
		}
	}
}
