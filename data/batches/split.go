package batches

// Split deals the pairs of a batch out to n devices: n batches of equal shape,
// the first pairs to the first. Where n does not divide the pairs, the last are
// filled up with pairs that have no weight. The batch must hold one sequence a
// row.
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
	p := newBatch(2*size, b.T, size, padID)
	p.Pairs = max(0, min(b.Pairs, last)-first)
	for j := range size {
		from := first + j
		if from >= last {
			p.fillUp(j)
			continue
		}
		for side, row := range []int{from, b.B + from} {
			to := side*size + j
			copy(p.IDs[to*b.T:(to+1)*b.T], b.IDs[row*b.T:(row+1)*b.T])
			p.place(to, to, 0, int(b.End[row]-b.Start[row]))
		}
		p.Confidence[j], p.Margin[j], p.Present[j] = b.Confidence[from], b.Margin[from], b.Present[from]
	}
	return p
}
