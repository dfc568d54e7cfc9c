package data

import (
	"math"
	"math/rand/v2"
	"slices"
)

var nan = math.NaN()

// draw keeps as many pairs of a row as are wanted, in their order: the same
// ones for the same seed and row.
func draw(pairs []Pair, cfg ReadConfig, place int) []Pair {
	if cfg.PairsPerPrompt <= 0 || len(pairs) <= cfg.PairsPerPrompt {
		return pairs
	}
	random := rand.New(rand.NewPCG(uint64(cfg.Seed), uint64(place)))
	kept := random.Perm(len(pairs))[:cfg.PairsPerPrompt]
	slices.Sort(kept)
	out := make([]Pair, len(kept))
	for i, at := range kept {
		out[i] = pairs[at]
	}
	return out
}
