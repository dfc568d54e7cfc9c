package scoring

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"

	"laurel/data"
	"laurel/data/batches"
)

// EncodePair is the model's way from a pair to ids, checked against its
// embedding table.
func (m *Model) EncodePair(p data.Pair) (chosen, rejected data.Tokens, err error) {
	m.saw(formOf(p.Prompt, p.Chosen, p.Rejected))
	chosen, rejected, err = m.Tokenizer.EncodePair(p, m.MaxLength, m.Side)
	if err != nil {
		return chosen, rejected, err
	}
	if err := m.CheckIDs(chosen.IDs); err != nil {
		return chosen, rejected, inColumn("chosen", err)
	}
	return chosen, rejected, inColumn("rejected", m.CheckIDs(rejected.IDs))
}

// encodeForStore is EncodePair, with the prompt's own ids counted for a decoder:
// only a decoder's sequences can share them.
func (m *Model) encodeForStore(p data.Pair) (chosen, rejected data.Tokens, err error) {
	if chosen, rejected, err = m.EncodePair(p); err == nil && m.Causal() {
		chosen.Prompt = m.Tokenizer.PromptIDs(p.Prompt, m.Side, chosen, rejected)
		rejected.Prompt = chosen.Prompt
	}
	return chosen, rejected, err
}

// inColumn names the side of a pair that an error of CheckIDs lies in.
func inColumn(column string, err error) error {
	if bad := (*data.RowError)(nil); errors.As(err, &bad) {
		bad.Column = column
	} else if errors.Is(err, ErrNoTokens) {
		return &data.RowError{Column: column, Reason: data.ReasonNoTokens, Detail: err.Error()}
	}
	return err
}

// ErrNoTokens is that of a text that gives nothing to score.
var ErrNoTokens = errors.New("the text yields no token")

// Encode is the model's way from a text to ids, checked against its embedding
// table. An error that lies in the text is a tokenizer.ErrText, ErrNoTokens or
// that of CheckIDs.
func (m *Model) Encode(c data.Completion) (data.Tokens, error) {
	if !c.IsText { // which may have been rendered by whoever wrote it
		m.saw(formOf(c.Prompt, c.Response))
	}
	tokens, err := m.Tokenizer.EncodeCompletion(c, m.MaxLength, m.Side, m.textSide)
	if err != nil {
		return tokens, err
	}
	return tokens, m.CheckIDs(tokens.IDs)
}

// CheckIDs refuses ids beyond the embedding table, which a gather would clamp:
// some models have a few tokens more in their tokenizer than they can take. It
// is the row's fault, a *data.RowError of reason token_beyond_embeddings whose
// place whoever read the row fills in.
func (m *Model) CheckIDs(ids []int32) error {
	if len(ids) == 0 {
		return ErrNoTokens
	}
	for _, id := range ids {
		if int(id) >= m.VocabSize() {
			text, _ := m.Tokenizer.TokenText(id)
			return &data.RowError{Reason: data.ReasonBeyondEmbeddings,
				Detail: strings.TrimSpace(fmt.Sprintf("token id %d %s", id, text)) + fmt.Sprintf(" is beyond the model's %d embeddings", m.VocabSize())}
		}
	}
	return nil
}

// Through stands between the reading of pairs and their encoding: it may drop
// pairs, or look at them, and is given the counts of the rows read.
type Through func(pairs iter.Seq2[data.Pair, error], counts *data.Counts) iter.Seq2[data.Pair, error]

// Encoding is what a caller of BuildStore hears and does meanwhile.
type Encoding struct {
	Say     func(file, note string) // as in data.ReadConfig
	Through Through                 // may be nil
	Done    func(rows, total int)   // rows encoded; total is -1 where only reading tells
}

// BuildStore encodes files of pairs into a scratch file at path.
func (m *Model) BuildStore(ctx context.Context, path string, files []string, cfg data.Config, with Encoding) (*batches.Store, *data.Counts, error) {
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	counts := &data.Counts{}
	total := rowsOf(files, cfg)
	pairs := data.ReadPairs(files, cfg.Reading(with.Say), counts)
	if with.Through != nil {
		pairs = with.Through(pairs, counts)
	}
	store, err := batches.BuildStore(ctx, path, pairs, m.encodeForStore, batches.Options{Workers: workers, SkipBadRows: cfg.OnBadRow == "skip",
		SkipIdentical: cfg.IdenticalPairs == "skip", Done: func(rows int) { with.Done(rows, total) }})
	if err != nil {
		return nil, nil, err
	}
	counts.Leave(store.Skipped)
	return store, counts, nil
}

// rowsOf is the number of rows in the files, -1 where a file must be read to
// tell.
func rowsOf(files []string, cfg data.Config) int {
	total := 0
	for _, file := range files {
		r, err := data.OpenPairs(file, cfg.Reading(nil))
		if err != nil {
			return -1 // reading says what is wrong
		}
		n := r.NumRows()
		manyPairs := !r.RowIsPair()
		r.Close()
		if n < 0 || manyPairs {
			return -1
		}
		total += int(n)
	}
	return total
}
