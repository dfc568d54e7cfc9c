package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"laurel/data/batches"
	"laurel/model"
	"laurel/trainer"
)

// dryRun says what the run will take, without making a step; it fails where
// the run cannot fit into memory.
func (t *training) dryRun(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "laurel-dry-run-")
	if err != nil {
		return err
	}
	t.dir = scratch
	return errors.Join(t.plan(ctx), os.RemoveAll(scratch))
}

func (t *training) plan(ctx context.Context) error {
	backend, choice, err := openBackend(t.config.Backend, t.out)
	if err != nil {
		return err
	}
	o, _, err := t.open(ctx, false)
	if err != nil {
		return err
	}
	defer o.tokenizer.Close()
	train, validation, err := t.stores(ctx, o)
	if err != nil {
		return err
	}
	defer train.Close()
	if validation != nil {
		defer validation.Close()
	}
	order := t.order(o, train, choice)
	byLength, steps, computed, real := trainer.Batches(trainer.Run{Config: t.config.Train, Train: train, Order: order, PadID: o.padID()})
	size := o.Size()
	fmt.Fprintf(t.out, "model: %d blocks, hidden size %d, %d heads\n", size.Blocks, size.Hidden, size.Heads)
	fmt.Fprintf(t.out, "steps: %d of %d pairs; padding %.0f%% of the ids computed\n", steps,
		t.config.Train.BatchSize*t.config.Train.GradientAccumulationSteps, 100*(1-float64(real)/float64(computed)))
	flops := t.sayWork(size, choice, byLength)
	if err := t.sayTime(backend, o.Model, flops*float64(steps)); err != nil {
		return err
	}
	return t.checkMemory(size, choice, order)
}

// sayWork prints the batches of each length, and gives the mean operations of
// a step.
func (t *training) sayWork(size model.Size, choice *model.BackendChoice, byLength map[int]int) float64 {
	batches, total := 0, 0.0
	for _, n := range byLength {
		batches += n
	}
	for _, length := range slices.Sorted(maps.Keys(byLength)) {
		flops := trainer.FLOPs(size, t.step(choice, length))
		total += flops * float64(byLength[length])
		fmt.Fprintf(t.out, "  %5d tokens: %3.0f%% of the batches, %.3g GFLOP each\n", length, 100*float64(byLength[length])/float64(batches), flops/1e9)
	}
	mean := total / float64(batches) * float64(t.config.Train.GradientAccumulationSteps)
	fmt.Fprintf(t.out, "work: %.3g GFLOP a step on average\n", mean/1e9)
	return mean
}

// step is a batch of the run of a length.
func (t *training) step(choice *model.BackendChoice, length int) trainer.Step {
	s := trainer.Step{Rows: 2 * t.config.Train.BatchSize, Tokens: length, ValueBytes: 4, Checkpointed: t.config.Train.GradientCheckpointing}
	if choice.Name == "cuda" && t.config.Model.DType == "bfloat16" { // elsewhere bfloat16 is computed with as float32
		s.ValueBytes = 2
	}
	return s
}

func (t *training) sayTime(backend compute.Backend, m *model.Model, flops float64) error {
	rate, err := model.ProductRate(backend, m.Compute)
	if err != nil {
		return fmt.Errorf("measure the backend: %w", err)
	}
	seconds := trainer.Seconds(flops, rate)
	_, err = fmt.Fprintf(t.out, "time: about %s of steps, without compiling, at 60%% of the %.3g GFLOP/s measured in %s products of 1024×1024\n",
		time.Duration(seconds*float64(time.Second)).Round(time.Second), rate/1e9, t.config.Model.DType)
	return err
}

// checkMemory prints the predicted peak beside what there is.
func (t *training) checkMemory(size model.Size, choice *model.BackendChoice, order batches.Order) error {
	longest := order.Buckets[len(order.Buckets)-1]
	m := trainer.PeakMemory(size, t.step(choice, longest))
	fmt.Fprintf(t.out, "memory: about %.2f GB at the peak: weights %.2f, gradients and AdamW %.2f, activations at %d tokens %.2f, the process %.2f\n",
		m.Total()/1e9, m.Weights/1e9, m.Optimiser/1e9, longest, m.Activations/1e9, m.Process/1e9)
	have, ok := t.availableMemory(choice)
	if !ok {
		fmt.Fprintln(t.out, "memory: what the device has is not known here")
		return nil
	}
	fmt.Fprintf(t.out, "memory: %.2f GB are there\n", have/1e9)
	if m.Total() <= have {
		return nil
	}
	return fmt.Errorf("the run needs about %.2f GB and %.2f GB are there: %s", m.Total()/1e9, have/1e9, t.whatFits(size, choice, longest, have))
}

// needs is the predicted peak of the run and what there is, where that is
// known.
func (t *training) needs(size model.Size, choice *model.BackendChoice, order batches.Order) (need, have float64, ok bool) {
	have, ok = t.availableMemory(choice)
	return trainer.PeakMemory(size, t.step(choice, order.Buckets[len(order.Buckets)-1])).Total(), have, ok
}

// availableMemory is the host's, where that is what the backend computes in.
func (t *training) availableMemory(choice *model.BackendChoice) (float64, bool) {
	if t.memory > 0 {
		return t.memory, true
	}
	if choice.Name == "cuda" {
		return 0, false
	}
	return kernelSize("/proc/meminfo", "MemAvailable:")
}

// whatFits names settings under which the same prediction fits.
func (t *training) whatFits(size model.Size, choice *model.BackendChoice, longest int, have float64) string {
	var ways []string
	try := func(what string, size model.Size, b trainer.Step) bool {
		m := trainer.PeakMemory(size, b).Total()
		if m <= have {
			ways = append(ways, fmt.Sprintf("%s (about %.2f GB)", what, m/1e9))
		}
		return m <= have
	}
	b := t.step(choice, longest)
	checkpointed := b
	checkpointed.Checkpointed = true
	try("train.gradient_checkpointing=true", size, checkpointed)
	for n := t.config.Train.BatchSize / 2; n >= 1; n /= 2 {
		smaller := b
		smaller.Rows = 2 * n
		steps := (t.config.Train.BatchSize*t.config.Train.GradientAccumulationSteps + n - 1) / n
		if try(fmt.Sprintf("train.batch_size=%d with train.gradient_accumulation_steps=%d", n, steps), size, smaller) {
			break
		}
	}
	for length := longest / 2; length >= 64; length /= 2 {
		shorter := b
		shorter.Tokens = length
		if try(fmt.Sprintf("model.max_length=%d", length), size, shorter) {
			break
		}
	}
	adapter := size
	adapter.Trainable, adapter.TrainedLinear = size.Trainable/100, size.TrainedLinear/100
	try("model.lora.rank=16", adapter, b)
	adapter.Trainable = size.Trainable / 100
	checkpointed.Rows = 2
	if len(ways) == 0 {
		try("model.lora.rank=16 with train.gradient_checkpointing=true and train.batch_size=1", adapter, checkpointed)
	}
	if len(ways) == 0 {
		return "no setting of batch size, length, checkpointing or LoRA would fit: take a smaller model or a larger machine"
	}
	return "these would fit: " + strings.Join(ways, "; ")
}
