package serve

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"laurel/data"
	"laurel/scoring"
)

// rows of 4 and 8 ids, four and two of them.
func fakePlace(ids int) (scoring.Place, error) {
	switch {
	case ids <= 4:
		return scoring.Place{Length: 4, Takes: 4, Room: 16}, nil
	case ids <= 8:
		return scoring.Place{Length: 8, Takes: 8, Room: 16}, nil
	}
	return scoring.Place{}, errors.New("too long")
}

// firstID scores a sequence by its first id.
func firstID(_ context.Context, sequences [][]int32) ([]data.Score, error) {
	scores := make([]data.Score, len(sequences))
	for i, ids := range sequences {
		scores[i] = data.Score{Reward: float32(ids[0]), Valid: true}
	}
	return scores, nil
}

// seenBatches records batches.
type seenBatches struct {
	mu  sync.Mutex
	all []batchSeen
}

func (s *seenBatches) add(b batchSeen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, b)
}

func sequences(firsts ...int32) [][]int32 {
	var all [][]int32
	for _, first := range firsts {
		all = append(all, []int32{first})
	}
	return all
}

// TestFullBatchDoesNotWait: four rows are computed at once though a text may wait an
// hour; what is left over waits, and goes when the batcher is closed.
func TestFullBatchDoesNotWait(t *testing.T) {
	var seen seenBatches
	b := newBatcher(fakePlace, firstID, time.Hour, 100, seen.add)
	scores, err := b.Score(context.Background(), sequences(1, 2, 3, 4))
	if err != nil || len(scores) != 4 || scores[2].Reward != 3 {
		t.Fatalf("%v %v", scores, err)
	}
	done := make(chan error)
	go func() {
		scores, err := b.Score(context.Background(), [][]int32{{5}, {6, 0, 0, 0, 0}, {7}})
		if err == nil && (scores[0].Reward != 5 || scores[1].Reward != 6 || scores[2].Reward != 7) {
			err = errors.New("scores out of order")
		}
		done <- err
	}()
	for b.waits() != 3 {
		time.Sleep(time.Millisecond)
	}
	b.close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(seen.all) != 3 || seen.all[0] != (batchSeen{scoring.Place{Length: 4, Takes: 4, Room: 16}, 4, 4, 16, seen.all[0].took}) {
		t.Errorf("%+v", seen.all)
	}
	if _, err := b.Score(context.Background(), sequences(1)); !errors.Is(err, errClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestRowOfManyFills: texts that take of a room what each has are computed as soon
// as the next has none.
func TestRowOfManyFills(t *testing.T) {
	place := func(ids int) (scoring.Place, error) { return scoring.Place{Length: 10, Takes: ids, Room: 10}, nil }
	var seen seenBatches
	b := newBatcher(place, firstID, time.Hour, 100, seen.add)
	if _, err := b.Score(context.Background(), [][]int32{{1, 0, 0}, {2, 0, 0}, {3, 0, 0, 0, 0}, {4, 0, 0, 0}}); err != nil {
		t.Fatal(err)
	}
	b.close()
	if len(seen.all) != 2 || seen.all[0].ids != 6 || seen.all[0].texts != 2 || seen.all[1].ids != 9 {
		t.Errorf("%+v", seen.all)
	}
}

// TestWaitIsBounded: a text alone is computed after the wait.
func TestWaitIsBounded(t *testing.T) {
	b := newBatcher(fakePlace, firstID, time.Millisecond, 100, func(batchSeen) {})
	defer b.close()
	for range 3 {
		if scores, err := b.Score(context.Background(), sequences(9)); err != nil || scores[0].Reward != 9 {
			t.Fatalf("%v %v", scores, err)
		}
	}
}

// TestQueueIsBounded: a request is taken whole or not at all, and one that goes away
// leaves its room to others.
func TestQueueIsBounded(t *testing.T) {
	b := newBatcher(fakePlace, firstID, time.Hour, 5, func(batchSeen) {})
	defer b.close()
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		_, err := b.Score(ctx, [][]int32{{1}, {2}, {3}, {4, 0, 0, 0, 0}})
		gone <- err
	}()
	for b.waits() != 4 {
		time.Sleep(time.Millisecond)
	}
	if _, err := b.Score(context.Background(), sequences(5, 6)); !errors.Is(err, errQueueFull) {
		t.Errorf("full queue: %v", err)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || b.waits() != 0 {
		t.Errorf("%v, %d wait", err, b.waits())
	}
	if _, err := b.Score(context.Background(), sequences(1, 2, 3, 4)); err != nil {
		t.Errorf("after a request went away: %v", err)
	}
}

// TestBatchFails: every request with a text in it is told.
func TestBatchFails(t *testing.T) {
	wrong := errors.New("no memory")
	b := newBatcher(fakePlace, func(context.Context, [][]int32) ([]data.Score, error) { return nil, wrong }, 0, 100, func(batchSeen) {})
	defer b.close()
	if _, err := b.Score(context.Background(), sequences(1, 2, 3, 4, 5)); !errors.Is(err, wrong) {
		t.Error(err)
	}
	if _, err := b.Score(context.Background(), [][]int32{make([]int32, 9)}); err == nil {
		t.Error("a text without a shape was taken")
	}
}

// TestOldestGoesFirst: of two lengths that could go, that of the oldest text.
func TestOldestGoesFirst(t *testing.T) {
	b := &batcher{wait: time.Second, waiting: map[int][]*item{}}
	now := time.Now()
	add := func(length, rows int, age time.Duration) {
		b.waiting[length] = append(b.waiting[length], &item{place: scoring.Place{Length: length, Takes: length, Room: rows * length}, came: now.Add(-age), of: &call{}})
		b.count++
	}
	add(4, 2, 3*time.Second)
	add(8, 1, 2*time.Second)
	add(16, 2, time.Millisecond)
	for _, want := range []int{4, 8} {
		if batch, _, _ := b.next(now); len(batch) != 1 || batch[0].place.Length != want {
			t.Errorf("%+v, want length %d", batch, want)
		}
	}
	if batch, idle, over := b.next(now); batch != nil || over || idle > time.Second || idle < 900*time.Millisecond {
		t.Errorf("%v %v %v", batch, idle, over)
	}
}
