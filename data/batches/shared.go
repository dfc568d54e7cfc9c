package batches

import "cmp"

// A pair of a decoder may lie in one row: what both sequences begin with once,
// then the rest of chosen, then the rest of rejected. With positions that count
// from the sequence's beginning and attention within each sequence, every id
// sees what it would see in a row of its own.

// prefix is how many ids a pair's sequences have in common in such a row: what
// both begin with, but for the last id of the shorter, since each is to have an
// id of its own.
func (s *Store) prefix(row int) int {
	p := s.index.of(row)
	return int(min(p.shared, p.chosen-1, p.rejected-1))
}

// Together is the length of the one row that holds both sequences of a pair, in
// ids.
func (s *Store) Together(row int) int { return s.Tokens(row) - s.prefix(row) }

// IDsOf is how many ids of a pair are computed: of both sequences, what they begin with once
// where they share it.
func (s *Store) IDsOf(row int, shared bool) int {
	if shared {
		return s.Together(row)
	}
	return s.Tokens(row)
}

// SharesPrefix tells whether the sequences of a pair have a beginning to share.
func (s *Store) SharesPrefix(row int) bool { return s.prefix(row) > 0 }

// Shares tells whether one row suits a pair: where its attention has no more
// scores than two rows of the longer sequence, T² ≤ 2·L². Then nothing takes more
// work or memory than in two rows.
func (s *Store) Shares(row int) bool {
	together, longer := s.Together(row), s.Longer(row)
	return together*together <= 2*longer*longer
}

// rowLength is the length of a pair's one row, or of the longer of its two.
func (s *Store) rowLength(row int, shared bool) int {
	if shared {
		return s.Together(row)
	}
	return s.Longer(row)
}

// Rows are those of pairs in one layout.
type Rows struct {
	Counts  []int // of pairs, by the length of their longest row, in ids; none where there are no pairs
	PerPair int   // 2; 1 where a pair lies in one row
	Step    int   // what padded lengths are multiples of; 0: bucketStep
}

func (r Rows) step() int { return cmp.Or(r.Step, bucketStep) }

func (r *Rows) add(length int) {
	for len(r.Counts) <= length {
		r.Counts = append(r.Counts, 0)
	}
	r.Counts[length]++
}

// None reports whether there are no pairs.
func (r Rows) None() bool { return len(r.Counts) == 0 }

// longest is the length of the longest row, in ids.
func (r Rows) longest() int { return len(r.Counts) - 1 }

// Apart has every pair in two rows.
func (s *Store) Apart() Rows {
	rows := Rows{PerPair: 2}
	for row := range s.Len() {
		rows.add(s.Longer(row))
	}
	return rows
}

// Dealt has the pairs that one row suits in shared, and the others in apart, where
// there are some; then apart has room for the store's longest sequence, since
// pairs that fill no shared batch come there.
func (s *Store) Dealt() (apart, shared Rows) {
	apart.PerPair, shared.PerPair = 2, 1
	for row := range s.Len() {
		to := &apart
		if s.Shares(row) {
			to = &shared
		}
		to.add(s.rowLength(row, to == &shared))
	}
	if !apart.None() {
		apart.add(s.Stats.Longest)
	}
	return apart, shared
}
