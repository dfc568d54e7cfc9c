package batches

import (
	"math/rand/v2"
	"slices"
)

// Plan names the pairs of one batch and the length they are padded to.
type Plan struct {
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
func (o Order) Epoch(s *Store, epoch int) []Plan {
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

func (o Order) fillBuckets(s *Store, rows []int) []Plan {
	open := make([][]int, len(o.Buckets))
	var plans []Plan
	add := func(bucket, row int) {
		open[bucket] = append(open[bucket], row)
		if len(open[bucket]) == o.BatchSize {
			plans = append(plans, Plan{open[bucket], o.Buckets[bucket]})
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
		plans = append(plans, Plan{open[last], o.Buckets[last]})
	}
	return plans
}

// Wrapped plans the given batch of an endless run in file order: pair
// (batch·BatchSize + j) mod n.
func (o Order) Wrapped(s *Store, batch int) Plan {
	rows := make([]int, o.BatchSize)
	for j := range rows {
		rows[j] = (batch*o.BatchSize + j) % s.Len()
	}
	return Plan{rows, o.Buckets[len(o.Buckets)-1]}
}
