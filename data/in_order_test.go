package data

import (
	"context"
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

// What is made of pairs comes in their order, with the error where it stood, and
// nothing is read any more once the loop is left.
func TestInOrder(t *testing.T) {
	row := func() func(Pair) int { return func(p Pair) int { return p.Row } }
	for _, n := range []int{0, 1, blockPairs - 1, blockPairs, blockPairs + 1, 10 * blockPairs} {
		for _, fail := range []error{nil, errors.New("broken")} {
			for _, stop := range []int{-1, 0, 3, blockPairs} {
				ended, at := false, 0
				var last error
				for got, err := range InOrder(t.Context(), numbered(n, fail, &ended), 3, row) {
					if last = err; err != nil || at == stop {
						break
					}
					if got != at {
						t.Fatalf("pair %d in the place of %d", got, at)
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

// An end of the context ends the loop with its error, wherever it is.
func TestInOrderCanceled(t *testing.T) {
	for _, at := range []int{0, 1, 3 * blockPairs} {
		ctx, cancel := context.WithCancel(t.Context())
		ended, seen := false, 0
		var last error
		if at == 0 {
			cancel()
		}
		for _, err := range InOrder(ctx, numbered(100*blockPairs, nil, &ended), 2, func() func(Pair) bool { return func(Pair) bool { return true } }) {
			if seen++; seen == at {
				cancel()
			}
			last = err
		}
		if cancel(); !errors.Is(last, context.Canceled) || !ended {
			t.Errorf("canceled at pair %d: %v, ended %v", at, last, ended)
		}
	}
}
