package batches

// Split deals the pairs of a batch out to n devices: n batches of equal shape,
// the first pairs to the first. Where n does not divide the pairs, the last are
// filled up with pairs that have no weight.
func (b *Batch) Split(n int, padID int32) []*Batch {
	if n == 1 {
		return []*Batch{b}
	}
	size := (b.B + n - 1) / n
	parts := make([]*Batch, n)
	for i := range parts {
		parts[i] = b.part(min(b.B, i*size), min(b.B, (i+1)*size), size, padID)
	}
	return parts
}

// part holds the pairs from first up to but not including last, filled up to
// size.
func (b *Batch) part(first, last, size int, padID int32) *Batch {
	p := newBatch(Plan{Size: size, T: b.T, Shared: b.Shared(), Flat: b.Flat}, padID)
	p.Pairs = max(0, min(b.Pairs, last)-first)
	var pairs []pairIDs
	for from := first; from < last; from++ {
		pairs = append(pairs, b.pair(from))
		j := from - first
		p.Confidence[j], p.Margin[j], p.Present[j] = b.Confidence[from], b.Margin[from], b.Present[from]
	}
	p.fill(pairs)
	return p
}
