package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"laurel/model"
	"laurel/trainer"
)

// dryRun says what the run will take, without making a step; it fails where
// the run cannot fit into memory.
func (t *training) dryRun(ctx context.Context) (err error) {
	if t.dir, err = os.MkdirTemp("", "laurel-dry-run-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(t.dir)) }()
	run, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	defer run.close()
	plan := trainer.NewPlan(run.Run)
	if err := errors.Join(plan.Measure(run.Run), plan.Print(t.out)); err != nil {
		return err
	}
	have, ok := t.availableMemory(run.BackendName)
	if !ok {
		_, err = fmt.Fprintln(t.out, "memory: what the device has is not known here")
		return err
	}
	fmt.Fprintf(t.out, "memory: %.2f GB are there\n", have/1e9)
	return plan.CheckMemory(have)
}

// availableMemory is the host's, where that is what the backend computes in.
func (t *training) availableMemory(backend string) (float64, bool) {
	if t.memory > 0 {
		return t.memory, true
	}
	if backend == "cuda" {
		return 0, false
	}
	_, free, ok := model.MachineMemory()
	return free, ok
}
