package feedback

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

func numbers(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func TestInOrder(t *testing.T) {
	const window = 8
	var running, most atomic.Int64
	work := func(_ context.Context, i int) (int, error) {
		now := running.Add(1)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
		running.Add(-1)
		return i * i, nil
	}
	next := 0
	for out, err := range inOrder(t.Context(), numbers(500), window, nil, work) {
		if err != nil || out != next*next {
			t.Fatalf("item %d: %d, %v", next, out, err)
		}
		next++
	}
	if m := most.Load(); next != 500 || m > window+1 || m < 2 {
		t.Errorf("%d results, at most %d at a time with a window of %d", next, m, window)
	}
}

func TestInOrderStops(t *testing.T) {
	wrong := errors.New("wrong")
	var running atomic.Int64
	work := func(ctx context.Context, i int) (int, error) {
		defer running.Add(-1)
		if running.Add(1); i == 20 {
			return 0, wrong
		}
		if i > 20 {
			<-ctx.Done()
		}
		return i, ctx.Err()
	}
	seen := 0
	for _, err := range inOrder(t.Context(), numbers(1000), 4, nil, work) {
		if err != nil && !errors.Is(err, wrong) {
			t.Errorf("error %v", err)
		}
		seen++
	}
	if seen != 21 || running.Load() != 0 {
		t.Errorf("%d results, %d still at work", seen, running.Load())
	}
}

func TestInOrderCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for i, err := range inOrder(ctx, numbers(1000), 4, nil, func(_ context.Context, i int) (int, error) { return i, nil }) {
		if last = err; i == 5 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ends with %v", last)
	}
}
