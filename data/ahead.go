package data

import "iter"

// What is passed to another goroutine at once, whichever is reached first: pairs
// are mostly too small to be passed one by one.
const (
	BlockPairs = 256
	BlockBytes = 1 << 20
)

// ahead reads pairs in a goroutine of its own, some blocks before they are
// wanted, so that they are read while those before are written. The goroutine
// has ended when the loop over them has.
func ahead(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	type block struct {
		pairs []Pair
		err   error // after the pairs
	}
	return func(yield func(Pair, error) bool) {
		blocks, enough := make(chan block, 4), make(chan struct{})
		go func() {
			defer close(blocks)
			now, size := block{}, 0
			pass := func() bool {
				select {
				case blocks <- now:
					now, size = block{}, 0
					return true
				case <-enough:
					return false
				}
			}
			for pair, err := range pairs {
				if now.err = err; err == nil {
					now.pairs, size = append(now.pairs, pair), size+pair.Bytes()
				}
				if (err != nil || len(now.pairs) == BlockPairs || size >= BlockBytes) && !pass() {
					return
				}
			}
			pass()
		}()
		defer func() {
			close(enough)
			for range blocks {
			}
		}()
		for b := range blocks {
			for _, pair := range b.pairs {
				if !yield(pair, nil) {
					return
				}
			}
			if b.err != nil && !yield(Pair{}, b.err) {
				return
			}
		}
	}
}
