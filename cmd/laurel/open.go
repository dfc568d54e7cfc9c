package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"

	"laurel/data"
	"laurel/data/batches"
	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/model/hub"
	"laurel/trainer"
)

// opened is a model with what is needed to feed it.
type opened struct {
	*model.Model
	tokenizer *tokenizer.Tokenizer
	dir       string // the Hugging Face directory it was read from
	maxLength int
	side      tokenizer.Side
	members   *members // of an ensemble, this model its first; nil for one model
}

// modelDir finds what --model means: a run's best checkpoint, a Hugging Face
// directory, or a hub name.
func modelDir(ctx context.Context, ref, revision string, out io.Writer) (string, error) {
	if _, err := os.Stat(filepath.Join(ref, "checkpoints")); err == nil {
		dir, why, err := trainer.BestCheckpoint(ref)
		if err == nil {
			fmt.Fprintf(out, "model: %s (%s)\n", dir, why)
		}
		return dir, err
	}
	var show *progress
	options := hub.Options{Revision: revision, Beside: []string{model.GoldenFile}, Notice: func(line string) { fmt.Fprintln(out, line) }}
	options.Progress = func(file string, done, total int64) {
		if show == nil {
			show = newProgress(out, "download "+ref, "MB", -1)
		}
		show.set(int(done>>20), int(total>>20), file)
	}
	dir, err := hub.Resolve(ctx, ref, options)
	if show != nil {
		show.finish()
	}
	if err == nil && dir != ref {
		fmt.Fprintf(out, "model: %s at revision %s (%s)\n", ref, revision, dir)
	}
	return dir, err
}

// openModel loads a trained model for scoring; one without a score head is
// refused, since its scores would be noise.
func openModel(ctx context.Context, ref, revision string, maxLength int, out io.Writer) (*opened, error) {
	dir, err := modelDir(ctx, ref, revision, out)
	if err != nil {
		return nil, err
	}
	if isEnsemble(dir) {
		return openEnsemble(ctx, dir, maxLength, out)
	}
	base := dir
	if model.IsAdapter(dir) {
		if base, err = adapterBaseDir(ctx, dir, out); err != nil {
			return nil, err
		}
	}
	m, err := loadDir(base, dir)
	if err != nil {
		return nil, err
	}
	sayLoaded(out, m, dir)
	if m.Loaded.NewHead || len(m.Loaded.New) > 0 {
		return nil, fmt.Errorf("%s has no trained score head (missing: %s): train it first with model.path: %s", dir, strings.Join(m.Loaded.New, ", "), dir)
	}
	o := &opened{Model: m, dir: dir}
	if o.tokenizer, err = openTokenizer(dir, base); err != nil {
		return nil, err
	}
	return o, o.lengths(maxLength)
}

// loadDir reads a whole model, or an adapter over its base.
func loadDir(base, dir string) (*model.Model, error) {
	if model.IsAdapter(dir) {
		return model.LoadAdapter(base, dir)
	}
	return model.Load(dir, 0)
}

// adapterBaseDir finds the model that an adapter belongs to.
func adapterBaseDir(ctx context.Context, dir string, out io.Writer) (string, error) {
	base, revision, err := model.AdapterBase(dir)
	if err != nil {
		return "", err
	}
	if revision == "" {
		revision = "main"
	}
	found, err := modelDir(ctx, base, revision, out)
	if err != nil {
		return "", fmt.Errorf("base of the adapter %s: %w", dir, err)
	}
	return found, nil
}

// openTokenizer reads a model's tokenizer; an adapter may leave it to its
// base.
func openTokenizer(dir, base string) (*tokenizer.Tokenizer, error) {
	if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err != nil && base != dir {
		dir = base
	}
	return tokenizer.Open(dir)
}

// defaultMaxLength is where nothing says otherwise.
const defaultMaxLength = 512

// lengths settles max_length and truncation side: what was asked for, else
// what training recorded, else what tokenizer and positions allow.
func (o *opened) lengths(asked int) error {
	side := o.Config.Recorded.TruncationSide
	if side == "" {
		side = "left"
	}
	var err error
	if o.side, err = tokenizer.ParseSide(side); err != nil {
		return err
	}
	limit := o.MaxPositions()
	switch {
	case asked > 0:
		o.maxLength = asked
	case o.Config.Recorded.MaxLength > 0:
		o.maxLength = o.Config.Recorded.MaxLength
	default:
		o.maxLength = defaultMaxLength
		if n, ok := o.tokenizer.MaxLength(); ok {
			o.maxLength = min(o.maxLength, n)
		}
		if limit > 0 {
			o.maxLength = min(o.maxLength, limit)
		}
	}
	if limit > 0 && o.maxLength > limit {
		return fmt.Errorf("max_length %d is more than the model's %d positions: lower it", o.maxLength, limit)
	}
	return nil
}

// sayLoaded tells what loading did with the checkpoint's tensors.
func sayLoaded(out io.Writer, m *model.Model, from string) {
	if len(m.Loaded.Dropped) > 0 {
		fmt.Fprintf(out, "dropped from %s, not needed for a reward: %s\n", from, strings.Join(m.Loaded.Dropped, ", "))
	}
	if m.Loaded.NewHead {
		fmt.Fprintf(out, "new score head, drawn from the seed (the checkpoint has none): %s\n", strings.Join(m.Loaded.New, ", "))
	} else if len(m.Loaded.New) > 0 {
		fmt.Fprintf(out, "new, drawn from the seed (the checkpoint has none): %s\n", strings.Join(m.Loaded.New, ", "))
	}
	if len(m.Config.Unknown) > 0 {
		fmt.Fprintf(out, "config.json has keys that laurel does not know and does not use: %s\n", strings.Join(m.Config.Unknown, ", "))
	}
}

// encodePair is the model's way from a pair to ids, checked against its
// embedding table.
func (o *opened) encodePair(p data.Pair) (chosen, rejected data.Tokens, err error) {
	chosen, rejected, err = o.tokenizer.EncodePair(p, o.maxLength, o.side)
	if err != nil {
		return chosen, rejected, err
	}
	return chosen, rejected, errors.Join(o.checkIDs(chosen.IDs), o.checkIDs(rejected.IDs))
}

// checkIDs refuses ids beyond the embedding table, which a gather would clamp.
func (o *opened) checkIDs(ids []int32) error {
	if len(ids) == 0 {
		return errors.New("the text yields no token")
	}
	for _, id := range ids {
		if int(id) >= o.VocabSize() {
			return fmt.Errorf("token id %d is beyond the model's %d embeddings: tokenizer and model do not belong together", id, o.VocabSize())
		}
	}
	return nil
}

// padID is what padding is filled with; it never reaches a reward.
func (o *opened) padID() int {
	if o.Config.PadTokenID >= 0 {
		return o.Config.PadTokenID
	}
	if id, ok := o.tokenizer.PadID(); ok {
		return int(id)
	}
	return 0
}

// tokenizerFiles are the paths to copy beside exported weights.
func (o *opened) tokenizerFiles() []string {
	var paths []string
	for _, name := range o.tokenizer.Files() {
		paths = append(paths, filepath.Join(o.tokenizer.Dir(), name))
	}
	return paths
}

// openBackend starts the backend that is asked for and says which it is.
func openBackend(want string, out io.Writer) (compute.Backend, *model.BackendChoice, error) {
	choice, err := model.ChooseBackend(want)
	if err != nil {
		return nil, nil, err
	}
	backend, err := choice.Open()
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(out, "backend: %s\n", choice)
	if choice.Name == "go" && want == "auto" {
		fmt.Fprintf(out, "  slower than XLA; %s\n", strings.Join(choice.Passed, "; "))
	}
	return backend, choice, nil
}

// buildStore encodes files of pairs into a scratch file, with progress.
func (o *opened) buildStore(ctx context.Context, scratch string, files []string, cfg data.Config, out io.Writer) (*batches.Store, *data.Counts, error) {
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	counts := &data.Counts{}
	total := rowsOf(files, cfg)
	bar := newProgress(out, "encode", "pairs", total)
	pairs := data.ReadPairs(files, data.ReadConfig{Columns: cfg.Columns, OnBadRow: cfg.OnBadRow}, counts)
	store, err := batches.BuildStore(ctx, scratch, pairs, o.encodePair, workers, func(rows int) { bar.set(rows, total, "") })
	bar.finish()
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

// sayStore tells what encoding did: nothing is cut or skipped unsaid.
func sayStore(out io.Writer, what string, store *batches.Store, counts *data.Counts, maxLength int) {
	s := store.Stats
	fmt.Fprintf(out, "%s: %s\n", what, counts)
	fmt.Fprintf(out, "  %d pairs, %d tokens, mean confidence %.3f, %d ties", s.Pairs, s.Tokens, s.ConfidenceSum/float64(s.Pairs), s.Ties)
	if s.Truncated > 0 {
		fmt.Fprintf(out, "; %d of %d sequences cut to max_length %d (%d tokens lost)", s.Truncated, 2*s.Pairs, maxLength, s.TokensCut)
	}
	fmt.Fprintln(out)
}
