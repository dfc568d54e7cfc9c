package feedback

import (
	"context"
	"iter"

	"laurel/feedback/chat"
)

// admission lets items into work one by one, in their order.
type admission[In any] func(context.Context, In) (In, error)

// inOrder applies work to the items, up to window of them at a time, and
// yields the results in the items' order, so that slow items hold back at most
// window results. admit, where given, is asked before. It stops at the first error, of items or of work, after all
// work under way has returned.
func inOrder[In, Out any](ctx context.Context, items iter.Seq2[In, error], window int, admit admission[In], work func(context.Context, In) (Out, error)) iter.Seq2[Out, error] {
	type result struct {
		out Out
		err error
	}
	return func(yield func(Out, error) bool) {
		whole := ctx
		ctx, cancel := context.WithCancelCause(whole)
		pending := make(chan chan result, max(window-1, 0)) // and one in yield's hands
		go func() {
			defer close(pending)
			for item, err := range items {
				if err == nil && admit != nil {
					item, err = admit(ctx, item)
				}
				one := make(chan result, 1)
				select {
				case pending <- one:
				case <-ctx.Done():
					return
				}
				if err != nil {
					one <- result{err: err}
					return
				}
				go func() {
					out, err := work(ctx, item)
					one <- result{out, err}
				}()
			}
		}()
		defer func() {
			cancel(chat.ErrDrain)
			for one := range pending {
				<-one
			}
		}()
		for one := range pending {
			r := <-one
			if !yield(r.out, r.err) || r.err != nil {
				return
			}
		}
		if err := whole.Err(); err != nil { // perhaps before the last item
			var none Out
			yield(none, err)
		}
	}
}
