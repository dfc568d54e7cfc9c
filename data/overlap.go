package data

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// Overlap finds the prompts that a second set of pairs shares with a first,
// white space and case aside. It keeps 16 bytes a pair of the first.
type Overlap struct {
	Pairs, Shared int      // of the second set, and those of them whose prompt the first has
	Examples      []string // where the first few stand, in both

	places [][]promptPlace // in pieces of overlapPiece, so that no copying doubles them
	files  []string
	unit   map[string]string // of a file, what its places count
}

type promptPlace struct {
	key  uint64
	file int32
	row  int32
}

const (
	overlapExamples = 3
	overlapPiece    = 1 << 20
)

// First passes the pairs of the first set on, and notes their prompts.
func (o *Overlap) First(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	if o.unit == nil {
		o.unit = map[string]string{}
	}
	return func(yield func(Pair, error) bool) {
		for p, err := range pairs {
			if err == nil {
				o.note(p)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (o *Overlap) note(p Pair) {
	if len(o.files) == 0 || o.files[len(o.files)-1] != p.File {
		o.files, o.unit[p.File] = append(o.files, p.File), p.Unit
	}
	if n := len(o.places); n == 0 || len(o.places[n-1]) == overlapPiece {
		o.places = append(o.places, nil)
	}
	last := &o.places[len(o.places)-1]
	*last = append(*last, promptPlace{p.Prompt.FoldedKey(), int32(len(o.files) - 1), int32(p.Row)})
}

// Second passes the pairs of the second set on and counts those whose prompt
// the first has; the first set has been read by then.
func (o *Overlap) Second(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for _, piece := range o.places {
			slices.SortStableFunc(piece, func(a, b promptPlace) int { return cmp.Compare(a.key, b.key) })
		}
		for p, err := range pairs {
			if err == nil {
				o.compare(p)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (o *Overlap) compare(p Pair) {
	o.Pairs++
	first, found := o.find(p.Prompt.FoldedKey())
	if !found {
		return
	}
	if o.Shared++; len(o.Examples) < overlapExamples {
		file := o.files[first.file]
		o.Examples = append(o.Examples, fmt.Sprintf("%s: %s has the prompt of %s: %s %d", p.File, p.Place(), file, o.unit[file], first.row))
	}
}

// find finds the first pair with the prompt.
func (o *Overlap) find(key uint64) (first promptPlace, found bool) {
	for _, piece := range o.places {
		at, found := slices.BinarySearchFunc(piece, key, func(e promptPlace, key uint64) int { return cmp.Compare(e.key, key) })
		if found {
			return piece[at], true
		}
	}
	return first, false
}
