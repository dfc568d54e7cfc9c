package batches

import (
	"fmt"
	"slices"
)

// Batch is B pairs as one forward pass sees them: R rows of T ids that hold
// S = 2B sequences, the chosen ones first, then the rejected ones in the same
// order. Where a sequence lies is the business of whoever fills the batch: a
// row may hold one sequence or several.
type Batch struct {
	IDs       []int32 // [R, T]
	Segments  []int32 // [R, T]: 0 for padding, 1…n for the sequences of the row and the prefix that they share
	Positions []int32 // [R, T]: the place of an id within its sequence, the shared prefix counted; 0 in padding
	Row       []int32 // [S]: the row that holds a sequence
	Start     []int32 // [S]: its first column there, behind a shared prefix
	End       []int32 // [S]: the column after its last
	// Prefixes are the segments that an id sees beside its own, 0 for none: 1, the
	// prefix of its row, in responses. [R, T]; nil where each sequence has a row.
	Prefixes []int32

	Confidence []float32 // [B]
	Margin     []float32 // [B]
	Present    []float32 // [B], 1 for a pair, 0 for one that fills up the batch

	R, T, S, B int
	Pairs      int   // pairs present
	Tokens     int   // real ids among the R·T
	Rows       []int // rows of the store, in the order of the batch
}

// Read fills a plan from the store, with padID where there is no token. A short
// plan is filled up to size pairs that have no weight.
func Read(s *Store, plan Plan, size int, padID int32) (*Batch, error) {
	b := newBatch(size, plan.T, plan.Shared, padID)
	b.Pairs, b.Rows = len(plan.Rows), plan.Rows
	for j, row := range plan.Rows {
		if n := s.rowLength(row, plan.Shared); n > plan.T {
			return nil, fmt.Errorf("pair %d of the store has a row of %d ids, its batch rows of %d", row, n, plan.T)
		}
		p := s.index[row]
		chosen, rejected, err := s.IDs(row)
		if err != nil {
			return nil, err
		}
		b.put(j, chosen, rejected, s.prefix(row))
		b.Confidence[j], b.Margin[j], b.Present[j] = float32(p.confidence), p.margin, 1
		b.Tokens += len(chosen) + len(rejected)
		if plan.Shared {
			b.Tokens -= s.prefix(row)
		}
	}
	for j := len(plan.Rows); j < size; j++ {
		b.fillUp(j)
	}
	return b, nil
}

// Shared tells whether a pair lies in one row, with what both of its sequences
// begin with once.
func (b *Batch) Shared() bool { return b.Prefixes != nil }

// put lays a pair out: a row for each sequence, or one row of the first prefix
// ids, which both begin with, of the rest of chosen and of the rest of rejected.
func (b *Batch) put(pair int, chosen, rejected []int32, prefix int) {
	other := b.B + pair
	if !b.Shared() {
		copy(b.IDs[pair*b.T:], chosen)
		copy(b.IDs[other*b.T:], rejected)
		b.place(pair, pair, 0, len(chosen), 0)
		b.place(other, other, 0, len(rejected), 0)
		return
	}
	row := pair * b.T
	copy(b.IDs[row:], chosen)
	copy(b.IDs[row+len(chosen):], rejected[prefix:])
	for i := range prefix {
		b.Segments[row+i], b.Positions[row+i] = 1, int32(i)
	}
	b.place(pair, pair, prefix, len(chosen)-prefix, prefix)
	b.place(other, pair, len(chosen), len(rejected)-prefix, prefix)
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
	b := &Batch{R: rows, T: length, S: 2 * pairs, B: pairs,
		IDs: make([]int32, rows*length), Segments: make([]int32, rows*length), Positions: make([]int32, rows*length),
		Row: make([]int32, 2*pairs), Start: make([]int32, 2*pairs), End: make([]int32, 2*pairs),
		Confidence: make([]float32, pairs), Margin: make([]float32, pairs), Present: make([]float32, pairs)}
	for i := range b.IDs {
		b.IDs[i] = padID
	}
	if shared {
		b.Prefixes = make([]int32, rows*length)
	}
	return b
}

// place says that a sequence has length ids from a column of a row on, after so
// many ids of a prefix that the row's sequences share. A row's sequences are
// placed from left to right.
func (b *Batch) place(sequence, row, column, length, prefix int) {
	b.Row[sequence], b.Start[sequence], b.End[sequence] = int32(row), int32(column), int32(column+length)
	segment := int32(1)
	if column > 0 {
		segment += b.Segments[row*b.T+column-1]
	}
	for i := range length {
		at := row*b.T + column + i
		b.Segments[at], b.Positions[at] = segment, int32(prefix+i)
		if prefix > 0 {
			b.Prefixes[at] = 1
		}
	}
}

// Lengths are the numbers of ids of the sequences, less a shared prefix, [S].
func (b *Batch) Lengths() []int32 {
	lengths := make([]int32, b.S)
	for i := range lengths {
		lengths[i] = b.End[i] - b.Start[i]
	}
	return lengths
}
