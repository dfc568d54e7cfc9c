package batches

import (
	"fmt"
	"slices"
)

// Batch is B pairs as one forward pass sees them: rows that hold S = 2B sequences,
// the chosen ones first, then the rejected ones in the same order.
type Batch struct {
	Layout

	Confidence []float32 // [B]
	Margin     []float32 // [B]
	Present    []float32 // [B], 1 for a pair, 0 for one that fills up the batch

	B      int
	Pairs  int   // pairs present
	Tokens int   // real ids among the R·T
	Rows   []int // rows of the store, in the order of the batch
}

// Read fills a plan from the store, with padID where there is no token. A short
// plan is filled up to its size with pairs that have no weight.
func Read(s *Store, plan Plan, padID int32) (*Batch, error) {
	b := newBatch(plan.Size, plan.T, plan.Shared, padID)
	b.Pairs, b.Rows = len(plan.Rows), plan.Rows
	for j, row := range plan.Rows {
		if n := s.rowLength(row, plan.Shared); n > plan.T {
			return nil, fmt.Errorf("pair %d of the store has a row of %d ids, its batch rows of %d", row, n, plan.T)
		}
		r, chosen, rejected, err := s.read(row)
		if err != nil {
			return nil, err
		}
		b.put(j, chosen, rejected, s.prefix(row))
		b.Confidence[j], b.Margin[j], b.Present[j] = float32(r.confidence), r.margin, 1
		b.Tokens += len(chosen) + len(rejected)
		if plan.Shared {
			b.Tokens -= s.prefix(row)
		}
	}
	for j := len(plan.Rows); j < plan.Size; j++ {
		b.fillUp(j)
	}
	return b, nil
}

// put lays a pair out: a row for each sequence, or one row of the first prefix
// ids, which both begin with, of the rest of chosen and of the rest of rejected.
func (b *Batch) put(pair int, chosen, rejected []int32, prefix int) {
	other := b.B + pair
	if !b.Shared() {
		b.Place(pair, pair, 0, chosen, 0)
		b.Place(other, other, 0, rejected, 0)
		return
	}
	b.Begin(pair, chosen[:prefix])
	b.Place(pair, pair, prefix, chosen[prefix:], prefix)
	b.Place(other, pair, len(chosen), rejected[prefix:], prefix)
}

// pair gives what put was given.
func (b *Batch) pair(j int) (chosen, rejected []int32, prefix int) {
	ids := func(from, to int32, sequence int) []int32 {
		row := int(b.Row[sequence]) * b.T
		return b.IDs[row+int(from) : row+int(to)]
	}
	other := b.B + j
	shared := b.Start[j]
	return ids(0, b.End[j], j), slices.Concat(ids(0, shared, other), ids(b.Start[other], b.End[other], other)), int(shared)
}

// fillUp puts a pair that is not there in its place: sequences of one id attend
// to themselves, so that nothing is 0/0.
func (b *Batch) fillUp(pair int) {
	id := b.IDs[pair*b.T : pair*b.T+1]
	b.put(pair, id, id, 0)
}

// newBatch has a row of padID for each pair where a pair shares one, else for
// each sequence.
func newBatch(pairs, length int, shared bool, padID int32) *Batch {
	rows := 2 * pairs
	if shared {
		rows = pairs
	}
	return &Batch{Layout: NewLayout(rows, length, 2*pairs, shared, padID), B: pairs,
		Confidence: make([]float32, pairs), Margin: make([]float32, pairs), Present: make([]float32, pairs)}
}
