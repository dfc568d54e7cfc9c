package batches

import (
	"fmt"
	"slices"
)

// Batch is B pairs as one forward pass sees them: rows, or one flat row, that hold
// S = 2B sequences, the chosen ones first, then the rejected ones in the same order.
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
	b := newBatch(plan, padID)
	b.Pairs, b.Rows = len(plan.Rows), plan.Rows
	pairs := make([]pairIDs, len(plan.Rows))
	for j, row := range plan.Rows {
		if n := s.rowLength(row, plan.Shared); n > plan.T {
			return nil, fmt.Errorf("pair %d of the store has a row of %d ids, its batch rows of %d", row, n, plan.T)
		}
		prefix := 0
		if plan.Shared {
			prefix = s.prefix(row)
		}
		r, chosen, rejected, err := s.read(row)
		if err != nil {
			return nil, err
		}
		pairs[j] = pairIDs{chosen, rejected, prefix}
		b.Confidence[j], b.Margin[j], b.Present[j] = float32(r.confidence), r.margin, 1
		b.Tokens += len(chosen) + len(rejected) - prefix
	}
	if b.Flat && b.Tokens > b.T {
		return nil, fmt.Errorf("pairs %v of the store have %d ids, the row that they share %d", plan.Rows, b.Tokens, b.T)
	}
	b.fill(pairs)
	return b, nil
}

// pairIDs are a pair's ids, of which so many are a prefix that the sequences share
// in one row.
type pairIDs struct {
	chosen, rejected []int32
	prefix           int
}

// fill lays pairs out; where there are fewer than the batch has room for, it is
// filled up.
func (b *Batch) fill(pairs []pairIDs) {
	if b.Flat {
		b.fillFlat(pairs)
		return
	}
	for j, p := range pairs {
		b.put(j, p)
	}
	for j := len(pairs); j < b.B; j++ {
		b.fillUp(j)
	}
}

// fillFlat lays all chosen sequences and then all rejected ones one after another; or
// pair after pair, each with what its sequences share once.
func (b *Batch) fillFlat(pairs []pairIDs) {
	column := 0
	if b.Shared() {
		for j, p := range pairs {
			column = b.putShared(j, 0, column, p)
		}
		return
	}
	place := func(sequence int, ids []int32) {
		b.Place(sequence, 0, column, ids, 0)
		column += len(ids)
	}
	for j, p := range pairs {
		place(j, p.chosen)
	}
	for j, p := range pairs {
		place(b.B+j, p.rejected)
	}
}

// put lays a pair out: a row for each sequence, or one row for both.
func (b *Batch) put(pair int, p pairIDs) {
	if b.Shared() {
		b.putShared(pair, pair, 0, p)
		return
	}
	b.Place(pair, pair, 0, p.chosen, 0)
	b.Place(b.B+pair, b.B+pair, 0, p.rejected, 0)
}

// putShared lays a pair out in a row from a column on, and gives the column after it:
// the prefix that both sequences begin with, the rest of chosen and the rest of
// rejected.
func (b *Batch) putShared(pair, row, column int, p pairIDs) (end int) {
	b.Begin(row, column, p.chosen[:p.prefix])
	b.Place(pair, row, column+p.prefix, p.chosen[p.prefix:], p.prefix)
	column += len(p.chosen)
	b.Place(b.B+pair, row, column, p.rejected[p.prefix:], p.prefix)
	return column + len(p.rejected) - p.prefix
}

// pair gives what fill was given.
func (b *Batch) pair(j int) pairIDs {
	if !b.Shared() {
		return pairIDs{b.own(j), b.own(b.B + j), 0}
	}
	prefix := b.columns(j, b.From[j], b.To[j])
	return pairIDs{slices.Concat(prefix, b.own(j)), slices.Concat(prefix, b.own(b.B+j)), len(prefix)}
}

// own are a sequence's ids, less a shared prefix.
func (b *Batch) own(sequence int) []int32 {
	return b.columns(sequence, b.Start[sequence], b.End[sequence])
}

// columns are ids of the row that a sequence lies in.
func (b *Batch) columns(sequence int, from, to int32) []int32 {
	row := int(b.Row[sequence]) * b.T
	return b.IDs[row+int(from) : row+int(to)]
}

// fillUp puts a pair that is not there in its place: sequences of one id attend
// to themselves, so that nothing is 0/0.
func (b *Batch) fillUp(pair int) {
	id := b.IDs[pair*b.T : pair*b.T+1]
	b.put(pair, pairIDs{id, id, 0})
}

// newBatch has room for a plan's pairs: one flat row of padID; or a row for each pair
// where a pair shares one, else for each sequence.
func newBatch(plan Plan, padID int32) *Batch {
	pairs := plan.Size
	b := &Batch{B: pairs, Confidence: make([]float32, pairs), Margin: make([]float32, pairs), Present: make([]float32, pairs)}
	switch {
	case plan.Flat:
		b.Layout = NewFlatLayout(plan.T, 2*pairs, plan.Shared, padID)
	case plan.Shared:
		b.Layout = NewLayout(pairs, plan.T, 2*pairs, true, padID)
	default:
		b.Layout = NewLayout(2*pairs, plan.T, 2*pairs, false, padID)
	}
	return b
}
