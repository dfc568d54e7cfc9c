package batches

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestEpochHasEveryPairOnce: over sizes, batch sizes and buckets, an epoch
// holds every pair once, no batch is longer than its length, one at most is
// short, and every epoch has as many batches.
func TestEpochHasEveryPairOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 40 {
		s := fakeStore(t, 1+random.IntN(200))
		o := Order{BatchSize: 1 + random.IntN(9), Shuffle: random.IntN(2) == 0, Seed: random.Uint64(),
			Buckets: Buckets(s.Apart(), 1, random.IntN(20_000), 0)}
		batches := len(o.Epoch(s, 0))
		for epoch := range 3 {
			seen := make([]int, s.Len())
			short := 0
			plans := o.Epoch(s, epoch)
			for _, p := range plans {
				if len(p.Rows) < o.BatchSize {
					short++
				}
				for _, row := range p.Rows {
					seen[row]++
					if s.Longer(row) > p.T {
						t.Fatalf("row of %d ids in a batch of %d", s.Longer(row), p.T)
					}
				}
			}
			if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
				t.Fatalf("pairs seen %v times", seen)
			}
			if short > 1 || len(plans) != batches {
				t.Fatalf("%d short batches; %d batches, in epoch 0 %d", short, len(plans), batches)
			}
		}
	}
}

func TestOrderFollowsTheSeed(t *testing.T) {
	s := fakeStore(t, 120)
	rows := func(seed uint64, epoch int) (all []int) {
		o := Order{BatchSize: 4, Shuffle: true, Seed: seed, Buckets: []int{40, 96}}
		for _, p := range o.Epoch(s, epoch) {
			all = append(all, p.Rows...)
		}
		return all
	}
	if !slices.Equal(rows(1, 0), rows(1, 0)) {
		t.Error("one seed gave two orders")
	}
	if slices.Equal(rows(1, 0), rows(2, 0)) || slices.Equal(rows(1, 0), rows(1, 1)) {
		t.Error("two seeds, or two epochs, gave one order")
	}
}

func TestWrappedOrder(t *testing.T) {
	s := fakeStore(t, 5)
	o := Order{BatchSize: 3, Wrap: true, Buckets: OneBucket(s.Apart(), 0)}
	if got := o.Wrapped(s, 1).Rows; !slices.Equal(got, []int{3, 4, 0}) {
		t.Errorf("second batch %v, want rows 3, 4, 0", got)
	}
}
