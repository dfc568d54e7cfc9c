package inspect

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"

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

// measured yields the pairs of a file in order, measured on every CPU; or the
// error that ends the reading.
func (f *inspector) measured(ctx context.Context, r *data.PairReader) iter.Seq2[measured, error] {
	return data.InOrder(ctx, toTheEnd(r), runtime.GOMAXPROCS(0), func() func(data.Pair) measured {
		hashes := rowHashes{}
		hashes.hash.SetSeed(f.seed)
		return func(p data.Pair) measured { return f.measure(p, &hashes) }
	})
}

// toTheEnd yields the pairs of a file. One without any is no error: the counts
// tell.
func toTheEnd(r *data.PairReader) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		for {
			pair, err := r.Next()
			if err == io.EOF || errors.Is(err, data.ErrAllSkipped) || !yield(pair, err) || err != nil {
				return
			}
		}
	}
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
