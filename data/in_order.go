package data

import (
	"context"
	"iter"
	"sync"
)

// What is passed to another goroutine at once, whichever is reached first: pairs
// are mostly too small to be passed one by one.
const (
	blockPairs = 256
	blockBytes = 1 << 20
)

// block is pairs read one after another, and what is made of them.
type block[T any] struct {
	pairs []Pair
	err   error    // that ended the reading, after the pairs
	made  chan []T // filled once
}

// InOrder reads pairs in a goroutine of its own, makes something of each in so many
// others, and yields that in the order of reading; the error that ends the reading
// comes last, as does that of ctx. Each of the others calls worker once for the
// function it works with. All goroutines have ended when the loop over it has.
func InOrder[T any](ctx context.Context, pairs iter.Seq2[Pair, error], workers int, worker func() func(Pair) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		reading, enough := context.WithCancel(ctx)
		jobs, order := make(chan block[T]), make(chan block[T], 2*workers)
		var group sync.WaitGroup
		defer group.Wait()
		defer enough()
		group.Go(func() {
			defer close(jobs)
			defer close(order)
			readBlocks(reading, pairs, order, jobs)
		})
		for range workers {
			group.Go(func() {
				of := worker()
				for b := range jobs {
					made := make([]T, len(b.pairs))
					for i, pair := range b.pairs {
						made[i] = of(pair)
					}
					b.made <- made
				}
			})
		}
		var none T
		for b := range order {
			select {
			case made := <-b.made:
				for _, m := range made {
					if !yield(m, nil) {
						return
					}
				}
			case <-ctx.Done():
			}
			if err := ctx.Err(); err != nil {
				b.err = err
			}
			if b.err != nil {
				yield(none, b.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(none, err)
		}
	}
}

// readBlocks gives each block to the queues in turn, until ctx ends.
func readBlocks[T any](ctx context.Context, pairs iter.Seq2[Pair, error], queues ...chan<- block[T]) {
	var now []Pair
	size := 0
	pass := func(err error) (more bool) {
		b := block[T]{now, err, make(chan []T, 1)}
		now, size = make([]Pair, 0, blockPairs), 0
		for _, queue := range queues {
			select {
			case queue <- b:
			case <-ctx.Done():
				return false
			}
		}
		return err == nil
	}
	for pair, err := range pairs {
		if err == nil {
			now, size = append(now, pair), size+pair.Bytes()
		}
		if (err != nil || len(now) == blockPairs || size >= blockBytes) && !pass(err) {
			return
		}
	}
	pass(nil)
}
