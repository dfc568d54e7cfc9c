package batches

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"unsafe"

	"laurel/data"
)

// EncodePair turns a pair into the ids of prompt+chosen and prompt+rejected.
type EncodePair func(data.Pair) (chosen, rejected data.Tokens, err error)

// encoded is a pair on its way from an encoder to the file.
type encoded struct {
	pair             data.Pair
	chosen, rejected data.Tokens
	stored           storedPair
	record           storedRecord
	err              error
}

// cut tells whether either sequence lost something.
func (e *encoded) cut() bool { return e.chosen.Cut > 0 || e.rejected.Cut > 0 }

// Options say how a store is built.
type Options struct {
	Workers int // that encode, at least 1
	// SkipBadRows leaves out, and counts, a pair for which the encoder returns
	// a *data.RowError; otherwise that ends the building, as any other error
	// does. The encoder gives column, reason and detail, the store the place.
	SkipBadRows bool
	// SkipIdentical leaves out, and counts, a pair whose two sequences are the
	// same ids: its loss has no gradient.
	SkipIdentical bool
	Done          func(rows int) // hears how many pairs are stored; may be nil
}

// BuildStore encodes every pair and writes the ids to path in the order of
// reading. The file is scratch: it is removed when the store is closed. It is
// an error if no pair is stored, or if the sides of none can be told apart.
func BuildStore(ctx context.Context, path string, pairs iter.Seq2[data.Pair, error], encode EncodePair, options Options) (*Store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("token store: %w", err)
	}
	s := &Store{file: file, options: options, places: map[string]int32{}, Skipped: map[data.Reason]int{}, First: map[data.Reason]*data.RowError{}}
	if err := cmp.Or(s.fill(ctx, pairs, encode), s.useful()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// useful refuses a store from which nothing can be learnt.
func (s *Store) useful() error {
	alike := s.Stats.Identical + s.Skipped[data.ReasonIdenticalIDs]
	switch {
	case alike > 0 && s.Len() == s.Stats.Identical:
		return fmt.Errorf("all %d pairs have the same ids on both sides: nothing tells chosen from rejected; the first: %s: %w; a higher max_length, or the other truncation_side, may keep what differs",
			alike, s.First[data.ReasonIdenticalIDs].File, s.First[data.ReasonIdenticalIDs])
	case s.Len() > 0:
		return nil
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Skipped)) {
		first := s.First[reason]
		return fmt.Errorf("%w (%s); the first %s: %s: %w", data.ErrAllSkipped, data.Counts{Skipped: s.Skipped}.Reasons(), reason, first.File, first)
	}
	return errors.New("token store: no pairs to learn from")
}

// fill encodes the pairs and writes them in the order of reading.
func (s *Store) fill(ctx context.Context, pairs iter.Seq2[data.Pair, error], encode EncodePair) error {
	out := bufio.NewWriterSize(s.file, 1<<20)
	digest := sha256.New()
	work := func() func(data.Pair) encoded { return func(p data.Pair) encoded { return encodeOne(p, encode) } }
	for e, err := range data.InOrder(ctx, pairs, s.options.Workers, work) {
		if err != nil {
			return err
		}
		s.seen++
		if keep, err := s.judge(e); err != nil {
			return err
		} else if !keep {
			continue
		}
		if err := s.write(out, digest, &e); err != nil {
			return fmt.Errorf("token store: %w", err)
		}
		if s.options.Done != nil {
			s.options.Done(s.Len())
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("token store: %w", err)
	}
	s.Digest = hex.EncodeToString(digest.Sum(nil))
	return nil
}

// encodeOne encodes a pair, and finds what the store keeps of it.
func encodeOne(p data.Pair, encode EncodePair) encoded {
	e := encoded{pair: p}
	if e.chosen, e.rejected, e.err = encode(p); e.err != nil {
		return e
	}
	shared := data.SharedPrefix(e.chosen.IDs, e.rejected.IDs)
	e.stored = storedPair{chosen: int32(len(e.chosen.IDs)), rejected: int32(len(e.rejected.IDs)), shared: int32(shared)}
	e.record = storedRecord{prompt: data.PromptKey(p.Prompt), confidence: p.Confidence, margin: float32(p.Margin),
		charsChosen: int32(p.Chosen.Chars()), charsRejected: int32(p.Rejected.Chars()),
		promptIDs: int32(min(shared, e.chosen.Prompt, e.rejected.Prompt))}
	return e
}

// write appends a pair to the file, and to the digest what training reads of it.
func (s *Store) write(out io.Writer, digest hash.Hash, e *encoded) error {
	e.record.subset, e.record.place = s.subsetOf(e.pair.Subset), s.seen-1
	if _, err := out.Write(raw(&e.record, 1)); err != nil {
		return err
	}
	for _, ids := range [][]int32{e.chosen.IDs, e.rejected.IDs} {
		b := raw(unsafe.SliceData(ids), len(ids))
		digest.Write(b)
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	fmt.Fprintf(digest, "%d %v %v\n", len(e.chosen.IDs), e.pair.Confidence, e.pair.Margin)
	s.index.add(e.stored)
	s.Stats.add(e)
	return nil
}

// judge says whether a pair is kept, and counts one that is not.
func (s *Store) judge(e encoded) (keep bool, err error) {
	var bad *data.RowError
	switch {
	case errors.As(e.err, &bad):
		if !s.options.SkipBadRows {
			return false, fmt.Errorf("encode %s: %w; fix it, or leave such rows out: --on-bad-row skip (train: --set data.on_bad_row=skip)", e.pair.File, placed(bad, e.pair))
		}
	case e.err != nil:
		return false, fmt.Errorf("encode %s: %s: %w", e.pair.File, e.pair.Place(), e.err)
	case slices.Equal(e.chosen.IDs, e.rejected.IDs):
		bad = sameIDs(e)
		if e.cut() {
			s.Stats.AlikeCut++
		}
		if !s.options.SkipIdentical {
			s.Stats.Identical++
			s.first(bad, e.pair)
			return true, nil
		}
	default:
		return true, nil
	}
	s.Skipped[bad.Reason]++
	s.first(bad, e.pair)
	return false, nil
}

// sameIDs says why two texts that differ are the same ids.
func sameIDs(e encoded) *data.RowError {
	detail := fmt.Sprintf("chosen and rejected are the same %d ids: the tokenizer does not tell them apart", len(e.chosen.IDs))
	if e.cut() {
		detail = fmt.Sprintf("chosen and rejected are the same %d ids once cut to max_length", len(e.chosen.IDs))
	}
	return &data.RowError{Reason: data.ReasonIdenticalIDs, Detail: detail}
}

// placed is the error with the place of its pair.
func placed(e *data.RowError, p data.Pair) *data.RowError {
	at := *e
	at.File, at.Unit, at.Row = p.File, p.Unit, p.Row
	return &at
}

func (s *Store) first(bad *data.RowError, p data.Pair) {
	if s.First[bad.Reason] == nil {
		s.First[bad.Reason] = placed(bad, p)
	}
}
