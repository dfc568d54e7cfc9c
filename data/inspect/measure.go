package inspect

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"laurel/data"
)

// measured is what is kept of a pair until it is counted.
type measured struct {
	place             string // where err is set
	err               error
	pair              pairHash
	prompt            uint64
	subset            string
	confidence        float64
	margin            float64
	chars, tokens     Lengths
	cutRight, cutLeft bool
}

// job is a block of pairs, and where its measures are awaited.
type job struct {
	pairs []data.Pair
	done  chan []measured
}

// measured yields the pairs of a file in order, measured on every CPU; or the
// error that ends the reading.
func (f *inspector) measured(outer context.Context, r *data.PairReader) iter.Seq2[measured, error] {
	return func(yield func(measured, error) bool) {
		ctx, cancel := context.WithCancel(outer)
		defer cancel()
		group, reading := errgroup.WithContext(ctx)
		workers := runtime.GOMAXPROCS(0)
		jobs, order := make(chan job), make(chan job, 2*workers)
		group.Go(func() error {
			defer close(jobs)
			defer close(order)
			return readBlocks(reading, r, jobs, order)
		})
		for range workers {
			group.Go(func() error { return f.work(jobs) })
		}
		wanted := yieldAll(ctx, order, yield)
		if !wanted {
			cancel()
		}
		if err := cmp.Or(group.Wait(), outer.Err()); err != nil && wanted {
			yield(measured{}, err)
		}
	}
}

// yieldAll yields what is measured, in the order of reading, until it is no
// longer wanted, or ctx ends.
func yieldAll(ctx context.Context, order <-chan job, yield func(measured, error) bool) (wanted bool) {
	for j := range order {
		select {
		case rows := <-j.done:
			for _, m := range rows {
				if !yield(m, nil) {
					return false
				}
			}
		case <-ctx.Done():
			return true
		}
	}
	return true
}

// readBlocks queues each block before it is measured, which keeps the order.
func readBlocks(ctx context.Context, r *data.PairReader, jobs, order chan<- job) error {
	for {
		pairs, end := readBlock(r)
		if len(pairs) > 0 {
			j := job{pairs, make(chan []measured, 1)}
			for _, queue := range []chan<- job{order, jobs} {
				select {
				case queue <- j:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		switch {
		case end == io.EOF, errors.Is(end, data.ErrAllSkipped): // which the counts tell
			return nil
		case end != nil:
			return end
		}
	}
}

func readBlock(r *data.PairReader) (pairs []data.Pair, err error) {
	pairs = make([]data.Pair, 0, data.BlockPairs)
	for size := 0; len(pairs) < data.BlockPairs && size < data.BlockBytes; {
		pair, err := r.Next()
		if err != nil {
			return pairs, err
		}
		pairs = append(pairs, pair)
		size += pair.Bytes()
	}
	return pairs, nil
}

func (f *inspector) work(jobs <-chan job) error {
	hashes := rowHashes{}
	hashes.hash.SetSeed(f.seed)
	for j := range jobs {
		rows := make([]measured, len(j.pairs))
		for i, pair := range j.pairs {
			rows[i] = f.measure(pair, &hashes)
		}
		j.done <- rows
	}
	return nil
}

func (f *inspector) measure(p data.Pair, hashes *rowHashes) (m measured) {
	m.pair, m.prompt = hashes.of(p)
	m.subset, m.confidence, m.margin = p.Subset, p.Confidence, p.Margin
	m.chars = Lengths{p.Prompt.Chars(), p.Chosen.Chars(), p.Rejected.Chars()}
	if f.how.Lengths == nil {
		return m
	}
	if m.tokens, m.err = f.how.Lengths(p); m.err == nil && f.how.Alike != nil && f.mayBeAlike(m.tokens) {
		m.cutRight, m.cutLeft, m.err = f.how.Alike(p)
	}
	if m.err != nil {
		m.place = p.Place()
	}
	return m
}

// mayBeAlike spares most pairs the comparison: sequences that differ in length
// once cut differ.
func (f *inspector) mayBeAlike(n Lengths) bool {
	if f.how.MaxLength == 0 {
		return n.Chosen == n.Rejected
	}
	return min(n.Chosen, f.how.MaxLength) == min(n.Rejected, f.how.MaxLength)
}
