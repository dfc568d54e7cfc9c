package feedback

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// TestTurns: whatever the goroutines do meanwhile, what they take is taken in the
// order of their turns; those that take nothing hold nobody up.
func TestTurns(t *testing.T) {
	const n = 500
	var order turns
	var mu sync.Mutex
	var took []int
	var all sync.WaitGroup
	for i := range n {
		mine := order.next()
		all.Go(func() {
			defer mine.end()
			for range rand.IntN(20) {
				runtime.Gosched()
			}
			if i%7 == 3 { // found in the store
				return
			}
			mine.wait(t.Context())
			mu.Lock()
			took = append(took, i)
			mu.Unlock()
			mine.end()
			runtime.Gosched()
		})
	}
	all.Wait()
	if len(took) != n-(n-3+6)/7 || !slices.IsSorted(took) {
		t.Errorf("%d taken, in the order %v", len(took), took)
	}
}
