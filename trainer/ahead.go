package trainer

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data/batches"
)

// A device computes what it is handed in that order, and does not make the host
// wait before a result is read. So that it always has something to compute, the
// next step's forward and backward are handed out before a step's loss and
// rewards are read; its update follows when they are, since whether the step
// before it was counted decides AdamW's bias correction.

// underWay is a step that the device has been handed and the host has not read.
type underWay struct {
	batches []*batches.Batch
	told    []batchOutputs
	sums    []*tensors.Tensor // of losses and gradients; nil once the update has them
	norm    *tensors.Tensor   // the gradients'; nil before the update
}

// begin hands out forward and backward of a step's batches; step decides the
// dropout.
func (s *stepper) begin(batches []*batches.Batch, step int) (*underWay, error) {
	norms := s.norms(batches)
	w := &underWay{batches: batches, told: make([]batchOutputs, len(batches))}
	if len(batches) > 1 && batches[0].B < s.config.BatchSize && s.backend.HasSharedBuffers() {
		w.sums = s.zeroSums() // then one program is compiled for a shape, not two
	}
	for i, b := range batches {
		var err error
		if w.told[i], w.sums, err = s.gradients(b, norms, step, i, w.sums, i == len(batches)-1); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// finish hands out the update of a step that was begun. updates counts the
// updates made, this one included.
func (s *stepper) finish(w *underWay, updates int, learningRate float64) (err error) {
	sums := w.sums
	w.sums = nil // given up
	if w.norm, err = s.runUpdate(s.adam.stepSizes(learningRate, updates, s.model.Depths()), sums); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

// read waits for a finished step's numbers.
func (w *underWay) read() (*stepResult, error) {
	r := &stepResult{}
	for _, t := range w.told {
		if err := r.add(t); err != nil {
			return nil, err
		}
	}
	r.GradNorm = float64(tensors.ToScalar[float32](w.norm))
	r.Finite = finite(r.Loss) && finite(r.GradNorm)
	return r, nil
}

// run makes one step from its batches, and waits for it.
func (s *stepper) run(batches []*batches.Batch, step, updates int, learningRate float64) (*stepResult, error) {
	w, err := s.begin(batches, step)
	if err != nil {
		return nil, err
	}
	if err := s.finish(w, updates, learningRate); err != nil {
		return nil, err
	}
	return w.read()
}

// pipeline makes a run's steps one after another.
type pipeline struct {
	steps   *stepper
	batches <-chan stepBatches
	begun   *underWay // the coming step, where it was begun ahead
	failed  error     // or why it could not be
}

// step makes the step after those that are made, and reads it; with goOn the one
// after it is begun before that. Where the context has ended it gives its error,
// and the weights are those of the steps made.
func (p *pipeline) step(ctx context.Context, made, updates int, rate float64, goOn bool) (*underWay, *stepResult, error) {
	if p.begun == nil && p.failed == nil {
		p.begin(ctx, made)
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if p.failed != nil {
		return nil, nil, p.failed
	}
	w := p.begun
	p.begun = nil
	if err := p.steps.finish(w, updates+1, rate); err != nil {
		return nil, nil, fmt.Errorf("step %d: %w", made+1, err)
	}
	if goOn {
		p.begin(ctx, made+1)
	}
	r, err := w.read()
	if err != nil {
		return nil, nil, fmt.Errorf("step %d: %w", made+1, err)
	}
	return w, r, nil
}

// begin takes the next batches and begins their step.
func (p *pipeline) begin(ctx context.Context, made int) {
	next, ok := <-p.batches
	switch {
	case ctx.Err() != nil:
	case !ok:
		p.failed = fmt.Errorf("step %d: no batches are left", made+1)
	case next.err != nil:
		p.failed = next.err
	default:
		if p.begun, p.failed = p.steps.begin(next.batches, made); p.failed != nil {
			p.failed = fmt.Errorf("step %d: %w", made+1, p.failed)
		}
	}
}
