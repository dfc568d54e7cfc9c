package batches

import (
	"slices"
	"testing"
)

// TestBucketsAreBest compares the dynamic programme with trying every choice
// of two lengths.
func TestBucketsAreBest(t *testing.T) {
	s := fakeStore(t, 300)
	cost := func(lengths []int) (ids int) {
		for row := range s.Len() {
			at, _ := slices.BinarySearch(lengths, s.Longer(row))
			ids += 2 * lengths[at]
		}
		return ids
	}
	free := Buckets(s.Apart(), 1, 0, 0)
	if len(free) != maxBuckets {
		t.Errorf("%d buckets where they cost nothing, want %d", len(free), maxBuckets)
	}
	one := Buckets(s.Apart(), 1, 1<<40, 0)
	if !slices.Equal(one, OneBucket(s.Apart(), 0)) {
		t.Errorf("buckets %v where they cost everything", one)
	}
	best := 1 << 60
	for a := bucketStep; a < one[0]; a += bucketStep {
		best = min(best, cost([]int{a, one[0]}))
	}
	// The price at which two buckets are chosen lies between the gain of the
	// second and that of the third.
	for price := 100; price < 40_000; price += 100 {
		if got := Buckets(s.Apart(), 1, price, 0); len(got) == 2 {
			if cost(got) != best {
				t.Errorf("two buckets %v cost %d ids, the best two %d", got, cost(got), best)
			}
			return
		}
	}
	t.Error("no price gave two buckets")
}

func TestBucketsKeepTheLimit(t *testing.T) {
	s := fakeStore(t, 300) // the longest has 90 ids
	if got := Buckets(s.Apart(), 1, 0, 90); got[len(got)-1] != 90 {
		t.Errorf("buckets %v, want the last at the model's 90 positions", got)
	}
	if got := OneBucket(s.Apart(), 90); got[0] != 90 {
		t.Errorf("bucket %v, want 90", got)
	}
}
