// Package batches turns pairs into batches of token ids: pairs are encoded
// once into a Store on disk, an Order plans which pairs form which batch, and
// Read fills a Batch from a Plan.
package batches

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"laurel/data"
)

// Store holds encoded pairs in a file, with a small index in memory (13 bytes a
// pair), so that any order of a set of any size costs one read a row. Rows keep
// the order in which they were read.
type Store struct {
	file    *os.File
	index   index
	subsets []string
	places  map[string]int32 // in subsets
	options Options
	seen    int32 // pairs read, stored or left out
	Stats   StoreStats
	// Skipped counts the pairs left out because of what encoding showed; First
	// is the first of each reason, and of identical pairs that were kept.
	Skipped map[data.Reason]int
	First   map[data.Reason]*data.RowError
	// Digest is of all that training reads of the pairs: ids, confidences,
	// margins, and their order.
	Digest string
}

// storedPair is what is kept in memory of a pair: what decides the batch that it
// belongs to. In the file its record comes first, then its ids, chosen before
// rejected.
type storedPair struct {
	chosen, rejected int32 // lengths, in ids
	shared           int32 // ids that both sequences begin with
}

// storedRecord is what else is kept of a pair, in the file.
type storedRecord struct {
	prompt                     uint64 // as data.PromptKey
	confidence                 float64
	margin                     float32
	charsChosen, charsRejected int32 // lengths of the responses, in characters
	subset                     int32 // place in Store.subsets
	promptIDs                  int32 // of the shared ids, the prompt's
	place                      int32 // in the order of reading, pairs that were left out counted
}

// recordBytes is the size of a storedRecord in the file.
const recordBytes = int(unsafe.Sizeof(storedRecord{}))

// bytes is what the pair takes in the file.
func (p storedPair) bytes() int64 { return int64(recordBytes) + 4*(int64(p.chosen)+int64(p.rejected)) }

// index holds the stored pairs in pieces of one size, so that it grows without
// being copied, and where every so many begin in the file.
type index struct {
	pieces [][]storedPair
	begins []int64 // pair 0, indexStep, 2·indexStep, …; in bytes
	end    int64   // where the next pair goes
	n      int
}

const (
	indexPiece = 1 << 14
	indexStep  = 16
)

func (x *index) add(p storedPair) {
	if x.n%indexPiece == 0 {
		x.pieces = append(x.pieces, make([]storedPair, 0, indexPiece))
	}
	if x.n%indexStep == 0 {
		x.begins = append(x.begins, x.end)
	}
	last := &x.pieces[len(x.pieces)-1]
	*last = append(*last, p)
	x.n, x.end = x.n+1, x.end+p.bytes()
}

// at is where a pair begins in the file, in bytes.
func (x *index) at(row int) int64 {
	at := x.begins[row/indexStep]
	for before := row / indexStep * indexStep; before < row; before++ {
		at += x.of(before).bytes()
	}
	return at
}

func (x *index) of(row int) storedPair { return x.pieces[row/indexPiece][row%indexPiece] }

// StoreStats count what encoding did; nothing is cut uncounted.
type StoreStats struct {
	Pairs         int   `json:"pairs"`
	Tokens        int64 `json:"tokens"`
	SquaredTokens int64 `json:"-"`                   // sum of the sequences' squared lengths
	Truncated     int   `json:"truncated_sequences"` // of 2·Pairs
	TokensCut     int64 `json:"tokens_cut"`
	PairsCut      int   `json:"-"` // that have a sequence which was cut
	AlikeCut      int   `json:"-"` // cut pairs whose sides are the same ids, kept or not
	Longest       int   `json:"longest"`
	Half          int   `json:"half"`      // confidence exactly 0.5
	Identical     int   `json:"identical"` // pairs kept whose sides are the same ids
	ConfidenceSum float64

	Margins                 int     // pairs with one that is not 0
	LeastMargin, MostMargin float32 // of those
}

func (st *StoreStats) addMargin(margin float32) {
	if margin == 0 {
		return
	}
	if st.Margins++; st.Margins == 1 {
		st.LeastMargin, st.MostMargin = margin, margin
	}
	st.LeastMargin, st.MostMargin = min(st.LeastMargin, margin), max(st.MostMargin, margin)
}

// add counts a pair that is stored.
func (st *StoreStats) add(e *encoded) {
	st.Pairs++
	st.Tokens += int64(len(e.chosen.IDs) + len(e.rejected.IDs))
	st.SquaredTokens += int64(len(e.chosen.IDs)*len(e.chosen.IDs) + len(e.rejected.IDs)*len(e.rejected.IDs))
	st.Longest = max(st.Longest, len(e.chosen.IDs), len(e.rejected.IDs))
	st.addMargin(float32(e.pair.Margin))
	st.ConfidenceSum += e.pair.Confidence
	if e.pair.Confidence == 0.5 {
		st.Half++
	}
	if e.cut() {
		st.PairsCut++
	}
	for _, t := range []data.Tokens{e.chosen, e.rejected} {
		if t.Cut > 0 {
			st.Truncated++
			st.TokensCut += int64(t.Cut)
		}
	}
}

// subsetOf numbers the subsets' names.
func (s *Store) subsetOf(name string) int32 {
	place, known := s.places[name]
	if !known {
		place = int32(len(s.subsets))
		name = strings.Clone(name)
		s.subsets, s.places[name] = append(s.subsets, name), place
	}
	return place
}

// PairInfo is what an evaluation needs to know of a pair beside its rewards.
type PairInfo struct {
	Subset                   string
	Confidence, Margin       float64
	CharsChosen, CharsReject int    // lengths of the responses
	PromptIDs                int    // ids that both sequences begin with because they are the prompt's, as any other response's would; 0 where the encoder does not count them
	Prompt                   uint64 // as data.PromptKey
	Place                    int    // in the order of reading, from 0, pairs that were left out counted
}

// Info describes a row.
func (s *Store) Info(row int) (PairInfo, error) {
	var r storedRecord
	if _, err := s.file.ReadAt(raw(&r, 1), s.index.at(row)); err != nil {
		return PairInfo{}, fmt.Errorf("token store: pair %d: %w", row, err)
	}
	return PairInfo{Subset: s.subsets[r.subset], Confidence: r.confidence, Margin: float64(r.margin), CharsChosen: int(r.charsChosen),
		CharsReject: int(r.charsRejected), Prompt: r.prompt, Place: int(r.place), PromptIDs: int(r.promptIDs)}, nil
}

// IDs reads both sequences of a row.
func (s *Store) IDs(row int) (chosen, rejected []int32, err error) {
	_, chosen, rejected, err = s.read(row)
	return chosen, rejected, err
}

// Len is the number of pairs.
func (s *Store) Len() int { return s.index.n }

// Longer is the length of a pair's longer sequence, in ids.
func (s *Store) Longer(row int) int {
	p := s.index.of(row)
	return int(max(p.chosen, p.rejected))
}

// Shared is the number of ids that both sequences of a pair begin with: the
// prompt, mostly, and what the responses begin with alike.
func (s *Store) Shared(row int) int { return int(s.index.of(row).shared) }

// Tokens is how many ids the pair has, both sequences together.
func (s *Store) Tokens(row int) int {
	p := s.index.of(row)
	return int(p.chosen + p.rejected)
}

// read reads a row from the file.
func (s *Store) read(row int) (r storedRecord, chosen, rejected []int32, err error) {
	p := s.index.of(row)
	const first = recordBytes / 4 // in ids
	ids := make([]int32, first+int(p.chosen+p.rejected))
	if _, err := s.file.ReadAt(raw(&ids[0], len(ids)), s.index.at(row)); err != nil {
		return r, nil, nil, fmt.Errorf("token store: pair %d: %w", row, err)
	}
	copy(raw(&r, 1), raw(&ids[0], first))
	end := first + int(p.chosen)
	return r, ids[first:end:end], ids[end:], nil
}

// raw is the memory of n values.
func raw[T any](first *T, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(first)), n*int(unsafe.Sizeof(*first)))
}

// Close removes the file.
func (s *Store) Close() error {
	err := s.file.Close()
	if removed := os.Remove(s.file.Name()); err == nil {
		err = removed
	}
	return err
}
