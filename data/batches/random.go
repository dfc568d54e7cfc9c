package batches

import "math/rand/v2"

// Random has pairs of random ids below vocab, every row of t ids: a batch
// without padding, to measure a machine on and to compare backends with.
func Random(pairs, t, vocab int, seed uint64) *Batch {
	random := rand.New(rand.NewPCG(seed, 0))
	b := newBatch(Plan{Size: pairs, T: t}, 0)
	b.Pairs, b.Tokens = pairs, 2*pairs*t
	for i := range b.IDs {
		b.IDs[i] = int32(random.IntN(vocab))
	}
	for i := range b.S {
		b.Place(i, i, 0, b.IDs[i*t:(i+1)*t], 0)
	}
	for i := range pairs {
		b.Confidence[i], b.Present[i] = 1, 1
	}
	return b
}
