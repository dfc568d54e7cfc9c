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

// flatRows deals sequences to flat rows: into each the longest that is left, then
// always the longest that has room.
func (s *Scorer) flatRows(sequences [][]int32, members []int) (rows []scoreRow) {
	byLength := make([][]int, s.ids+1)
	for _, i := range members {
		byLength[len(sequences[i])] = append(byLength[len(sequences[i])], i)
	}
	for left := len(members); left > 0; {
		var row scoreRow
		room := s.ids
		for n := room; n > 0 && len(row.members) < s.flatMembers(); n = min(n, room) {
			if len(byLength[n]) == 0 {
				n--
				continue
			}
			row.members = append(row.members, byLength[n][0])
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
	l := batches.NewFlatLayout(s.ids, s.flatMembers(), s.padID)
	column := 0
	for _, r := range rows {
		for j, i := range r.members {
			l.Place(j, 0, column, sequences[i], 0)
			column += len(sequences[i])
		}
	}
	return LayOut(&l, nil)
}
