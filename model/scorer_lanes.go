package model

import (
	"context"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"golang.org/x/sync/errgroup"
)

// lanesWorth is how many batches a lane must have for lanes to be worth it: the last ones leave
// lanes empty.
const lanesWorth = 4

// lanesOf is how many programs "in lanes" a backend computes at a time
// (cmd/setup/goxla/lanes.go.txt): a CPU with a batch and a share of the threads in each is
// faster than with one batch and all threads, since no thread waits for others within a
// product. 1: there are no lanes.
func lanesOf(backend compute.Backend) int {
	if b, ok := backend.(interface{ NumLanes() int }); ok {
		return b.NumLanes()
	}
	return 1
}

// scoreInLanes computes several batches at a time, the longest rows first, so that none of
// them is left for the end; read hears of one at a time.
func (s *Scorer) scoreInLanes(ctx context.Context, sequences [][]int32, todo []batch, read func(*scoring) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.lanes)
	var reading sync.Mutex
	for _, b := range slices.Backward(todo) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			scored, err := s.begin(s.laned, sequences, b)
			if err != nil {
				return err
			}
			reading.Lock()
			defer reading.Unlock()
			return read(scored)
		})
	}
	return group.Wait()
}
