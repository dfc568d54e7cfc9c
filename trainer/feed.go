package trainer

import (
	"context"
	"math"

	"laurel/data/batches"
)

// feed reads the batches of coming steps while the present one computes.
type feed struct {
	store        *batches.Store
	order        batches.Order
	accumulation int
	padID        int32
	epoch        int // of plans
	plans        []batches.Plan
}

func newFeed(store *batches.Store, order batches.Order, accumulation int, padID int32) *feed {
	return &feed{store: store, order: order, accumulation: accumulation, padID: padID, epoch: -1}
}

func (f *feed) epochPlans(epoch int) []batches.Plan {
	if f.epoch != epoch {
		f.plans = nil // two epochs' plans need not be in memory
		f.plans, f.epoch = f.order.Epoch(f.store, epoch), epoch
	}
	return f.plans
}

// totalSteps is max_steps, or as many as the epochs have.
func (f *feed) totalSteps(epochs float64, maxSteps int) int {
	switch {
	case maxSteps > 0:
		return maxSteps
	case f.order.Wrap:
		pairs := epochs * float64(f.store.Len())
		return max(1, int(math.Ceil(pairs/float64(f.order.BatchSize*f.accumulation)-1e-9)))
	}
	return max(1, int(math.Ceil(epochs*float64(f.stepsPerEpoch())-1e-9)))
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// plansOf names the micro-batches of a step, which the step's number alone decides.
func (f *feed) plansOf(step int) (micro []batches.Plan) {
	for _, plan := range f.batchesOf(step) {
		micro = append(micro, f.order.MicroBatches(f.store, plan)...)
	}
	return micro
}

// batchesOf names the batches of a step, whole.
func (f *feed) batchesOf(step int) []batches.Plan {
	if f.order.Wrap {
		plans := make([]batches.Plan, f.accumulation)
		for i := range plans {
			plans[i] = f.order.Wrapped(f.store, step*f.accumulation+i)
		}
		return plans
	}
	perEpoch := f.stepsPerEpoch()
	plans := f.epochPlans(step / perEpoch)
	first := step % perEpoch * f.accumulation
	return plans[first:min(first+f.accumulation, len(plans))]
}

// stepsPerEpoch counts by whichever epoch is planned: every epoch has as many
// batches.
func (f *feed) stepsPerEpoch() int {
	if f.plans == nil {
		f.epochPlans(0)
	}
	return ceilDiv(len(f.plans), f.accumulation)
}

// stepBatches are the batches of one step, or why they could not be read.
type stepBatches struct {
	batches []*batches.Batch
	err     error
}

// run sends the batches of steps first, first+1, … up to total, two steps
// ahead of whoever receives them.
func (f *feed) run(ctx context.Context, first, total int) <-chan stepBatches {
	out := make(chan stepBatches, 2)
	go func() {
		defer close(out)
		for step := first; step < total; step++ {
			batches, err := f.read(step)
			select {
			case out <- stepBatches{batches, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (f *feed) read(step int) ([]*batches.Batch, error) {
	var read []*batches.Batch
	for _, plan := range f.plansOf(step) {
		b, err := batches.Read(f.store, plan, f.padID)
		if err != nil {
			return nil, err
		}
		read = append(read, b)
	}
	return read, nil
}
