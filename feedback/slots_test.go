package feedback

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestSlots: whoever has the lowest order is next, whenever it came.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		if err := s.take(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, order := range []int{5, 1, 3} {
			go func() {
				if err := s.take(t.Context(), order); err != nil {
					t.Error(err)
				}
				got = append(got, order)
				s.give()
			}()
			synctest.Wait()
		}
		s.give()
		synctest.Wait()
		if !slices.Equal(got, []int{1, 3, 5}) {
			t.Errorf("%v", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.take(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
