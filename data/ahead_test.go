package data

import (
	"errors"
	"iter"
	"testing"
)

// numbered yields n pairs, and an error after them where there is one; ended
// is set when the loop is over.
func numbered(n int, fail error, ended *bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		defer func() { *ended = true }()
		for i := range n {
			if !yield(Pair{Row: i}, nil) {
				return
			}
		}
		if fail != nil {
			yield(Pair{}, fail)
		}
	}
}

// Pairs read ahead come in order, with the error where it stood, and nothing
// is read any more once the loop is left.
func TestAhead(t *testing.T) {
	for _, n := range []int{0, 1, BlockPairs - 1, BlockPairs, BlockPairs + 1, 10 * BlockPairs} {
		for _, fail := range []error{nil, errors.New("broken")} {
			for _, stop := range []int{-1, 0, 3, BlockPairs} {
				ended, at := false, 0
				var last error
				for pair, err := range ahead(numbered(n, fail, &ended)) {
					if last = err; err != nil || at == stop {
						break
					}
					if pair.Row != at {
						t.Fatalf("pair %d in the place of %d", pair.Row, at)
					}
					at++
				}
				stopped := stop >= 0 && stop < n
				if want := map[bool]int{true: stop, false: n}[stopped]; at != want || !stopped && last != fail || !ended {
					t.Errorf("%d pairs, %v, stop %d: %d read, %v, ended %v", n, fail, stop, at, last, ended)
				}
			}
		}
	}
}
