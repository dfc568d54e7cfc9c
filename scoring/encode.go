package scoring

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"laurel/data"
	"laurel/data/batches"
)

// EncodePair is the model's way from a pair to ids, checked against its
// embedding table.
func (m *Model) EncodePair(p data.Pair) (chosen, rejected data.Tokens, err error) {
	chosen, rejected, err = m.Tokenizer.EncodePair(p, m.MaxLength, m.Side)
	if err != nil {
		return chosen, rejected, err
	}
	return chosen, rejected, errors.Join(m.CheckIDs(chosen.IDs), m.CheckIDs(rejected.IDs))
}

// ErrNoTokens is that of a text that gives nothing to score.
var ErrNoTokens = errors.New("the text yields no token")

// Encode is the model's way from a text to ids, checked against its embedding
// table. An error that lies in the text is a tokenizer.ErrText or ErrNoTokens.
func (m *Model) Encode(c data.Completion) (data.Tokens, error) {
	tokens, err := m.Tokenizer.EncodeCompletion(c, m.MaxLength, m.Side)
	if err != nil {
		return tokens, err
	}
	return tokens, m.CheckIDs(tokens.IDs)
}

// CheckIDs refuses ids beyond the embedding table, which a gather would clamp.
func (m *Model) CheckIDs(ids []int32) error {
	if len(ids) == 0 {
		return ErrNoTokens
	}
	for _, id := range ids {
		if int(id) >= m.VocabSize() {
			return fmt.Errorf("token id %d is beyond the model's %d embeddings: tokenizer and model do not belong together", id, m.VocabSize())
		}
	}
	return nil
}

// BuildStore encodes files of pairs into a scratch file at path. done hears how
// many of the rows are encoded; total is -1 where only reading tells.
func (m *Model) BuildStore(ctx context.Context, path string, files []string, cfg data.Config, done func(rows, total int)) (*batches.Store, *data.Counts, error) {
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	counts := &data.Counts{}
	total := rowsOf(files, cfg)
	pairs := data.ReadPairs(files, data.ReadConfig{Columns: cfg.Columns, OnBadRow: cfg.OnBadRow}, counts)
	store, err := batches.BuildStore(ctx, path, pairs, m.EncodePair, workers, func(rows int) { done(rows, total) })
	return store, counts, err
}

// rowsOf is the number of rows in the files, -1 where a file must be read to
// tell.
func rowsOf(files []string, cfg data.Config) int {
	total := 0
	for _, file := range files {
		r, err := data.OpenPairs(file, data.ReadConfig{Columns: cfg.Columns, OnBadRow: cfg.OnBadRow})
		if err != nil {
			return -1 // reading says what is wrong
		}
		n := r.NumRows()
		r.Close()
		if n < 0 {
			return -1
		}
		total += int(n)
	}
	return total
}
