package scoring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/model/hub"
)

// Resolve finds the local directory that a reference means: a run's best
// checkpoint, a Hugging Face or ensemble directory, or a hub model's, fetched
// where it is not in the cache.
func Resolve(ctx context.Context, ref string, o Options) (string, error) {
	if _, err := os.Stat(ref); err == nil && o.revision() != "main" {
		o.notice("warning: revision %s is that of a model on the hub, and %s is a folder here: it is not used", o.Revision, ref)
	}
	if _, err := os.Stat(filepath.Join(ref, "checkpoints")); err == nil && o.Checkpoint != nil {
		dir, why, err := o.Checkpoint(ref)
		if err == nil {
			o.notice("model: %s (%s)", dir, why)
		}
		return dir, err
	}
	options := hub.Options{Revision: o.revision(), Beside: []string{model.GoldenFile, model.CalibrationFile}, Notice: func(line string) { o.notice("%s", line) }}
	if o.Download != nil {
		options.Progress = func(file string, done, total int64) { o.Download(ref, file, done, total) }
	}
	dir, err := hub.Resolve(ctx, ref, options)
	if err == nil && dir != ref {
		o.notice("model: %s at revision %s (%s)", ref, o.revision(), dir)
	}
	return dir, err
}

// Source is where one model lies on this machine.
type Source struct {
	Dir  string // a Hugging Face directory, whole or an adapter's
	Base string // the directory of the weights under an adapter; else Dir
}

// Find completes a local directory to a source: the base of an adapter is
// resolved as its adapter_config.json names it.
func Find(ctx context.Context, dir string, o Options) (Source, error) {
	if !model.IsAdapter(dir) {
		return Source{Dir: dir, Base: dir}, nil
	}
	base, revision, err := model.AdapterBase(dir)
	if err != nil {
		return Source{}, err
	}
	o.Revision = revision
	found, err := Resolve(ctx, base, o)
	if err != nil {
		return Source{}, fmt.Errorf("base of the adapter %s: %w%s", dir, err, baseNear(dir, base))
	}
	if model.IsAdapter(found) {
		return Source{}, fmt.Errorf("base of the adapter %s: %s is an adapter itself: merge it into its own base first (laurel export --merge), and name that in base_model_name_or_path", dir, found)
	}
	return Source{Dir: dir, Base: found}, nil
}

// baseNear tells, of a base that was not found, from where its relative path is
// taken, and which folder may be meant: one below the adapter's or below one above
// it, where training may have run.
func baseNear(dir, base string) string {
	if filepath.IsAbs(base) {
		return ""
	}
	text := fmt.Sprintf(" (base_model_name_or_path %q is a path from the working directory or a hub name, as PEFT takes it)", base)
	below, err := filepath.Abs(dir)
	for err == nil {
		path := filepath.Join(below, base)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Sprintf("%s: there is %s: if that is the base, name it so in adapter_config.json, or run this in %s", text, path, below)
		}
		if filepath.Dir(below) == below {
			break
		}
		below = filepath.Dir(below)
	}
	return text
}

// Load reads a whole model, or an adapter over its base.
func (s Source) Load() (*model.Model, error) {
	if model.IsAdapter(s.Dir) {
		return model.LoadAdapter(s.Base, s.Dir)
	}
	return model.Load(s.Dir, 0)
}

// open reads the weights and the tokenizer, both at once.
func (s Source) open() (*model.Model, *tokenizer.Tokenizer, error) {
	var t *tokenizer.Tokenizer
	var failed error
	var reading sync.WaitGroup
	reading.Go(func() { t, failed = s.OpenTokenizer() })
	m, err := s.Load()
	reading.Wait()
	if err == nil {
		err = failed
	} else if failed == nil {
		err = errors.Join(err, t.Close())
	}
	return m, t, err
}

// OpenTokenizer reads the model's tokenizer; an adapter may leave it to its
// base.
func (s Source) OpenTokenizer() (*tokenizer.Tokenizer, error) {
	dir := s.Dir
	if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err != nil {
		dir = s.Base
	}
	config := filepath.Join(dir, "config.json")
	if _, err := os.Stat(config); err != nil {
		config = filepath.Join(s.Base, "config.json")
	}
	return tokenizer.OpenFor(dir, config)
}

// stamp differs where files of the model have been replaced or written to. What
// cannot be looked at is so in both of two stamps: whoever reads it says so.
func (s Source) stamp() string {
	var stamp strings.Builder
	for _, dir := range []string{s.Dir, s.Base} {
		names, err := ofTheModel(dir)
		fmt.Fprintln(&stamp, dir, err)
		for _, name := range names {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil {
				fmt.Fprintln(&stamp, err)
			} else {
				fmt.Fprintln(&stamp, name, info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return stamp.String()
}

// unchanged refuses what was read while somebody replaced it: half of it may be of
// another model. before is the stamp from before the reading.
func (s Source) unchanged(before string) error {
	if s.stamp() != before {
		return fmt.Errorf("%s: its files were replaced or written to while they were read: open it again once it is complete", s.Dir)
	}
	return nil
}
