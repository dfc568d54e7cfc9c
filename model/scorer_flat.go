package model

import (
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data/batches"
)

// idsPerMember is for how short sequences on average a flat row has places: one for
// so many of its ids.
const idsPerMember = 16

// flatMembers is how many sequences a flat row holds at most.
func (s *Scorer) flatMembers() int { return max(1, s.ids/idsPerMember) }

func (s *Scorer) flatShape() rowShape { return rowShape{s.ids, flat} }

// flatRows deals bundles to flat rows: into each the longest that is left, then
// always the longest that has room.
func (s *Scorer) flatRows(sequences [][]int32, bundles []bundle) (rows []scoreRow) {
	byLength := make([][]bundle, s.ids+1)
	for _, b := range bundles {
		n := b.length(sequences)
		byLength[n] = append(byLength[n], b)
	}
	for left := len(bundles); left > 0; {
		var row scoreRow
		room, places := s.ids, s.flatMembers()
		for n := room; n > 0 && places > 0; n = min(n, room) {
			if len(byLength[n]) == 0 || len(byLength[n][0].members) > places {
				n--
				continue
			}
			row = append(row, byLength[n][0])
			places -= len(byLength[n][0].members)
			byLength[n] = byLength[n][1:]
			room -= n
			left--
		}
		rows = append(rows, row)
	}
	return rows
}

// placeFlat lays a flat row out: the one of rows, or an empty one.
func (s *Scorer) placeFlat(sequences [][]int32, rows []scoreRow) *tensors.Tensor {
	l := batches.NewFlatLayout(s.ids, s.flatMembers(), s.shares, s.padID)
	placed, column := 0, 0
	for _, r := range rows {
		for _, b := range r {
			placed, column = place(&l, sequences, b, placed, 0, column)
		}
	}
	return LayOut(&l, nil)
}
