package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
	"laurel/scoring"
	"laurel/trainer"
)

// opening is how commands find models: run directories give their best
// checkpoint, and lines and downloads are shown on out. finish ends the bar of
// a download.
func opening(revision string, maxLength int, out io.Writer) (options scoring.Options, finish func()) {
	var show *progress
	options = scoring.Options{Revision: revision, MaxLength: maxLength, Checkpoint: trainer.BestCheckpoint, Notice: printTo(out)}
	options.Download = func(ref, file string, done, total int64) {
		if show == nil {
			show = newProgress(out, "download "+ref, "MB", -1)
		}
		show.set(int(done>>20), int(total>>20), file)
	}
	return options, func() {
		if show != nil {
			show.finish()
		}
	}
}

// printTo prints lines as they come.
func printTo(out io.Writer) func(line string) {
	return func(line string) { fmt.Fprintln(out, line) }
}

// modelDir finds what --model means: a run's best checkpoint, a Hugging Face
// directory, or a hub name.
func modelDir(ctx context.Context, ref, revision string, out io.Writer) (string, error) {
	options, finish := opening(revision, 0, out)
	defer finish()
	return scoring.Resolve(ctx, ref, options)
}

// modelHash is the hash of what decides the rewards of a model's local directory.
func modelHash(ctx context.Context, dir string, out io.Writer) (string, error) {
	options, finish := opening("main", 0, out)
	defer finish()
	options.Notice = nil // opening the model says it all
	return scoring.Hash(ctx, dir, options)
}

// openModel loads a trained model for scoring.
func openModel(ctx context.Context, ref, revision string, maxLength int, out io.Writer) (*scoring.Model, error) {
	options, finish := opening(revision, maxLength, out)
	defer finish()
	return scoring.Open(ctx, ref, options)
}

// openScorer loads a trained model and readies it on a backend.
func openScorer(ctx context.Context, ref, revision string, maxLength int, backend model.Backend, devices int, out io.Writer) (*scoring.Scorer, error) {
	m, err := openModel(ctx, ref, revision, maxLength, out)
	if err != nil {
		return nil, err
	}
	if warning := m.PaddingWarning(); warning != "" {
		fmt.Fprintln(out, "warning:", warning)
	}
	if err := m.UseDevices(backend, devices); err != nil {
		return nil, fmt.Errorf("--devices: %w", err)
	}
	return m.Scorer(backend)
}

// sharedPrefixFlag is that of commands that score.
func sharedPrefixFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "shared-prefix", false, "compute what texts begin with alike once (decoders) also where a reward then depends on its neighbours, by up to 2e-5; on a CPU with XLA it is done anyway, with the same bits")
}

// sharePrefixes does what sharedPrefixFlag asks for.
func sharePrefixes(scorer *scoring.Scorer, asked bool) error {
	if !asked {
		return nil
	}
	if err := scorer.SharePrefixes(); err != nil {
		return fmt.Errorf("--shared-prefix: %w", err)
	}
	return nil
}

// dtypeFlag is that of commands that score.
func dtypeFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "dtype", "float32", "of matrix products: float32, or bfloat16, which GPUs compute several times as fast; rewards then differ, by about 1% of their spread")
}

// setDType does what dtypeFlag asks for.
func setDType(scorer *scoring.Scorer, choice *model.BackendChoice, dtype string, out io.Writer) error {
	if err := scorer.SetDType(dtype); err != nil {
		return fmt.Errorf("--dtype %w", err)
	}
	if dtype == "float32" {
		return nil
	}
	if err := choice.CheckPrecision(dtype); err != nil {
		return fmt.Errorf("--%w", err)
	}
	_, err := fmt.Fprintf(out, "matrix products in %s: rewards are not those that float32 gives\n", dtype)
	return err
}

// openBackend starts the backend that is asked for and says which it is.
func openBackend(want string, out io.Writer) (model.Backend, *model.BackendChoice, error) {
	backend, choice, err := model.OpenBackend(want)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(out, "backend: %s\n", choice)
	if choice.Name == "go" && want == "auto" {
		fmt.Fprintf(out, "  slower than XLA; %s\n", strings.Join(choice.Passed, "; "))
	}
	return backend, choice, nil
}

// backends are those that the steps of a loop share, by the name that is asked for:
// two on one GPU would each want most of its memory. A nil one keeps none.
type backends map[string]startedBackend

type startedBackend struct {
	model.Backend
	choice *model.BackendChoice
}

// open gives the backend that is asked for, started if need be.
func (b backends) open(want string, out io.Writer) (model.Backend, *model.BackendChoice, error) {
	if started, ok := b[want]; ok {
		return started.Backend, started.choice, nil
	}
	backend, choice, err := openBackend(want, out)
	if err == nil && b != nil {
		b[want] = startedBackend{backend, choice}
	}
	return backend, choice, err
}

// scorer readies a trained model on the backend of a name, started if need be, and
// on so many of its devices, 0 for all.
func (b backends) scorer(ctx context.Context, ref, revision string, maxLength int, want string, devices int, out io.Writer) (*scoring.Scorer, *model.BackendChoice, error) {
	backend, choice, err := b.open(want, out)
	if err != nil {
		return nil, nil, err
	}
	scorer, err := openScorer(ctx, ref, revision, maxLength, backend, devicesFor(devices, choice, backend, out), out)
	return scorer, choice, err
}

// buildStore encodes files of pairs into a scratch file, with progress, and
// tells what encoding did: nothing is cut or skipped unsaid.
func buildStore(ctx context.Context, m *scoring.Model, what, scratch string, files []string, cfg data.Config, with scoring.Encoding, out io.Writer) (*batches.Store, *data.Counts, error) {
	bar := newProgress(out, "encode", "pairs", -1)
	with.Done = func(rows, total int) { bar.set(rows, total, "") }
	store, counts, err := m.BuildStore(ctx, scratch, files, cfg, with)
	bar.finish()
	if err != nil {
		return nil, nil, err
	}
	s := store.Stats
	fmt.Fprintf(out, "%s: %s\n", what, counts)
	fmt.Fprintf(out, "  %d pairs, %d tokens, confidence mean %.3f, exactly 0.5: %d", s.Pairs, s.Tokens, s.ConfidenceSum/float64(s.Pairs), s.Half)
	if s.Truncated > 0 {
		fmt.Fprintf(out, "; %d of %d sequences cut to max_length %d (%d tokens lost)", s.Truncated, 2*s.Pairs, m.MaxLength, s.TokensCut)
	}
	if s.Identical > 0 {
		fmt.Fprintf(out, "; %d have the same ids on both sides", s.Identical)
	}
	fmt.Fprintln(out)
	warnUnread(m, out)
	for _, reason := range slices.Sorted(maps.Keys(store.First)) {
		first := store.First[reason]
		fmt.Fprintf(out, "  %s, first: %s: %s\n", reason, first.File, first)
	}
	return store, counts, nil
}

// warnUnread tells of what conversations hold that the chat template does not
// read: the model does not see it.
func warnUnread(m *scoring.Model, out io.Writer) {
	unread := m.Tokenizer.Unread()
	for _, key := range slices.Sorted(maps.Keys(unread)) {
		fmt.Fprintf(out, "warning: %d conversations hold %s, which the chat template does not read: the model does not see it\n", unread[key], key)
	}
}

// devicesFor is how many devices a number means, 0 for every GPU, or one device
// of another kind; more than one are told of.
func devicesFor(n int, choice *model.BackendChoice, backend model.Backend, out io.Writer) int {
	if n == 0 {
		n = choice.DevicesOf(backend)
	}
	if n > 1 {
		fmt.Fprintf(out, "devices: %d, each with a part of the rows\n", n)
	}
	return n
}

// devicesFlag is --devices of a command that scores.
func devicesFlag(cmd *cobra.Command, value *int) {
	cmd.Flags().IntVar(value, "devices", 0, "devices that share the rows (default: every GPU, else one)")
}
