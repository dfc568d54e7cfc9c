package triage

import (
	"math"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/eval/surface"
)

// The features of a pair are differences of its two responses, so that the
// responses the other way round have every sign turned: of each word, and each
// two neighbouring words, whether chosen alone (1) or rejected alone (-1) has it,
// hashed into a fixed width (Weinberger et al., ICML 2009, without their signs),
// and what surface counts.
const (
	hashed   = 1 << 18
	surfaces = 5
	width    = hashed + surfaces
)

// features makes the features of pairs, one after another.
type features struct{ at map[int32]float64 }

func newFeatures() *features { return &features{map[int32]float64{}} }

func (f *features) of(p *data.Pair) stats.Sparse {
	clear(f.at)
	f.words(p.Chosen, 1)
	f.words(p.Rejected, -1)
	a, b := surface.Of(p.Chosen), surface.Of(p.Rejected)
	for i, difference := range [surfaces]float64{
		math.Log1p(a[surface.Length]) - math.Log1p(b[surface.Length]),
		10 * (a[surface.LongWords] - b[surface.LongWords]),
		math.Log1p(a[surface.Marks]) - math.Log1p(b[surface.Marks]),
		math.Log1p(surface.Hedges(p.Chosen)) - math.Log1p(surface.Hedges(p.Rejected)),
		surface.Overlap(p.Prompt, p.Chosen) - surface.Overlap(p.Prompt, p.Rejected),
	} {
		f.at[int32(hashed+i)] = difference
	}
	return stats.SparseOf(f.at)
}

// words adds what a response has, each but once.
func (f *features) words(response data.Text, sign float64) {
	seen := map[int32]bool{}
	add := func(hash uint64) {
		at := int32(hash >> 46) // the upper 18 bits
		if !seen[at] {
			seen[at] = true
			f.at[at] += sign
		}
	}
	before := uint64(0)
	for word := range surface.Words(response) {
		now := hashWord(word)
		add(spread(now))
		if before != 0 {
			add(spread(before*wordPrime + now))
		}
		before = now
	}
}
