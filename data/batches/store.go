// Package batches turns pairs into batches of token ids: pairs are encoded
// once into a Store on disk, an Order plans which pairs form which batch, and
// Read fills a Batch from a Plan.
package batches

import (
	"fmt"
	"io"
	"os"
	"unsafe"

	"laurel/data"
)

// Store holds encoded pairs in a file of ids, with a small index in memory
// (64 bytes a pair), so that any order of a set of any size costs one read a
// row. Rows keep the order in which they were read.
type Store struct {
	file    *os.File
	index   []storedPair
	subsets []string
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

type storedPair struct {
	at                       int64 // offset in the file, in ids
	chosen, rejected         int32 // lengths, in ids
	confidence               float64
	margin                   float32
	charsChosen, charsReject int32  // lengths of the responses, in characters
	subset                   int32  // place in Store.subsets
	shared                   int32  // ids that both sequences begin with
	promptIDs                int32  // of those, the prompt's
	place                    int32  // in the order of reading, pairs that were left out counted
	prompt                   uint64 // as data.PromptKey
}

// StoreStats count what encoding did; nothing is cut uncounted.
type StoreStats struct {
	Pairs         int   `json:"pairs"`
	Tokens        int64 `json:"tokens"`
	Truncated     int   `json:"truncated_sequences"` // of 2·Pairs
	TokensCut     int64 `json:"tokens_cut"`
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

// add indexes a pair and counts it; it gives the ids written.
func (s *Store) add(at int64, e encoded) int64 {
	c, r := len(e.chosen.IDs), len(e.rejected.IDs)
	shared := data.SharedPrefix(e.chosen.IDs, e.rejected.IDs)
	s.index = append(s.index, storedPair{at: at, chosen: int32(c), rejected: int32(r),
		confidence: e.pair.Confidence, margin: float32(e.pair.Margin),
		charsChosen: int32(e.pair.Chosen.Chars()), charsReject: int32(e.pair.Rejected.Chars()),
		subset: s.subsetOf(e.pair.Subset), shared: int32(shared), promptIDs: int32(min(shared, e.chosen.Prompt, e.rejected.Prompt)), prompt: data.PromptKey(e.pair.Prompt), place: s.seen - 1})
	st := &s.Stats
	st.Pairs++
	st.Tokens += int64(c + r)
	st.Longest = max(st.Longest, c, r)
	st.addMargin(float32(e.pair.Margin))
	st.ConfidenceSum += e.pair.Confidence
	if e.pair.Confidence == 0.5 {
		st.Half++
	}
	for _, t := range []data.Tokens{e.chosen, e.rejected} {
		if t.Cut > 0 {
			st.Truncated++
			st.TokensCut += int64(t.Cut)
		}
	}
	return int64(c + r)
}

// subsetOf numbers the subsets' names; there are few.
func (s *Store) subsetOf(name string) int32 {
	for i, known := range s.subsets {
		if known == name {
			return int32(i)
		}
	}
	s.subsets = append(s.subsets, name)
	return int32(len(s.subsets) - 1)
}

// PairInfo is what an evaluation needs to know of a pair beside its rewards.
type PairInfo struct {
	Subset                   string
	Confidence, Margin       float64
	CharsChosen, CharsReject int    // lengths of the responses
	Prompt                   uint64 // as data.PromptKey
	Place                    int    // in the order of reading, from 0, pairs that were left out counted
}

// Info describes a row.
func (s *Store) Info(row int) PairInfo {
	p := s.index[row]
	return PairInfo{Subset: s.subsets[p.subset], Confidence: p.confidence, Margin: float64(p.margin),
		CharsChosen: int(p.charsChosen), CharsReject: int(p.charsReject), Prompt: p.prompt, Place: int(p.place)}
}

// IDs reads both sequences of a row.
func (s *Store) IDs(row int) (chosen, rejected []int32, err error) {
	p := s.index[row]
	chosen, rejected = make([]int32, p.chosen), make([]int32, p.rejected)
	return chosen, rejected, s.read(row, chosen, rejected)
}

// Len is the number of pairs.
func (s *Store) Len() int { return len(s.index) }

// Longer is the length of a pair's longer sequence, in ids.
func (s *Store) Longer(row int) int {
	return int(max(s.index[row].chosen, s.index[row].rejected))
}

// Shared is the number of ids that both sequences of a pair begin with: the
// prompt, mostly, and what the responses begin with alike.
func (s *Store) Shared(row int) int { return int(s.index[row].shared) }

// PromptIDs is how many ids both sequences of a pair begin with because they are
// the prompt's, as any other response's sequence would; 0 where the encoder does
// not count them.
func (s *Store) PromptIDs(row int) int { return int(s.index[row].promptIDs) }

// Tokens is how many ids the pair has, both sequences together.
func (s *Store) Tokens(row int) int { return int(s.index[row].chosen + s.index[row].rejected) }

// read fills the two sequences of a row from the file.
func (s *Store) read(row int, chosen, rejected []int32) error {
	p := s.index[row]
	ids := make([]int32, p.chosen+p.rejected)
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(ids))), 4*len(ids))
	if _, err := s.file.ReadAt(raw, 4*p.at); err != nil && err != io.EOF {
		return fmt.Errorf("token store: pair %d: %w", row, err)
	}
	copy(chosen, ids[:p.chosen])
	copy(rejected, ids[p.chosen:])
	return nil
}

// Close removes the file.
func (s *Store) Close() error {
	err := s.file.Close()
	if removed := os.Remove(s.file.Name()); err == nil {
		err = removed
	}
	return err
}
