package triage

import (
	"cmp"
	"slices"

	"laurel/eval/stats"
)

// The kinds of groups; a group of pairs alike is a contradiction where two have
// the responses the other way round, else duplicates where all texts are the same
// but for case and white space, else near-duplicates.
const (
	Duplicate     = "duplicate"
	NearDuplicate = "near_duplicate"
	Contradiction = "contradiction"
	InCycle       = "cycle"
)

// Group is pairs alike: prompts and responses similar, in one order or the other.
type Group struct {
	Kind       string
	Similarity stats.Value // the least that joined a pair to the others
	pairs      []int32     // in ascending order
	turned     []bool      // has the responses the other way round than the first
}

// side is 1 of a pair that stands as the first of its group does, else -1.
func (g *Group) side(k int) float64 {
	if g.turned[k] {
		return -1
	}
	return 1
}

// Cycle is pairs each of whose rejected response is the next one's chosen.
type Cycle struct{ pairs []int32 }

// groups are the sets of pairs alike, the largest first.
func (s *scanned) groups(u *union, similarity []float64) (all []Group) {
	for _, pairs := range u.sets() {
		g := Group{Kind: Duplicate, Similarity: 1, pairs: pairs}
		_, first := u.root(pairs[0])
		for _, i := range pairs {
			_, turned := u.root(i)
			g.turned = append(g.turned, turned != first)
			g.Similarity = min(g.Similarity, stats.Value(similarity[i]))
			if !s.sameTexts(pairs[0], i) {
				g.Kind = NearDuplicate
			}
		}
		if slices.Contains(g.turned, true) {
			g.Kind = Contradiction
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(len(b.pairs), len(a.pairs)), cmp.Compare(a.pairs[0], b.pairs[0]))
	})
	return all
}

// sameTexts is whether two pairs are the same but for case, white space and order.
func (s *scanned) sameTexts(i, j int32) bool {
	straight := s.chosen[i] == s.chosen[j] && s.rejected[i] == s.rejected[j]
	return s.prompt[i] == s.prompt[j] && (straight || s.chosen[i] == s.rejected[j] && s.rejected[i] == s.chosen[j])
}

// GroupLine is a line of groups.jsonl.
type GroupLine struct {
	Group      int         `json:"group"`
	Kind       string      `json:"kind"`
	Similarity stats.Value `json:"similarity"` // null of a cycle
	Pairs      []Member    `json:"pairs"`      // of a cycle in turn: each one's rejected is the next one's chosen
}

// Member is a pair of a group.
type Member struct {
	ID         string      `json:"id"`
	File       string      `json:"file"`
	Row        int         `json:"row"`
	Turned     bool        `json:"turned"` // the responses are the other way round than in the group's first
	Mislabeled stats.Value `json:"p_mislabelled"`
}
