package trainer

import (
	"fmt"
	"math"
	"sort"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
)

// What compiling one shape costs, in ids that could have been computed
// meanwhile: seconds of compilation times ids a second (docs/experiments.md).
const (
	compileTokensCPU  = 10_000
	compileTokensCUDA = 2_000_000
)

// SharesPrefix settles data.shared_prefix for a run's model and backend: whether
// pairs may lie in one row, their common beginning once; else why not, "" where
// it is off.
func (r Run) SharesPrefix(choice string) (shares bool, why string, err error) {
	exact := r.Model.Config.Packs(true)
	longest := r.Train.Stats.Longest
	apart := r.attention(BatchShape{Tokens: longest})
	switch {
	case choice == "off":
		return false, "", nil
	case exact != nil && choice == "on":
		return false, "", fmt.Errorf("data.shared_prefix is on: %w (auto or off trains this model)", exact)
	case exact != nil:
		return false, exact.Error(), nil
	case !apart.Host && apart.Scores < apart.Blocks*longest && choice == "auto":
		return false, "attention is fused, or in bands, in rows of one sequence and would not be in shared ones (data.shared_prefix=on shares all the same)", nil
	}
	return true, "", nil
}

// PaddingFree settles data.padding_free for a run's model and backend: whether all
// sequences of a batch lie one after another in a row; else why not, "" where nothing
// speaks for it or other rows are asked for.
func (r Run) PaddingFree(d data.Config) (flat bool, why string, err error) {
	var cannot error
	if n := r.Model.NumDevices(); n > 1 {
		cannot = fmt.Errorf("a row is not divided among %d devices (train.devices)", n)
	} else {
		cannot = r.Model.Config.Packs(false)
	}
	given := d.Buckets.None || d.Buckets.Lengths != nil
	switch {
	case d.PaddingFree == "on" && cannot != nil:
		return false, "", fmt.Errorf("data.padding_free is on: %w (auto or off trains this model)", cannot)
	case d.PaddingFree == "on":
		return true, "", nil
	case d.PaddingFree == "off" || given || !model.HasHostKernels(r.Backend):
		return false, "", nil
	}
	if cannot == nil {
		cannot = r.Model.SpanAttention()
	}
	if cannot != nil {
		return false, cannot.Error(), nil
	}
	return true, "", nil
}

// wraps tells whether a run takes its pairs in the files' order for ever.
func wraps(d data.Config) bool { return !d.Shuffle && d.Buckets.None }

// FillBatches makes batches no larger than the run's pairs fill: the rest would be
// computed, and weigh nothing. Those of a run that takes pairs in the files' order are
// filled with the pairs again.
func (r *Run) FillBatches(d data.Config) {
	if !wraps(d) {
		r.Config.BatchSize = min(r.Config.BatchSize, r.Train.Len())
	}
}

// NewOrder settles in which batches the run's pairs come, and to which lengths
// their rows are padded. shares tells whether pairs may lie in one row, flat whether
// all pairs of a batch lie in one. A resumed run has the layouts and lengths that it
// began with.
func (r Run) NewOrder(d data.Config, shares, flat bool) batches.Order {
	o := batches.Order{BatchSize: r.Config.BatchSize, Shuffle: d.Shuffle, Seed: r.Config.Seed, Wrap: wraps(d),
		Buckets: r.State.Buckets, Shared: r.State.Shared, BucketPairs: r.State.BucketPairs, SharedPairs: r.State.SharedPairs,
		Flat: r.State.Flat, FlatShared: r.State.FlatShared}
	if len(o.Buckets)+len(o.Shared)+len(o.Flat) > 0 {
		return o
	}
	compileTokens := compileTokensCPU
	if r.BackendName == "cuda" {
		compileTokens = compileTokensCUDA
	}
	if flat {
		o.FlatShared = shares
		o.Flat = o.FlatLengths(r.Train, r.idsAtOnce(), r.Config.Epochs, compileTokens)
		return o
	}
	apart, shared := r.Train.Apart(), batches.Rows{}
	if shares {
		apart, shared = r.Train.Dealt()
		if o.Wrap && !apart.None() { // a batch with one of them has all of its pairs in two rows
			apart = r.Train.Apart()
		}
	}
	o.Buckets = batches.Lengths(d.Buckets, apart, r.Config.Epochs, compileTokens, r.Model.MaxPositions())
	o.Shared = batches.Lengths(d.Buckets, shared, r.Config.Epochs, compileTokens, 0) // positions begin again with each response
	o.BucketPairs, o.SharedPairs = r.pairsAtOnce(o.Buckets, false), r.pairsAtOnce(o.Shared, true)
	return o
}

// cpuActivations is what the activations of a micro-batch may take where
// train.activation_memory is auto and the device is a CPU, in bytes
// (docs/experiments.md).
const cpuActivations = 2.4e9

// activationBytes is what the activations of a micro-batch may take, in bytes; 0: no
// limit.
func (r Run) activationBytes() float64 {
	switch {
	case r.Config.ActivationMemory != AutoMemory:
		return r.Config.ActivationMemory.Bytes()
	case r.BackendName == "cuda" || r.Model.NumDevices() > 1:
		return 0 // a batch is what the user chose to fill the device with
	}
	return cpuActivations
}

// idsAtOnce is how many ids one flat row may hold, so that its activations take no
// more than train.activation_memory; 0: no limit.
func (r Run) idsAtOnce() int {
	budget := r.activationBytes()
	if budget == 0 {
		return 0
	}
	all := int(r.Train.Stats.Tokens)
	return idsWithin(budget, r.Model.Size(), r.flatShape(all), all)
}

// idsWithin is how many ids a flat row may hold, up to most, so that its activations take
// no more than a budget, in bytes.
func idsWithin(budget float64, size model.Size, b BatchShape, most int) int {
	return max(1, sort.Search(most, func(ids int) bool {
		b.Tokens = ids + 1
		return PeakMemory(size, b).Activations > budget
	}))
}

// pairsAtOnce are how many pairs of each length one micro-batch computes, so that
// its activations take no more than train.activation_memory; nil where every
// batch is computed whole.
func (r Run) pairsAtOnce(lengths []int, packed bool) (pairs []int) {
	budget := r.activationBytes()
	if budget == 0 {
		return nil
	}
	whole := true
	for _, length := range lengths {
		shape := r.shape(length, packed, r.Config.BatchSize)
		of := PeakMemory(r.Model.Size(), shape).Activations / float64(r.Config.BatchSize)
		at := divided(r.Config.BatchSize, max(1, int(budget/of)))
		pairs = append(pairs, at)
		whole = whole && at == r.Config.BatchSize
	}
	if whole {
		return nil
	}
	return pairs
}

// partCost is what adding one more part's gradients to the sums takes, in pairs
// that could have been computed meanwhile.
const partCost = 0.5

// divided is how many pairs of a batch of n to compute at once, at most so many: all
// parts have one shape, so that the last is filled up with pairs that are not there,
// which cost as much as others.
func divided(n, most int) (at int) {
	least := math.Inf(1)
	for size := min(n, most); size >= 1; size-- {
		parts := ceilDiv(n, size)
		if cost := float64(parts) * (float64(size) + partCost); cost < least {
			at, least = size, cost
		}
	}
	return at
}

// Layout counts the pairs of a run by how they lie.
type Layout struct {
	Together, Apart int // pairs whose common beginning is computed once, and the others
	Saved           int // ids that are not computed a second time, of an epoch
	Tokens          int // ids of all pairs, both sequences counted
	why             string
}

// Layout is that of the run's pairs.
func (r Run) Layout() Layout {
	if r.Order.FlatShared {
		l := Layout{why: "their sequences have nothing in common to begin with"}
		for row := range r.Train.Len() {
			l.add(r.Train, row, r.Train.SharesPrefix(row))
		}
		return l
	}
	l := Layout{why: "too little of them is alike (responses longer than the prompt, prompts cut at the left or tokenized differently), or they fill no batch"}
	for _, plan := range r.Order.Once(r.Train) {
		for _, row := range plan.Rows {
			l.add(r.Train, row, plan.Shared)
		}
	}
	return l
}

func (l *Layout) add(s *batches.Store, row int, shared bool) {
	l.Tokens += s.Tokens(row)
	if !shared {
		l.Apart++
		return
	}
	l.Together++
	l.Saved += s.Tokens(row) - s.Together(row)
}

// String is what commands print.
func (l Layout) String() string {
	said := fmt.Sprintf("%d of %d pairs have their common beginning computed once: %.0f%% fewer ids",
		l.Together, l.Together+l.Apart, 100*float64(l.Saved)/float64(l.Tokens))
	if l.Apart > 0 {
		said += fmt.Sprintf("; %d do not: %s", l.Apart, l.why)
	}
	return said
}
