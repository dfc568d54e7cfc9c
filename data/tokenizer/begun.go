package tokenizer

import "slices"

// begun is the text encoded last, its ids, and the cuts between its words: the
// two sequences of a pair begin with one prompt, whose words are encoded once.
type begun struct {
	text string
	ids  []int32
	cuts []cut
}

// cut is where a word begins in a text, and in its ids.
type cut struct{ at, ids int }

// backTo goes back to the last cut up to which the next text is the same, and
// forgets the rest; the caller notes what follows.
func (b *begun) backTo(next string) (at int, ids []int32) {
	same := samePrefix(b.text, next)
	b.text = ""
	// A cut depends on the character behind it.
	n, _ := slices.BinarySearchFunc(b.cuts, same-1, func(c cut, end int) int { return c.at - end })
	if n == 0 {
		b.cuts = b.cuts[:0]
		return 0, b.ids[:0]
	}
	back := b.cuts[n-1]
	b.cuts = b.cuts[:n-1]
	return back.at, b.ids[:back.ids]
}

// samePrefix is how many bytes two texts begin with alike.
func samePrefix(a, b string) int {
	const step = 64
	n, shorter := 0, min(len(a), len(b))
	for n+step <= shorter && a[n:n+step] == b[n:n+step] {
		n += step
	}
	for n < shorter && a[n] == b[n] {
		n++
	}
	return n
}
