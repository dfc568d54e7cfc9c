package batches

import (
	"math/rand/v2"
	"slices"
)

// Plan names the pairs of one batch, the length that its rows are padded to, whether
// what a pair's sequences begin with lies there once (shared), and whether all pairs
// lie in one row (flat).
type Plan struct {
	Rows         []int
	T            int
	Shared, Flat bool
	Size         int // pairs that the batch has room for
}

// Order decides which pairs form which batch.
type Order struct {
	BatchSize int
	Shuffle   bool
	Buckets   []int // ascending lengths of rows of one sequence; one bucket means one shape
	Shared    []int // the same of rows of a pair; empty: no pair lies in one row
	// BucketPairs and SharedPairs are how many pairs of each of those lengths are
	// computed at once, in a micro-batch; empty: BatchSize.
	BucketPairs, SharedPairs []int
	// Flat are ascending lengths of rows that hold all pairs of a micro-batch, where
	// no pair lies otherwise; empty: none does.
	Flat []int
	// FlatShared has what both sequences of a pair begin with once in flat rows.
	FlatShared bool

	Wrap bool // take rows in file order for ever, without a short batch at the end
	Seed uint64
}

// Epoch plans one pass over the store: every pair once, in an order that (Seed,
// epoch) alone decide. One batch at most is short; the number of batches is the same
// in every epoch.
func (o Order) Epoch(s *Store, epoch int) []Plan {
	random := rand.New(rand.NewPCG(o.Seed, uint64(epoch)+1))
	plan := o.bucketBatches
	if len(o.Flat) > 0 {
		plan = o.flatBatches
	}
	plans := plan(s, random)
	if o.Shuffle {
		random.Shuffle(len(plans), func(i, j int) { plans[i], plans[j] = plans[j], plans[i] })
	}
	return plans
}

// bucketBatches are each of one bucket and layout. Pairs left over in a bucket move
// up to the next longer one, and those of the longest shared rows into rows of their
// own.
func (o Order) bucketBatches(s *Store, random *rand.Rand) []Plan {
	rows := make([]int32, s.Len())
	for i := range rows {
		rows[i] = int32(i)
	}
	if o.Shuffle {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	return o.fillBuckets(s, rows)
}

// fillBuckets deals pairs to the layout and bucket that each belongs to.
func (o Order) fillBuckets(s *Store, rows []int32) []Plan {
	plans := make([]Plan, 0, len(rows)/o.BatchSize+1)
	placed := make([]int, 0, len(rows))
	apart, shared := o.filling(false, &placed), o.filling(true, &placed)
	for _, row := range rows {
		to := apart
		if o.shares(s, int(row)) {
			to = shared
		}
		plans = to.add(plans, s, int(row))
	}
	plans = shared.moveUp(plans)
	if len(apart.lengths) > 0 {
		for _, row := range shared.left() {
			plans = apart.add(plans, s, row)
		}
		return apart.closeLast(apart.moveUp(plans))
	}
	return shared.closeLast(plans)
}

// Lengths are those of rows of a pair, or of rows of one sequence.
func (o Order) Lengths(shared bool) []int {
	if shared {
		return o.Shared
	}
	return o.Buckets
}

// microPairs are how many pairs of each of Lengths are computed at once.
func (o Order) microPairs(shared bool) []int {
	if shared {
		return o.SharedPairs
	}
	return o.BucketPairs
}

// PairsAtOnce is how many pairs of a length are computed at once.
func (o Order) PairsAtOnce(length int, shared bool) int {
	sizes := o.microPairs(shared)
	if at := slices.Index(o.Lengths(shared), length); at >= 0 && at < len(sizes) {
		return sizes[at]
	}
	return o.BatchSize
}

// MicroBatches divides a batch into those that are computed one after the other,
// their gradients summed; all have one shape, but for flat ones. The sums are those
// of the whole batch, since a loss is divided by what its step has in all.
func (o Order) MicroBatches(s *Store, plan Plan) []Plan {
	if plan.Flat {
		return o.flatParts(s, plan)
	}
	size := o.PairsAtOnce(plan.T, plan.Shared)
	var parts []Plan
	for rows := range slices.Chunk(plan.Rows, size) {
		parts = append(parts, Plan{Rows: rows, T: plan.T, Shared: plan.Shared, Size: size})
	}
	return parts
}

// shares tells whether a pair lies in one row.
func (o Order) shares(s *Store, row int) bool { return len(o.Shared) > 0 && s.Shares(row) }

// filling is the batches of one layout while they fill.
type filling struct {
	lengths []int
	size    int // pairs of a batch
	shared  bool
	open    [][]int // the pairs of each length that wait for more
	placed  *[]int  // those of all batches, one after another
}

func (o Order) filling(shared bool, placed *[]int) *filling {
	lengths := o.Lengths(shared)
	return &filling{lengths: lengths, size: o.BatchSize, shared: shared, open: make([][]int, len(lengths)), placed: placed}
}

// add puts a pair in the bucket that it belongs to.
func (f *filling) add(plans []Plan, s *Store, row int) []Plan {
	at, _ := slices.BinarySearch(f.lengths, s.rowLength(row, f.shared))
	return f.addTo(plans, at, row)
}

// addTo puts a pair in a bucket, whose batch joins the plans when it is full.
func (f *filling) addTo(plans []Plan, bucket, row int) []Plan {
	f.open[bucket] = append(f.open[bucket], row)
	if len(f.open[bucket]) < f.size {
		return plans
	}
	return f.close(plans, bucket)
}

func (f *filling) close(plans []Plan, bucket int) []Plan {
	first := len(*f.placed)
	*f.placed = append(*f.placed, f.open[bucket]...)
	f.open[bucket] = f.open[bucket][:0]
	return append(plans, Plan{Rows: (*f.placed)[first:len(*f.placed):len(*f.placed)], T: f.lengths[bucket], Shared: f.shared, Size: f.size})
}

// moveUp gives the pairs left over in a bucket to the next longer one.
func (f *filling) moveUp(plans []Plan) []Plan {
	for bucket := range len(f.lengths) - 1 {
		for _, row := range f.open[bucket] {
			plans = f.addTo(plans, bucket+1, row)
		}
		f.open[bucket] = nil
	}
	return plans
}

// left takes the pairs that wait in the longest bucket.
func (f *filling) left() (rows []int) {
	if last := len(f.lengths) - 1; last >= 0 {
		rows, f.open[last] = f.open[last], nil
	}
	return rows
}

// closeLast makes a short batch of the pairs that wait in the longest bucket.
func (f *filling) closeLast(plans []Plan) []Plan {
	if last := len(f.lengths) - 1; last >= 0 && len(f.open[last]) > 0 {
		return f.close(plans, last)
	}
	return plans
}

// Once plans every pair once: the first epoch, or as much of an endless run as
// takes every pair.
func (o Order) Once(s *Store) []Plan {
	if !o.Wrap {
		return o.Epoch(s, 0)
	}
	var plans []Plan
	for first := 0; first < s.Len(); first += o.BatchSize {
		plan := o.Wrapped(s, first/o.BatchSize)
		plan.Rows = plan.Rows[:min(o.BatchSize, s.Len()-first)]
		plans = append(plans, plan)
	}
	return plans
}

// Wrapped plans the given batch of an endless run in file order: pair
// (batch·BatchSize + j) mod n. It is shared where that suits all of its pairs.
func (o Order) Wrapped(s *Store, batch int) Plan {
	rows, shared := make([]int, o.BatchSize), true
	for j := range rows {
		rows[j] = (batch*o.BatchSize + j) % s.Len()
		shared = shared && o.shares(s, rows[j])
	}
	lengths := o.Lengths(shared)
	return Plan{Rows: rows, T: lengths[len(lengths)-1], Shared: shared, Size: o.BatchSize}
}
