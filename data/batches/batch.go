package batches

import "fmt"

// Batch is B pairs as one forward pass sees them: R rows of T ids that hold
// S = 2B sequences, the chosen ones first, then the rejected ones in the same
// order. Where a sequence lies is the business of whoever fills the batch: a
// row may hold one sequence or several.
type Batch struct {
	IDs       []int32 // [R, T]
	Segments  []int32 // [R, T]: 0 for padding, 1…n for the sequences of the row
	Positions []int32 // [R, T]: the place of an id within its sequence; 0 in padding
	Row       []int32 // [S]: the row that holds a sequence
	Start     []int32 // [S]: its first column there
	End       []int32 // [S]: the column after its last

	Confidence []float32 // [B]
	Margin     []float32 // [B]
	Present    []float32 // [B], 1 for a pair, 0 for one that fills up the batch

	R, T, S, B int
	Pairs      int   // pairs present
	Tokens     int   // real ids among the R·T
	Rows       []int // rows of the store, in the order of the batch
}

// Read fills a plan from the store, one sequence a row, with padID where there
// is no token. A short plan is filled up to size pairs that have no weight.
func Read(s *Store, plan Plan, size int, padID int32) (*Batch, error) {
	b := newBatch(2*size, plan.T, size, padID)
	b.Pairs, b.Rows = len(plan.Rows), plan.Rows
	for j, row := range plan.Rows {
		if s.Longer(row) > plan.T {
			return nil, fmt.Errorf("pair %d of the store has %d ids, its batch %d", row, s.Longer(row), plan.T)
		}
		p := s.index[row]
		if err := s.read(row, b.IDs[j*plan.T:], b.IDs[(size+j)*plan.T:]); err != nil {
			return nil, err
		}
		b.place(j, j, 0, int(p.chosen))
		b.place(size+j, size+j, 0, int(p.rejected))
		b.Confidence[j], b.Margin[j], b.Present[j] = float32(p.confidence), p.margin, 1
		b.Tokens += int(p.chosen + p.rejected)
	}
	for j := len(plan.Rows); j < size; j++ {
		b.fillUp(j)
	}
	return b, nil
}

// fillUp puts a pair that is not there in its place: sequences of one id attend
// to themselves, so that nothing is 0/0.
func (b *Batch) fillUp(pair int) {
	for _, sequence := range []int{pair, b.B + pair} {
		b.place(sequence, sequence, 0, 1)
	}
}

func newBatch(rows, length, pairs int, padID int32) *Batch {
	b := &Batch{R: rows, T: length, S: 2 * pairs, B: pairs,
		IDs: make([]int32, rows*length), Segments: make([]int32, rows*length), Positions: make([]int32, rows*length),
		Row: make([]int32, 2*pairs), Start: make([]int32, 2*pairs), End: make([]int32, 2*pairs),
		Confidence: make([]float32, pairs), Margin: make([]float32, pairs), Present: make([]float32, pairs)}
	for i := range b.IDs {
		b.IDs[i] = padID
	}
	return b
}

// place says that a sequence has length ids from a column of a row on. A row's
// sequences are placed from left to right.
func (b *Batch) place(sequence, row, column, length int) {
	b.Row[sequence], b.Start[sequence], b.End[sequence] = int32(row), int32(column), int32(column+length)
	segment := int32(1)
	if column > 0 {
		segment += b.Segments[row*b.T+column-1]
	}
	for i := range length {
		b.Segments[row*b.T+column+i], b.Positions[row*b.T+column+i] = segment, int32(i)
	}
}

// Lengths are the numbers of ids of the sequences, [S].
func (b *Batch) Lengths() []int32 {
	lengths := make([]int32, b.S)
	for i := range lengths {
		lengths[i] = b.End[i] - b.Start[i]
	}
	return lengths
}
