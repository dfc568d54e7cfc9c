package feedback

import (
	"container/heap"
	"context"
	"sync"
)

// slots are places for so many at a time. Of those who wait the one with the
// lowest order is next: where a budget ends, what came first is answered whole.
type slots struct {
	size int

	mu      sync.Mutex
	free    int
	waiting waiters
}

func newSlots(n int) *slots { return &slots{size: n, free: n} }

// take waits for a place, which is to be given back.
func (s *slots) take(ctx context.Context, order int) error {
	s.mu.Lock()
	if s.free > 0 && len(s.waiting) == 0 {
		s.free--
		s.mu.Unlock()
		return ctx.Err()
	}
	w := &waiter{order: order, turn: make(chan struct{})}
	heap.Push(&s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done(): // the run is over, and with it these slots
		return ctx.Err()
	}
}

func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	close(heap.Pop(&s.waiting).(*waiter).turn)
}

// waiter is somebody who waits for a place.
type waiter struct {
	order int
	turn  chan struct{} // closed when it comes
}

// waiters is a heap with the lowest order on top.
type waiters []*waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].order < w[j].order }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push is heap's.
func (w *waiters) Push(x any) { *w = append(*w, x.(*waiter)) }

// Pop is heap's.
func (w *waiters) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	*w = (*w)[:last]
	return x
}
