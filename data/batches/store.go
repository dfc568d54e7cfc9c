// Package batches turns pairs into batches of token ids: pairs are encoded
// once into a Store on disk, an Order plans which pairs form which batch, and
// Read fills a Batch from a Plan.
package batches

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"laurel/data"
)

// Store holds encoded pairs in a file of ids, with a small index in memory
// (56 bytes a pair), so that any order of a set of any size costs one read a
// row. Rows keep the order in which they were read.
type Store struct {
	file    *os.File
	index   []storedPair
	subsets []string
	Stats   StoreStats
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
	prompt                   uint64 // as data.PromptKey
}

// StoreStats count what encoding did; nothing is cut uncounted.
type StoreStats struct {
	Pairs         int   `json:"pairs"`
	Tokens        int64 `json:"tokens"`
	Truncated     int   `json:"truncated_sequences"` // of 2·Pairs
	TokensCut     int64 `json:"tokens_cut"`
	Longest       int   `json:"longest"`
	Ties          int   `json:"ties"` // confidence exactly 0.5
	ConfidenceSum float64
}

// EncodePair turns a pair into the ids of prompt+chosen and prompt+rejected.
type EncodePair func(data.Pair) (chosen, rejected data.Tokens, err error)

// encoded is a pair on its way from an encoder to the file.
type encoded struct {
	pair             data.Pair
	chosen, rejected data.Tokens
	err              error
}

// BuildStore encodes every pair with the given number of workers and writes
// the ids to path in the order of reading. The file is scratch: it is
// removed when the store is closed.
func BuildStore(ctx context.Context, path string, pairs iter.Seq2[data.Pair, error], encode EncodePair, workers int, done func(rows int)) (*Store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("token store: %w", err)
	}
	s := &Store{file: file}
	if err := s.fill(ctx, pairs, encode, workers, done); err != nil {
		s.Close()
		return nil, err
	}
	if len(s.index) == 0 {
		s.Close()
		return nil, fmt.Errorf("token store: no pairs to learn from")
	}
	return s, nil
}

// fill runs the pipeline: one reader, several encoders, one writer. Each
// pair's slot is queued before it is encoded, which keeps the order.
func (s *Store) fill(ctx context.Context, pairs iter.Seq2[data.Pair, error], encode EncodePair, workers int, done func(rows int)) error {
	group, ctx := errgroup.WithContext(ctx)
	order := make(chan chan encoded, 256)
	type job struct {
		pair data.Pair
		slot chan encoded
	}
	jobs := make(chan job)
	group.Go(func() error {
		defer close(order)
		defer close(jobs)
		for pair, err := range pairs {
			if err != nil {
				return err
			}
			slot := make(chan encoded, 1)
			select {
			case order <- slot:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- job{pair, slot}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			for j := range jobs {
				e := encoded{pair: j.pair}
				e.chosen, e.rejected, e.err = encode(j.pair)
				j.slot <- e
			}
			return nil
		})
	}
	group.Go(func() error { return s.write(ctx, order, done) })
	return group.Wait()
}

func (s *Store) write(ctx context.Context, order <-chan chan encoded, done func(rows int)) error {
	out := bufio.NewWriterSize(s.file, 1<<20)
	digest := sha256.New()
	all := io.MultiWriter(out, digest)
	at := int64(0)
	for slot := range order {
		var e encoded
		select {
		case e = <-slot:
		case <-ctx.Done():
			return ctx.Err()
		}
		if e.err != nil {
			return fmt.Errorf("encode %s: %s: %w", e.pair.File, e.pair.Place(), e.err)
		}
		for _, ids := range [][]int32{e.chosen.IDs, e.rejected.IDs} {
			if err := binary.Write(all, binary.NativeEndian, ids); err != nil {
				return fmt.Errorf("token store: %w", err)
			}
		}
		fmt.Fprintf(digest, "%d %v %v\n", len(e.chosen.IDs), e.pair.Confidence, e.pair.Margin)
		at += s.add(at, e)
		if done != nil {
			done(len(s.index))
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("token store: %w", err)
	}
	s.Digest = hex.EncodeToString(digest.Sum(nil))
	return nil
}

// add indexes a pair and counts it; it gives the ids written.
func (s *Store) add(at int64, e encoded) int64 {
	c, r := len(e.chosen.IDs), len(e.rejected.IDs)
	s.index = append(s.index, storedPair{at: at, chosen: int32(c), rejected: int32(r),
		confidence: e.pair.Confidence, margin: float32(e.pair.Margin),
		charsChosen: int32(e.pair.Chosen.Chars()), charsReject: int32(e.pair.Rejected.Chars()),
		subset: s.subsetOf(e.pair.Subset), shared: int32(sharedPrefix(e.chosen.IDs, e.rejected.IDs)), prompt: data.PromptKey(e.pair.Prompt)})
	st := &s.Stats
	st.Pairs++
	st.Tokens += int64(c + r)
	st.Longest = max(st.Longest, c, r)
	st.ConfidenceSum += e.pair.Confidence
	if e.pair.Confidence == 0.5 {
		st.Ties++
	}
	for _, t := range []data.Tokens{e.chosen, e.rejected} {
		if t.Cut > 0 {
			st.Truncated++
			st.TokensCut += int64(t.Cut)
		}
	}
	return int64(c + r)
}

// sharedPrefix is the number of ids that two sequences begin with alike.
func sharedPrefix(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
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
	Confidence               float64
	CharsChosen, CharsReject int    // lengths of the responses
	Prompt                   uint64 // as data.PromptKey
}

// Info describes a row.
func (s *Store) Info(row int) PairInfo {
	p := s.index[row]
	return PairInfo{Subset: s.subsets[p.subset], Confidence: p.confidence,
		CharsChosen: int(p.charsChosen), CharsReject: int(p.charsReject), Prompt: p.prompt}
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
