package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"laurel/data"
	"laurel/data/batches"
	"laurel/data/demo"
	"laurel/data/tokenizer"
	"laurel/model"
)

// RowsSpeed is how simulated pairs go the way to a training's batches: from JSON
// lines to the token store, then every pair once in shuffled batches of like
// lengths. No model computes.
type RowsSpeed struct {
	Rows   int   `json:"rows"`
	Tokens int64 `json:"tokens"` // of both sequences of all pairs

	Encode float64 `json:"encode_s"` // read, checked, tokenized and stored
	Plan   float64 `json:"plan_s"`   // lengths chosen, shuffled, dealt to batches: an epoch's beginning
	Step   float64 `json:"step_s"`   // every batch of an epoch filled

	EncodePairs  float64 `json:"encode_pairs_per_s"`
	EncodeTokens float64 `json:"encode_tokens_per_s"`
	PlanPairs    float64 `json:"plan_pairs_per_s"`
	StepPairs    float64 `json:"step_pairs_per_s"`

	Before float64 `json:"before_bytes"` // the process at most, before a row is read
	Peak   float64 `json:"peak_bytes"`   // and at the end
}

// rowsBatch is the pairs of a batch that simulated rows are stepped through by.
const rowsBatch = 8

// Rows measures n simulated pairs with a tokenizer. Files go to a folder of the
// system's own for such, and away at the end.
func Rows(ctx context.Context, t *tokenizer.Tokenizer, n int) (s *RowsSpeed, err error) {
	if n < 1 {
		return nil, fmt.Errorf("rows are %d, want at least 1", n)
	}
	dir, err := os.MkdirTemp("", "laurel-rows-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "rows.jsonl")
	if err := data.WriteAside(path, func(w io.Writer) error { return demo.Simulated(w, n) }); err != nil {
		return nil, err
	}
	s = &RowsSpeed{Rows: n}
	s.Before, _ = model.ProcessPeak()
	var store *batches.Store
	if s.Encode, err = seconds(func() (err error) {
		store, err = encodeRows(ctx, t, path, filepath.Join(dir, "tokens"))
		return err
	}); err != nil {
		return nil, err
	}
	defer store.Close()
	if err := s.stepThrough(ctx, store); err != nil {
		return nil, err
	}
	s.Tokens, s.EncodeTokens = store.Stats.Tokens, float64(store.Stats.Tokens)/s.Encode
	s.EncodePairs, s.PlanPairs, s.StepPairs = float64(n)/s.Encode, float64(n)/s.Plan, float64(n)/s.Step
	s.Peak, _ = model.ProcessPeak()
	return s, nil
}

// encodeRows fills a store as a training does that has validation files: their
// prompts are compared with those of the training pairs.
func encodeRows(ctx context.Context, t *tokenizer.Tokenizer, path, store string) (*batches.Store, error) {
	var overlap data.Overlap
	pairs := overlap.First(data.ReadPairs([]string{path}, data.ReadConfig{}, nil))
	encode := func(p data.Pair) (chosen, rejected data.Tokens, err error) { return t.EncodePair(p, 0, tokenizer.Left) }
	return batches.BuildStore(ctx, store, pairs, encode, batches.Options{Workers: runtime.NumCPU()})
}

// stepThrough plans an epoch, and reads its batches one after another.
func (s *RowsSpeed) stepThrough(ctx context.Context, store *batches.Store) error {
	const compileTokens = 10_000
	began := time.Now()
	apart, shared := store.Dealt()
	order := batches.Order{BatchSize: rowsBatch, Shuffle: true, Seed: benchSeed,
		Buckets: batches.Lengths(data.BucketChoice{}, apart, 1, compileTokens, 0), Shared: batches.Lengths(data.BucketChoice{}, shared, 1, compileTokens, 0)}
	plans := order.Epoch(store, 0)
	s.Plan = time.Since(began).Seconds()
	began = time.Now()
	for _, plan := range plans {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := batches.Read(store, plan, 0); err != nil {
			return err
		}
	}
	s.Step = time.Since(began).Seconds()
	return nil
}
