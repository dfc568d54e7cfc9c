package triage

import (
	"math/rand/v2"
	"slices"

	"laurel/data"
	"laurel/eval/surface"
)

// What a signature is made of: bands of so many minima each. Two sets of
// similarity s have a band in common with probability 1-(1-s^5)^20: 0.9996 at
// 0.8, 0.47 at 0.5, 0.0064 at 0.2.
const (
	bands  = 20
	inBand = 5
	minima = bands * inBand
)

// shingleWords is how many neighbouring words make a shingle.
const shingleWords = 3

// wordPrime and wordStart are FNV-1a's of 64 bits.
const (
	wordPrime = 0x100000001b3
	wordStart = 0xcbf29ce484222325
)

// hashWord is FNV-1a (Fowler, Noll and Vo).
func hashWord(word string) uint64 {
	h := uint64(wordStart)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * wordPrime
	}
	return h
}

// spread brings what the low bits tell into the high ones (Knuth's multiplication,
// and a shift before it for the other way).
func spread(x uint64) uint64 { return (x ^ x>>32) * 0x9e3779b97f4a7c15 }

// shingles is the set of a text's hashed runs of three words, in ascending
// order; of a text with fewer words it is all of them, of one without a word the
// text but for case and white space.
func shingles(t data.Text) []uint64 {
	var set, last []uint64
	for word := range surface.Words(t) {
		if last = append(last, hashWord(word)); len(last) >= shingleWords {
			set = append(set, ofWords(last[len(last)-shingleWords:]))
		}
	}
	switch {
	case len(last) == 0:
		set = append(set, t.FoldedKey())
	case len(set) == 0:
		set = append(set, ofWords(last))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func ofWords(words []uint64) uint64 {
	h := uint64(len(words))
	for _, word := range words {
		h = spread(h*wordPrime + word)
	}
	return h
}

// jaccard is the size of the sets' intersection over that of their union; sets
// are in ascending order, and not empty.
func jaccard(a, b []uint64) float64 {
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			both, i, j = both+1, i+1, j+1
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// minHash draws permutations of the 64-bit numbers: x becomes ax+b, a odd.
type minHash struct{ a, b [minima]uint64 }

func newMinHash() *minHash {
	src := rand.NewPCG(0x6d696e, 0x68617368) // the same in every run: groups do not depend on a seed
	m := &minHash{}
	for i := range m.a {
		m.a[i], m.b[i] = src.Uint64()|1, src.Uint64()
	}
	return m
}

// signature is the least value of each permutation over the set (Broder 1997):
// two sets have the same with the probability of their Jaccard similarity.
func (m *minHash) signature(sets ...[]uint64) (least [minima]uint64) {
	for i := range least {
		least[i] = ^uint64(0)
	}
	for _, set := range sets {
		for _, x := range set {
			for i := range least {
				least[i] = min(least[i], m.a[i]*x+m.b[i])
			}
		}
	}
	return least
}

// banded are the keys under which sets alike are likely to meet.
func banded(signature [minima]uint64) (keys [bands]uint64) {
	for band := range keys {
		keys[band] = ofWords(signature[band*inBand : (band+1)*inBand])
	}
	return keys
}

// estimate is the share of the minima that two signatures have in common: of the
// sets' similarity s it has mean s and standard deviation √(s(1-s)/100).
func estimate(a, b [minima]uint64) float64 {
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / minima
}
