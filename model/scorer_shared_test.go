package model

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// responses are sequences of a few prompts, in any order: some prompts with one
// response, some with more than fit a row, one response that begins another, two
// that are the same, and one that is its prompt.
func responses(random *rand.Rand) [][]int32 {
	var all [][]int32
	for i, prompt := range drawnRows(random, 6, 40) {
		if len(prompt) < 8 {
			prompt = slices.Concat(prompt, prompt, drawnRows(random, 1, 1)[0], prompt)
		}
		for _, response := range drawnRows(random, []int{1, 2, 3, 5, 9, 20}[i], 12) {
			all = append(all, slices.Concat(prompt, response))
		}
		all = append(all, prompt, all[len(all)-1], slices.Concat(all[len(all)-1], []int32{5}))
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// TestTogether: every sequence lies in one row, begins with the row's prefix, has
// an id of its own there, and shares only where that is fewer ids and no more
// scores.
func TestTogether(t *testing.T) {
	sequences := responses(rand.New(rand.NewPCG(4, 4)))
	seen, shared, full := make([]int, len(sequences)), 0, 0
	for _, r := range together(sequences) {
		ids, scores := 0, 0
		for _, i := range r.members {
			seen[i]++
			ids += len(sequences[i])
			scores += len(sequences[i]) * len(sequences[i])
			if got := data.SharedPrefix(sequences[i], sequences[r.members[0]]); got < r.prefix || r.prefix >= len(sequences[i]) {
				t.Fatalf("sequence %d of %d ids shares %d, the row's prefix has %d", i, len(sequences[i]), got, r.prefix)
			}
		}
		if n := r.length(sequences); n*n > scores || len(r.members) > rowMembers || len(r.members) > 1 && n >= ids {
			t.Errorf("%d members in %d ids instead of %d", len(r.members), n, ids)
		}
		if len(r.members) > 1 {
			shared++
		}
		if len(r.members) == rowMembers {
			full++
		}
	}
	if slices.Min(seen) != 1 || slices.Max(seen) != 1 || shared < 6 || full == 0 {
		t.Errorf("sequences seen %v times, %d rows shared, %d full", seen, shared, full)
	}
}

// TestScoresOfSharedPrefixes: rewards with prefixes shared are those of rows of
// their own within 2e-5, for every decoder on every backend, whatever order they
// come in; an encoder is refused.
func TestScoresOfSharedPrefixes(t *testing.T) {
	sequences := responses(rand.New(rand.NewPCG(6, 6)))
	for backendName, backend := range backends(t) {
		for _, name := range drawnNames() {
			m := drawnModel(t, name)
			s, err := NewScorer(backend, m)
			if err != nil {
				t.Fatal(err)
			}
			if !m.Causal() {
				if err := s.SharePrefixes(); err == nil || !strings.Contains(err.Error(), "an encoder's prompt has seen the response") {
					t.Errorf("%s: error %v", name, err)
				}
				continue
			}
			if backendName != "go" && name != "qwen3" && name != "gemma3" { // each shape is compiled
				continue
			}
			want, err := s.Score(context.Background(), sequences, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SharePrefixes(); err != nil {
				t.Fatal(err)
			}
			heard := 0
			got, err := s.Score(context.Background(), sequences, func(n int) { heard = n })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s on %s: %.2g", name, backendName, largest(t, name+" on "+backendName, got, float64s(want), 2e-5))
			if heard != len(sequences) {
				t.Errorf("%s: %d of %d sequences heard of", name, heard, len(sequences))
			}
		}
	}
}
