package batches

import (
	"math"
	"slices"

	"laurel/data"
)

// bucketStep is what bucket lengths are multiples of: vector units and
// tensor cores like it, and it keeps the choice small.
const bucketStep = 8

// maxBuckets bounds the shapes that are compiled, each of which costs
// seconds and holds its program in memory.
const maxBuckets = 10

// Buckets chooses the lengths that batches are padded to. It minimises the
// padded ids of an epoch times epochs, plus compileTokens for every bucket
// (what compiling one shape costs, in ids that could have been computed
// meanwhile), by dynamic programming over the histogram of row lengths. No
// bucket is longer than limit, the positions of the model (0: no limit).
func Buckets(rows Rows, epochs float64, compileTokens, limit int) []int {
	count, top := rows.histogram()
	// cost[k][j]: fewest padded ids for all pairs of length ≤ j·step with k
	// buckets, the last of which ends at j.
	cost := make([][]float64, maxBuckets+1)
	from := make([][]int, maxBuckets+1)
	for k := range cost {
		cost[k] = make([]float64, top+1)
		from[k] = make([]int, top+1)
		for j := range cost[k] {
			cost[k][j] = math.Inf(1)
		}
	}
	cost[0][0] = 0
	below := make([]int, top+1) // pairs of length ≤ j·step
	for j := 1; j <= top; j++ {
		below[j] = below[j-1] + count[j]
	}
	for k := 1; k <= maxBuckets; k++ {
		for j := 1; j <= top; j++ {
			for i := range j {
				c := cost[k-1][i] + float64(below[j]-below[i])*float64(rows.PerPair*j*rows.step())
				if c < cost[k][j] {
					cost[k][j], from[k][j] = c, i
				}
			}
		}
	}
	best, bestCost := 1, math.Inf(1)
	for k := 1; k <= maxBuckets; k++ {
		if c := cost[k][top]*epochs + float64(k*compileTokens); c < bestCost {
			best, bestCost = k, c
		}
	}
	return atMost(limit, edges(from, best, top, rows.step()))
}

func edges(from [][]int, k, top, step int) []int {
	lengths := make([]int, k)
	for j := top; k > 0; k-- {
		lengths[k-1] = j * step
		j = from[k][j]
	}
	return lengths
}

// histogram counts pairs by ⌈longest row / step⌉.
func (r Rows) histogram() (count []int, top int) {
	top = r.inSteps(r.longest())
	count = make([]int, top+1)
	for length, pairs := range r.Counts {
		count[r.inSteps(length)] += pairs
	}
	return count, top
}

func (r Rows) inSteps(length int) int { return (length + r.step() - 1) / r.step() }

// OneBucket pads every batch to the longest row.
func OneBucket(rows Rows, limit int) []int {
	return atMost(limit, []int{rows.inSteps(rows.longest()) * rows.step()})
}

// atMost lowers the last bucket to the limit, which rounding up may pass.
func atMost(limit int, lengths []int) []int {
	if last := &lengths[len(lengths)-1]; limit > 0 && *last > limit {
		*last = limit
	}
	return lengths
}

// Lengths applies a run's choice of buckets to the rows of its pairs: they are
// the lengths that batches are padded to, none where there are no pairs.
// compileTokens and limit are as in Buckets.
func Lengths(choice data.BucketChoice, rows Rows, epochs float64, compileTokens, limit int) []int {
	switch {
	case rows.None():
		return nil
	case choice.None:
		return OneBucket(rows, limit)
	case choice.Lengths == nil:
		return Buckets(rows, epochs, compileTokens, limit)
	}
	lengths := slices.Clone(choice.Lengths)
	if last := lengths[len(lengths)-1]; last < rows.longest() {
		lengths = append(lengths, OneBucket(rows, limit)[0])
	}
	return lengths
}
