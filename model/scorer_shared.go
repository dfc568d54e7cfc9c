package model

import (
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data"
	"laurel/data/batches"
)

// rowMembers is how many sequences share a row at most, where their scores are written
// out: from eight on there is little left to save of a prefix that is computed once for
// all of them.
const rowMembers = 8

// SharePrefixes has sequences that begin alike scored in one row, their common
// beginning computed once. Where attention is over spans, and one token decides the
// reward, a Scorer of a decoder does so always: a reward has the same bits. Elsewhere what
// lies beside a sequence then decides in which order its sums are rounded: rewards are
// within 2e-5 of those of rows of their own, and no more the same bits whatever is scored
// beside them. It is an error for an encoder, whose prompt has seen the response.
func (s *Scorer) SharePrefixes() error {
	err := s.model.Config.Packs(true)
	s.shares = err == nil
	return err
}

// bundle is a sequence, or several that begin with prefix ids in common.
type bundle struct {
	members []int
	prefix  int
}

// length is how many ids there are: of the prefix once, and of what follows it in each
// member.
func (b bundle) length(sequences [][]int32) int {
	n := b.prefix
	for _, i := range b.members {
		n += len(sequences[i]) - b.prefix
	}
	return n
}

// bundles deals sequences to bundles. In lexical order those that begin alike lie
// side by side, and the next joins a bundle as long as that saves ids, and is no more
// work.
func (s *Scorer) bundles(sequences [][]int32) []bundle {
	order := make([]int, len(sequences))
	for i := range order {
		order[i] = i
	}
	if s.shares {
		slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(sequences[a], sequences[b]) })
	}
	var bundles []bundle
	apart := 0 // ΣL² of the last family's members
	for _, i := range order {
		own := len(sequences[i])
		if s.shares && len(bundles) > 0 {
			last := &bundles[len(bundles)-1]
			if wider := last.joined(sequences, i); s.suits(sequences, wider, apart+own*own) {
				*last, apart = wider, apart+own*own
				continue
			}
		}
		bundles, apart = append(bundles, bundle{members: []int{i}}), own*own
	}
	return bundles
}

// joined is the bundle with a further sequence.
func (b bundle) joined(sequences [][]int32, i int) bundle {
	wider := bundle{members: append(slices.Clip(b.members), i), prefix: data.SharedPrefix(sequences[b.members[0]], sequences[i])}
	for _, j := range wider.members {
		wider.prefix = min(wider.prefix, len(sequences[j])-1) // each has an id of its own
	}
	return wider
}

// suits tells whether a bundle is to lie in one row. Over spans that is no more work,
// and a flat row is to hold it; where scores are written out there are no more of them
// than of all members in rows of their own, T² ≤ ΣL².
func (s *Scorer) suits(sequences [][]int32, b bundle, scores int) bool {
	t := b.length(sequences)
	if s.spans {
		return b.prefix > 0 && t <= s.ids && len(b.members) <= s.flatMembers()
	}
	return b.prefix > 0 && len(b.members) <= rowMembers && t*t <= scores
}

// pack lays rows of a bundle each out as LaidOut reads them, rowMembers to a row.
func (s *Scorer) pack(sequences [][]int32, rows []scoreRow, n, t int) *tensors.Tensor {
	l := batches.NewLayout(n, t, rowMembers*n, true, s.padID)
	placed := 0
	for j, r := range rows {
		placed, _ = place(&l, sequences, r[0], placed, j, 0)
	}
	return LayOut(&l, nil)
}

// place puts a bundle into a row from a column on; its members are the layout's from
// placed on. It gives what comes next.
func place(l *batches.Layout, sequences [][]int32, b bundle, placed, row, column int) (nextPlaced, nextColumn int) {
	if b.prefix > 0 {
		l.Begin(row, column, sequences[b.members[0]][:b.prefix])
		column += b.prefix
	}
	for _, i := range b.members {
		own := sequences[i][b.prefix:]
		l.Place(placed, row, column, own, b.prefix)
		column += len(own)
		placed++
	}
	return placed, column
}
