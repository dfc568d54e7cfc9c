package feedback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"laurel/feedback/chat"
)

// asker finds replies in the store or asks for them, so many at a time.
type asker struct {
	store *Store
	slots *slots
	group singleflight.Group    // equal questions are asked once
	kept  atomic.Int64          // replies put into the store
	stop  atomic.Pointer[error] // after which nothing more is asked
	// without is what becomes of the run without those sources, in words that go
	// on from what was wrong with them; nil: it is of no use without any.
	without func(names []string) (why string, useless bool)

	mu      sync.Mutex
	sources map[string]*source
}

func newAsker(store *Store, inFlight int, without func([]string) (string, bool)) *asker {
	return &asker{store: store, slots: newSlots(inFlight), without: without, sources: map[string]*source{}}
}

// stopped is that nothing more is asked, of one source or of all.
type stopped struct{ cause error }

func (e *stopped) Error() string { return e.cause.Error() }
func (e *stopped) Unwrap() error { return e.cause }

// request asks one question: it gives a reply and what that took. again says that
// the reply is of use to this run alone, an error that there is none.
type request[T any] func(context.Context) (value T, again bool, spent chat.Spent, err error)

// noReply is that a question got no reply, and others may.
type noReply struct{ cause error }

func (e *noReply) Error() string { return e.cause.Error() }
func (e *noReply) Unwrap() error { return e.cause }

// askInTurn gives the kept reply, or waits for its turn and asks.
func askInTurn[T any](ctx context.Context, a *asker, from *source, order int, key string, question request[T]) (value T, err error) {
	if found, err := a.store.Get(key, &value); err != nil || found {
		return value, err
	}
	if err := a.slots.take(ctx, order); err != nil {
		return value, err
	}
	defer a.slots.give()
	value, _, err = ask(ctx, a, from, key, question)
	return value, err
}

// ask gives the kept reply, or asks. A question that is being asked when the run
// stops is answered all the same, as it will be paid for (chat.Client waits for
// it). asked says that it was asked here, and was not in the store nor asked
// beside by an equal question.
func ask[T any](ctx context.Context, a *asker, from *source, key string, question request[T]) (value T, asked bool, err error) {
	if found, err := a.store.Get(key, &value); err != nil || found {
		return value, false, err
	}
	if over := cmp.Or(a.stop.Load(), from.stop.Load()); over != nil {
		return value, false, &stopped{*over}
	}
	if err := ctx.Err(); err != nil {
		return value, false, err
	}
	shared, err, _ := a.group.Do(key, func() (any, error) {
		var value T
		if found, err := a.store.Get(key, &value); err != nil || found {
			return value, err
		}
		asked = true
		return askAndKeep(ctx, a, from, key, question)
	})
	value, _ = shared.(T)
	return value, asked, err
}

// askAndKeep puts the reply into the store, and reads it from there, so that
// it is what a resumed run reads.
func askAndKeep[T any](ctx context.Context, a *asker, from *source, key string, question request[T]) (value T, err error) {
	value, again, spent, err := question(ctx)
	if err != nil {
		return value, a.failed(ctx, from, spent, err)
	}
	from.failures.Store(0)
	put := a.store.Put
	if again {
		put = a.store.PutUntilFinished
	}
	if err := put(key, value, spent); err != nil {
		return value, err
	}
	a.kept.Add(1)
	var kept T
	_, err = a.store.Get(key, &kept)
	return kept, err
}

// mostFailures is how many questions in a row may fail before their source is
// asked no more.
const mostFailures = 50

// failed is what becomes of a question without a reply: its source is asked no
// more if no other will have one, else it goes on with a noReply. What was spent
// is spent.
func (a *asker) failed(ctx context.Context, from *source, spent chat.Spent, cause error) error {
	if err := a.store.Spend(spent); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	n := from.failures.Add(1)
	switch {
	case errors.Is(cause, chat.ErrBudget): // of all sources together
		a.stop.CompareAndSwap(nil, &cause)
		return &stopped{cause}
	case errors.Is(cause, chat.ErrSetup):
	case n >= int64(max(mostFailures, 2*a.slots.size)):
		cause = fmt.Errorf("the last %d questions to %s all got no reply; the last: %w", n, from.name, cause)
	default:
		return &noReply{cause}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leave(from, cause)
	return &stopped{cause}
}
