package feedback

import (
	"context"
	"sync"
)

// turns have questions to servers taken from the budget in the order in which
// they were admitted, though each goes its own way from there: where the budget
// ends, what came first is answered whole. next is called by one goroutine.
type turns struct{ last *turn }

// turn is a question's place in that order. A nil turn waits for nothing.
type turn struct {
	before <-chan struct{} // closed when all turns before it are over
	over   chan struct{}
	once   sync.Once
}

func (t *turns) next() *turn {
	n := &turn{over: make(chan struct{})}
	if t.last != nil {
		n.before = t.last.over
	} else {
		n.before = closedChannel
	}
	t.last = n
	return n
}

var closedChannel = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// wait returns when it is its turn, or the run is over.
func (t *turn) wait(ctx context.Context) {
	if t == nil {
		return
	}
	select {
	case <-t.before:
	case <-ctx.Done():
	}
}

// end lets the next one go on, if need be before its own turn has come.
func (t *turn) end() {
	if t == nil {
		return
	}
	t.once.Do(func() {
		select {
		case <-t.before:
			close(t.over)
		default:
			go func() { <-t.before; close(t.over) }()
		}
	})
}
