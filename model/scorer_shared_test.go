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

// TestBundles: every sequence lies in one bundle, begins with its prefix and has an id
// of its own there; where scores are written out bundles share only where that is no
// more scores, and over spans no more ids than a flat row has.
func TestBundles(t *testing.T) {
	sequences := responses(rand.New(rand.NewPCG(4, 4)))
	for _, s := range []*Scorer{{shares: true}, {shares: true, spans: true, ids: 150}, {}} {
		seen, shared, full := make([]int, len(sequences)), 0, 0
		for _, b := range s.bundles(sequences) {
			ids, scores := 0, 0
			for _, i := range b.members {
				seen[i]++
				ids += len(sequences[i])
				scores += len(sequences[i]) * len(sequences[i])
				if got := data.SharedPrefix(sequences[i], sequences[b.members[0]]); got < b.prefix || b.prefix >= len(sequences[i]) {
					t.Fatalf("sequence %d of %d ids shares %d, the row's prefix has %d", i, len(sequences[i]), got, b.prefix)
				}
			}
			n, most := b.length(sequences), rowMembers
			if s.spans {
				most, scores = s.flatMembers(), s.ids*s.ids
			}
			if n*n > scores || len(b.members) > most || len(b.members) > 1 && n >= ids {
				t.Errorf("%d members in %d ids instead of %d", len(b.members), n, ids)
			}
			if len(b.members) > 1 {
				shared++
			}
			if len(b.members) == most {
				full++
			}
		}
		if slices.Min(seen) != 1 || slices.Max(seen) != 1 || s.shares != (shared >= 6 && full > 0) {
			t.Errorf("%+v: sequences seen %v times, %d bundles shared, %d full", s, seen, shared, full)
		}
	}
}

// TestScoresOfSharedPrefixes: rewards with prefixes shared are those of rows of
// their own within 2e-5, for every decoder on every backend, whatever order they
// come in, and the same bits where they are shared always;
// an encoder is refused.
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
			exact := s.shares
			if exact != (s.spans && takesOne(m.Config.pooling())) {
				t.Errorf("%s on %s: shares %v, spans %v", name, backendName, exact, s.spans)
			}
			if backendName != "go" && !s.spans { // each shape is compiled
				continue
			}
			s.shares = false
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
			if exact && !slices.Equal(got, want) {
				t.Errorf("%s on %s: other bits where prefixes are shared", name, backendName)
			}
			t.Logf("%s on %s: %.2g", name, backendName, largest(t, name+" on "+backendName, got, float64s(want), 2e-5))
			if heard != len(sequences) {
				t.Errorf("%s: %d of %d sequences heard of", name, heard, len(sequences))
			}
		}
	}
}
