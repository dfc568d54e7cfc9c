package triage

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// mostCompared bounds how many texts of one band a text is compared with; the
// report counts those that were left out.
const mostCompared = 1000

// meet calls alike, which says whether it has joined them, for numbers that have a
// key of a band in common and are not the same set yet.
func meet(keys [][bands]uint64, only []int32, same func(i, j int32) bool, alike func(i, j int32) error) (leftOut int, err error) {
	order := slices.Clone(only)
	for band := range bands {
		slices.SortFunc(order, func(i, j int32) int {
			return cmp.Or(cmp.Compare(keys[i][band], keys[j][band]), cmp.Compare(i, j))
		})
		for begin := 0; begin < len(order); {
			end := begin + 1
			for end < len(order) && keys[order[end]][band] == keys[order[begin]][band] {
				end++
			}
			left, err := together(order[begin:end], same, alike)
			if leftOut += left; err != nil {
				return leftOut, err
			}
			begin = end
		}
	}
	return leftOut, nil
}

func together(run []int32, same func(i, j int32) bool, alike func(i, j int32) error) (leftOut int, err error) {
	for k, j := range run {
		from := max(0, k-mostCompared)
		leftOut += from
		for _, i := range run[from:k] {
			if same(i, j) {
				continue
			}
			if err := alike(i, j); err != nil {
				return leftOut, err
			}
		}
	}
	return leftOut, nil
}

// alikePrompts joins the different prompts whose shingles are similar.
func (s *scanned) alikePrompts(ctx context.Context, least float64) (u *union, leftOut int, err error) {
	u = newUnion(len(s.promptBands))
	all := make([]int32, len(s.promptBands))
	for i := range all {
		all[i] = int32(i)
	}
	leftOut, err = meet(s.promptBands, all, u.same, func(i, j int32) error {
		a, err := s.shingles.of(s.firstOf[i])
		if err != nil {
			return err
		}
		b, err := s.shingles.of(s.firstOf[j])
		if err == nil && jaccard(a[0], b[0]) >= least {
			u.join(i, j, false)
		}
		return cmp.Or(err, ctx.Err())
	})
	return u, leftOut, err
}

// alikePairs joins the pairs whose prompts and responses are similar, in the same
// order or the other; similarity is the least that joined a pair to another.
func (s *scanned) alikePairs(ctx context.Context, least float64, prompts *union) (u *union, similarity []float64, leftOut int, err error) {
	u, similarity = newUnion(s.n()), make([]float64, s.n())
	for i := range similarity {
		similarity[i] = 1
	}
	join := func(i, j int32) error {
		a, err := s.shingles.of(i)
		if err != nil {
			return err
		}
		b, err := s.shingles.of(j)
		if err != nil {
			return err
		}
		if like, turned, ok := s.compare(i, j, a, b, least); ok {
			u.join(i, j, turned)
			similarity[i], similarity[j] = min(similarity[i], like), min(similarity[j], like)
			if p, q := s.promptAt[i], s.promptAt[j]; p >= 0 && q >= 0 {
				prompts.join(p, q, false)
			}
		}
		return ctx.Err()
	}
	first := map[uint64]int32{} // of pairs with the very same shingles
	var different []int32
	for i, set := range s.set {
		if same, there := first[set]; there {
			if err := join(same, int32(i)); err != nil {
				return u, similarity, 0, err
			}
			continue
		}
		first[set] = int32(i)
		different = append(different, int32(i))
	}
	leftOut, err = meet(s.pairBands, different, u.same, join)
	return u, similarity, leftOut, err
}

// compare says how similar two pairs are, which is the least of their three
// similarities, and whether the responses stand the other way round. Where both
// ways are as similar, texts that are the same decide; else there is no telling,
// and they are not joined.
func (s *scanned) compare(i, j int32, a, b [3][]uint64, least float64) (similarity float64, turned, ok bool) {
	prompt := jaccard(a[0], b[0])
	if prompt < least || (s.promptAt[i] < 0) != (s.promptAt[j] < 0) {
		return 0, false, false
	}
	straight, crossed := math.Min(jaccard(a[1], b[1]), jaccard(a[2], b[2])), math.Min(jaccard(a[1], b[2]), jaccard(a[2], b[1]))
	switch {
	case s.chosen[i] == s.chosen[j] && s.rejected[i] == s.rejected[j]:
		turned = false
	case s.chosen[i] == s.rejected[j] && s.rejected[i] == s.chosen[j]:
		turned = true
	case straight == crossed:
		return 0, false, false
	default:
		turned = crossed > straight
	}
	similarity = math.Min(prompt, math.Max(straight, crossed))
	return similarity, turned, similarity >= least
}
