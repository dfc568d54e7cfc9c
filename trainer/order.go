package trainer

import (
	"laurel/data"
	"laurel/data/batches"
)

// What compiling one shape costs, in ids that could have been computed
// meanwhile: seconds of compilation times ids a second (docs/experiments.md).
const (
	compileTokensCPU  = 10_000
	compileTokensCUDA = 2_000_000
)

// NewOrder settles in which batches the pairs come, and to which lengths they
// are padded, for a backend of this name and a model of so many positions (0:
// no limit). A resumed run has the lengths that it began with, known.
func NewOrder(c Config, d data.Config, pairs *batches.Store, backend string, positions int, known []int) batches.Order {
	compileTokens := compileTokensCPU
	if backend == "cuda" {
		compileTokens = compileTokensCUDA
	}
	if len(known) == 0 {
		known = batches.Lengths(d.Buckets, pairs, c.Epochs, compileTokens, positions)
	}
	return batches.Order{BatchSize: c.BatchSize, Shuffle: d.Shuffle, Seed: c.Seed, Wrap: !d.Shuffle && d.Buckets.None, Buckets: known}
}
