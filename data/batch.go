package data

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Batch is B pairs as one forward pass sees them: the chosen rows first,
// then the rejected ones in the same order.
type Batch struct {
	IDs        []int32   // [2B, T], padded on the right
	Lengths    []int32   // [2B]
	Confidence []float32 // [B]
	Margin     []float32 // [B]
	Present    []float32 // [B], 1 for a pair, 0 for a row that fills up the batch
	B, T       int
	Pairs      int   // pairs present
	Tokens     int   // real ids among the 2·B·T
	Rows       []int // rows of the store, in the order of the batch
}

// BatchPlan names the pairs of one batch and the length they are padded to.
type BatchPlan struct {
	Rows []int
	T    int
}

// Order decides which pairs form which batch.
type Order struct {
	BatchSize int
	Shuffle   bool
	Buckets   []int // ascending lengths; one bucket means one shape
	Wrap      bool  // take rows in file order for ever, without a short batch at the end
	Seed      uint64
}

// Epoch plans one pass over the store: every pair once, each batch of one
// bucket, in an order that (Seed, epoch) alone decide. Pairs left over in a
// bucket move up to the next longer one, so that one batch at most is short.
// The number of batches is the same in every epoch.
func (o Order) Epoch(s *Store, epoch int) []BatchPlan {
	random := rand.New(rand.NewPCG(o.Seed, uint64(epoch)+1))
	rows := make([]int, s.Len())
	for i := range rows {
		rows[i] = i
	}
	if o.Shuffle {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	plans := o.fillBuckets(s, rows)
	if o.Shuffle {
		random.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	}
	return plans
}

func (o Order) fillBuckets(s *Store, rows []int) []BatchPlan {
	open := make([][]int, len(o.Buckets))
	var plans []BatchPlan
	add := func(bucket, row int) {
		open[bucket] = append(open[bucket], row)
		if len(open[bucket]) == o.BatchSize {
			plans = append(plans, BatchPlan{open[bucket], o.Buckets[bucket]})
			open[bucket] = nil
		}
	}
	for _, row := range rows {
		at, _ := slices.BinarySearch(o.Buckets, s.Longer(row))
		add(at, row)
	}
	last := len(o.Buckets) - 1
	for bucket := range last {
		for _, row := range open[bucket] {
			add(bucket+1, row)
		}
	}
	if len(open[last]) > 0 {
		plans = append(plans, BatchPlan{open[last], o.Buckets[last]})
	}
	return plans
}

// Wrapped plans the given batch of an endless run in file order: pair
// (batch·BatchSize + j) mod n.
func (o Order) Wrapped(s *Store, batch int) BatchPlan {
	rows := make([]int, o.BatchSize)
	for j := range rows {
		rows[j] = (batch*o.BatchSize + j) % s.Len()
	}
	return BatchPlan{rows, o.Buckets[len(o.Buckets)-1]}
}

// ReadBatch fills a plan from the store with padID where there is no token.
// A short plan is filled up to size pairs with rows that have no weight.
func ReadBatch(s *Store, plan BatchPlan, size int, padID int32) (*Batch, error) {
	b := &Batch{B: size, T: plan.T, Pairs: len(plan.Rows), Rows: plan.Rows,
		IDs: make([]int32, 2*size*plan.T), Lengths: make([]int32, 2*size),
		Confidence: make([]float32, size), Margin: make([]float32, size), Present: make([]float32, size)}
	for i := range b.IDs {
		b.IDs[i] = padID
	}
	for i := range b.Lengths {
		b.Lengths[i] = 1 // a row of padding attends to itself, so that nothing is 0/0
	}
	for j, row := range plan.Rows {
		p := s.index[row]
		if s.Longer(row) > plan.T {
			return nil, fmt.Errorf("row %d has %d ids, its batch %d", row, s.Longer(row), plan.T)
		}
		if err := s.read(row, b.IDs[j*plan.T:], b.IDs[(size+j)*plan.T:]); err != nil {
			return nil, err
		}
		b.Lengths[j], b.Lengths[size+j] = p.chosen, p.rejected
		b.Confidence[j], b.Margin[j], b.Present[j] = float32(p.confidence), p.margin, 1
		b.Tokens += int(p.chosen + p.rejected)
	}
	return b, nil
}
