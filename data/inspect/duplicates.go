package inspect

import (
	"cmp"
	"hash/maphash"
	"slices"

	"laurel/data"
)

// rowHashes hashes texts; the chance that two of a million texts collide is
// under 1e-7.
type rowHashes struct{ hash maphash.Hash }

// pairHash is a pair and the same pair with its responses swapped.
type pairHash struct{ pair, swapped uint64 }

func (h *rowHashes) of(p data.Pair) (pair pairHash, prompt uint64) {
	pair.pair = h.texts(p.Prompt, p.Chosen, p.Rejected)
	pair.swapped = h.texts(p.Prompt, p.Rejected, p.Chosen)
	return pair, h.normalised(p.Prompt)
}

func (h *rowHashes) texts(texts ...data.Text) uint64 {
	h.hash.Reset()
	for _, t := range texts {
		h.hash.WriteString(t.Plain)
		for _, m := range t.Messages {
			h.hash.WriteString(m.Role)
			h.hash.WriteByte(0)
			h.hash.WriteString(m.Content)
			h.hash.WriteByte(1)
		}
		h.hash.WriteByte(0xff)
	}
	return h.hash.Sum64()
}

// normalised hashes a text but for white space and case.
func (h *rowHashes) normalised(t data.Text) uint64 {
	h.hash.Reset()
	for word := range t.Folded() {
		h.hash.WriteString(word)
		h.hash.WriteByte(' ')
	}
	return h.hash.Sum64()
}

// rowSet holds the hashes of a file's rows, 24 bytes each.
type rowSet struct {
	pairs   []pairHash
	prompts []uint64
}

func (s *rowSet) add(pair pairHash, prompt uint64) {
	s.pairs = append(s.pairs, pair)
	s.prompts = append(s.prompts, prompt)
}

func (s *rowSet) finish() {
	slices.SortFunc(s.pairs, func(a, b pairHash) int { return cmp.Compare(a.pair, b.pair) })
	slices.Sort(s.prompts)
}

func (s *rowSet) distinctPrompts() (distinct, repeated int) {
	for i, p := range s.prompts {
		if i == 0 || p != s.prompts[i-1] {
			distinct++
		}
	}
	return distinct, len(s.prompts) - distinct
}

// duplicates counts the rows equal to an earlier one.
func (s *rowSet) duplicates() int {
	n := 0
	for i := 1; i < len(s.pairs); i++ {
		if s.pairs[i].pair == s.pairs[i-1].pair {
			n++
		}
	}
	return n
}

// contradictions counts the distinct pairs that occur both ways round.
func (s *rowSet) contradictions() int {
	n := 0
	for i, p := range s.pairs {
		if i > 0 && p.pair == s.pairs[i-1].pair || p.pair > p.swapped {
			continue
		}
		_, found := slices.BinarySearchFunc(s.pairs, p.swapped, func(e pairHash, target uint64) int { return cmp.Compare(e.pair, target) })
		if found {
			n++
		}
	}
	return n
}

// leakage counts what two sorted lists of prompts share.
func leakage(a, b []uint64) (l Leakage) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			l.Prompts++
			for h := a[i]; i < len(a) && a[i] == h; i++ {
				l.RowsA++
			}
			for h := a[i-1]; j < len(b) && b[j] == h; j++ {
				l.RowsB++
			}
		}
	}
	return l
}
