package data

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

// Split holds a share of the prompts of a set out, with all pairs that answer
// them. Prompts that differ in white space or case alone are one.
type Split struct {
	Prompts, HeldPrompts int
	Pairs, HeldPairs     int
	seed                 uint64
	last                 uint64 // the largest rank held out
}

// SplitPrompts reads the pairs to the end and draws the prompts to hold out:
// those that come first when a hash of seed and prompt ranks them, as many as
// the share gives, rounded, but at least one and not all. It keeps 8 bytes a
// pair while it reads.
func SplitPrompts(pairs iter.Seq2[Pair, error], share float64, seed uint64) (*Split, error) {
	s := &Split{seed: mix(seed + 0x9e3779b97f4a7c15)}
	var ranks []uint64
	for p, err := range pairs {
		if err != nil {
			return nil, err
		}
		ranks = append(ranks, s.rank(p))
	}
	s.Pairs = len(ranks)
	slices.Sort(ranks)
	distinct := slices.Compact(slices.Clone(ranks))
	if s.Prompts = len(distinct); s.Prompts < 2 {
		return nil, fmt.Errorf("data.validation %v: the training files have %d prompt: a share of the prompts cannot be held out", share, s.Prompts)
	}
	s.HeldPrompts = min(max(1, int(math.Round(share*float64(s.Prompts)))), s.Prompts-1)
	s.last = distinct[s.HeldPrompts-1]
	s.HeldPairs, _ = slices.BinarySearch(ranks, s.last+1)
	return s, nil
}

func (s *Split) rank(p Pair) uint64 { return mix(p.Prompt.FoldedKey() ^ s.seed) }

// Held yields the pairs that are held out, Rest the others. The rows of the
// other part are taken off counts, which may be nil.
func (s *Split) Held(pairs iter.Seq2[Pair, error], counts *Counts) iter.Seq2[Pair, error] {
	return s.part(pairs, counts, true)
}

// Rest is the other part than Held.
func (s *Split) Rest(pairs iter.Seq2[Pair, error], counts *Counts) iter.Seq2[Pair, error] {
	return s.part(pairs, counts, false)
}

func (s *Split) part(pairs iter.Seq2[Pair, error], counts *Counts, held bool) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for p, err := range pairs {
			if err == nil && (s.rank(p) <= s.last) != held {
				if counts != nil {
					counts.Read, counts.Kept = counts.Read-1, counts.Kept-1
				}
				continue
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}
