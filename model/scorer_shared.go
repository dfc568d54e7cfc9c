package model

import (
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data"
	"laurel/data/batches"
)

// rowMembers is how many sequences share a row at most: from eight on there is
// little left to save of a prefix that is computed once for all of them.
const rowMembers = 8

// SharePrefixes has sequences that begin alike scored in one row, their common
// beginning computed once. What lies beside a sequence then decides in which order
// its sums are rounded: rewards are within 2e-5 of those of rows of their own, and
// no more the same bits whatever is scored beside them. It is an error for an
// encoder, whose prompt has seen the response.
func (s *Scorer) SharePrefixes() error {
	s.shares = true
	return s.model.Config.Packs(true)
}

// length is that of the row: the prefix once, and what follows it in each member.
func (r scoreRow) length(sequences [][]int32) int {
	n := r.prefix
	for _, i := range r.members {
		n += len(sequences[i]) - r.prefix
	}
	return n
}

// together deals sequences to rows: in lexical order those that begin alike lie
// side by side, and the next joins a row as long as that takes fewer ids and no
// more scores of attention than a row of its own, T² ≤ ΣL².
func together(sequences [][]int32) []scoreRow {
	order := make([]int, len(sequences))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(sequences[a], sequences[b]) })
	var rows []scoreRow
	apart := 0 // ΣL² of the last row's members
	for _, i := range order {
		own := len(sequences[i])
		if len(rows) > 0 {
			if row, ok := rows[len(rows)-1].joined(sequences, i, apart+own*own); ok {
				rows[len(rows)-1], apart = row, apart+own*own
				continue
			}
		}
		rows, apart = append(rows, scoreRow{members: []int{i}}), own*own
	}
	return rows
}

// joined is the row with a further sequence, and whether that suits it; scores are
// those of all members in rows of their own.
func (r scoreRow) joined(sequences [][]int32, i, scores int) (scoreRow, bool) {
	first, ids := sequences[r.members[0]], sequences[i]
	wider := scoreRow{members: append(slices.Clip(r.members), i), prefix: data.SharedPrefix(first, ids)}
	for _, j := range wider.members {
		wider.prefix = min(wider.prefix, len(sequences[j])-1) // each has an id of its own
	}
	t := wider.length(sequences)
	return wider, wider.prefix > 0 && len(wider.members) <= rowMembers && t*t <= scores
}

// pack lays rows of several sequences out as LaidOut reads them, rowMembers to a
// row. Sequences that fill up a batch are the first id of the first row.
func (s *Scorer) pack(sequences [][]int32, rows []scoreRow, n, t int) *tensors.Tensor {
	l := batches.NewLayout(n, t, rowMembers*n, true, s.padID)
	placed := 0
	for j, r := range rows {
		l.Begin(j, sequences[r.members[0]][:r.prefix])
		column := r.prefix
		for _, i := range r.members {
			own := sequences[i][r.prefix:]
			l.Place(placed, j, column, own, r.prefix)
			column += len(own)
			placed++
		}
	}
	for i := placed; i < l.S; i++ {
		l.End[i] = 1
	}
	return LayOut(&l, nil)
}
