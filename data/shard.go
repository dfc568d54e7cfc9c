package data

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of several equal parts of a work, which processes share: part
// Index, from 0, of Of. Of what is numbered from 0 it has every Of-th.
type Shard struct {
	Index int `json:"shard"`
	Of    int `json:"of"`
}

// Whole is the one part of a work that is not shared.
var Whole = Shard{0, 1}

// Has tells whether the n-th belongs to the shard.
func (s Shard) Has(n int) bool { return n%s.Of == s.Index }

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Name is how the shard is called in names of files: shard-0-of-4.
func (s Shard) Name() string { return fmt.Sprintf("shard-%d-of-%d", s.Index, s.Of) }

// ParseShard reads i/n, i from 0.
func ParseShard(text string) (Shard, error) {
	left, right, cut := strings.Cut(text, "/")
	index, err := strconv.Atoi(left)
	of, err2 := strconv.Atoi(right)
	if !cut || err != nil || err2 != nil {
		return Shard{}, fmt.Errorf("shard %q: want i/n, such as 0/4 for the first of four", text)
	}
	s := Shard{index, of}
	return s, s.check()
}

func (s Shard) check() error {
	if s.Of < 1 || s.Index < 0 || s.Index >= s.Of {
		return fmt.Errorf("shard %v: shards count from 0, those of %d are 0/%d to %d/%d", s, max(s.Of, 1), max(s.Of, 1), max(s.Of, 1)-1, max(s.Of, 1))
	}
	return nil
}

// ShardOfJob is the shard that this process is of a job, by the variables of
// its environment: JOB_COMPLETION_INDEX, which Kubernetes sets in an indexed
// Job, with JOB_COMPLETIONS, which the manifest sets to spec.completions; or
// those of a SLURM array (SLURM_ARRAY_TASK_ID, _COUNT, and where they are there
// _MIN and _STEP: an array may begin at 1). from says which were taken.
//
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
// https://slurm.schedmd.com/job_array.html
func ShardOfJob(getenv func(string) string) (s Shard, from string, err error) {
	number := func(name, otherwise string) int {
		n, bad := strconv.Atoi(cmp.Or(getenv(name), otherwise))
		if bad != nil && err == nil {
			err = fmt.Errorf("%s=%q is no whole number", name, getenv(name))
		}
		return n
	}
	kubernetes, slurm := getenv("JOB_COMPLETION_INDEX") != "", getenv("SLURM_ARRAY_TASK_ID") != ""
	switch {
	case kubernetes && slurm:
		return s, "", fmt.Errorf("both JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID are set: give the shard as i/n")
	case kubernetes && getenv("JOB_COMPLETIONS") == "":
		return s, "", fmt.Errorf("JOB_COMPLETION_INDEX is %s and JOB_COMPLETIONS is not set: let the manifest set it to spec.completions", getenv("JOB_COMPLETION_INDEX"))
	case kubernetes:
		s, from = Shard{number("JOB_COMPLETION_INDEX", ""), number("JOB_COMPLETIONS", "")}, "JOB_COMPLETION_INDEX, JOB_COMPLETIONS"
	case slurm:
		step := max(number("SLURM_ARRAY_TASK_STEP", "1"), 1)
		index := number("SLURM_ARRAY_TASK_ID", "") - number("SLURM_ARRAY_TASK_MIN", "0")
		s, from = Shard{index / step, number("SLURM_ARRAY_TASK_COUNT", "")}, "SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_COUNT"
		if err == nil && index%step != 0 {
			err = fmt.Errorf("SLURM_ARRAY_TASK_ID=%s is none of the array's: it begins at %s in steps of %d", getenv("SLURM_ARRAY_TASK_ID"), getenv("SLURM_ARRAY_TASK_MIN"), step)
		}
	default:
		return s, "", fmt.Errorf("neither JOB_COMPLETION_INDEX (Kubernetes) nor SLURM_ARRAY_TASK_ID is set: give the shard as i/n")
	}
	return s, from, cmp.Or(err, s.check())
}
