package chat

import (
	"context"
	"fmt"
	"sync"
)

// Budget is what a run may spend, over all its judges and whatever goes on at
// once. A request reserves the most that it can cost before it is sent, so
// that the limits hold at every instant.
type Budget struct {
	maxCost     float64 // dollars; 0: no limit
	maxRequests int     // 0: no limit

	mu       sync.Mutex
	cost     float64 // of what is settled
	reserved float64 // bounds of what is in flight
	inFlight int
	requests int           // sent or about to be
	settled  chan struct{} // closed at the next settlement
}

// NewBudget limits dollars and requests, retries included; 0 sets no limit.
// What an earlier part of the run has spent counts.
func NewBudget(maxCost float64, maxRequests int, spentCost float64, spentRequests int) *Budget {
	return &Budget{maxCost: maxCost, maxRequests: maxRequests, cost: spentCost, requests: spentRequests, settled: make(chan struct{})}
}

// Spent is what has been spent, earlier parts of the run included; requests in
// flight count as requests, and as cost once they are answered.
func (b *Budget) Spent() (cost float64, requests int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cost, b.requests
}

// reserve takes one request of at most bound dollars from the budget. Where
// only what is in flight stands in its way, it waits for that to settle: it
// mostly costs less than its bound. The error wraps ErrBudget where the budget
// is spent.
func (b *Budget) reserve(ctx context.Context, bound float64) error {
	for {
		settled, err := b.tryReserve(bound)
		if settled == nil {
			return err
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// whenReserved is a context's key.
type whenReserved struct{}

// WhenReserved has tell called each time that a request of this context was taken
// from the budget, and before it is sent.
func WhenReserved(ctx context.Context, tell func()) context.Context {
	return context.WithValue(ctx, whenReserved{}, tell)
}

// tryReserve gives a channel to wait for where it is too early to tell.
func (b *Budget) tryReserve(bound float64) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.maxRequests > 0 && b.requests >= b.maxRequests {
		return nil, fmt.Errorf("%w: %d of at most %d requests sent", ErrBudget, b.requests, b.maxRequests)
	}
	if b.maxCost > 0 && b.cost+b.reserved+bound > b.maxCost {
		if b.inFlight > 0 && b.cost+bound <= b.maxCost {
			return b.settled, nil
		}
		return nil, fmt.Errorf("%w: $%.4f of at most $%.4f spent, and the next request may cost $%.4f", ErrBudget, b.cost, b.maxCost, bound)
	}
	b.reserved += bound
	b.inFlight++
	b.requests++
	return nil, nil
}

// settle replaces a reservation by what the request cost.
func (b *Budget) settle(bound, cost float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cost += cost
	b.reserved -= bound
	if b.inFlight--; b.inFlight == 0 {
		b.reserved = 0 // and no rounding left over
	}
	close(b.settled)
	b.settled = make(chan struct{})
}
