package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"

	"laurel/data"
	"laurel/data/batches"
	"laurel/scoring"
)

// trainingPairs are where a run's pairs come from, and what stands between the
// files and the two stores.
type trainingPairs struct {
	config      data.Config     // the run's, with local files
	validation  []string        // the files of the validation pairs
	first, then scoring.Through // of the training and of the validation pairs
	overlap     data.Overlap    // where both have files of their own
}

// findPairs fetches what of the data lies on the hub, and opens every file for a
// moment. The config that is saved keeps the hub's names.
func findPairs(ctx context.Context, config data.Config, seed uint64, out io.Writer) (p *trainingPairs, err error) {
	p = &trainingPairs{config: config}
	d := &p.config
	d.Seed = int64(seed)
	if d.Train, err = localData(ctx, d.Train, out); err != nil {
		return nil, err
	}
	if d.Validation.Files, err = localData(ctx, d.Validation.Files, out); err != nil {
		return nil, err
	}
	return p, checkPairs(slices.Concat(d.Train, d.Validation.Files), d.Reading(nil))
}

// encode turns the training and validation pairs into ids, in scratch files of
// the folder. validation is nil where the run has none.
func (p *trainingPairs) encode(ctx context.Context, m *scoring.Model, folder string, out io.Writer) (train, validation *batches.Store, err error) {
	if err = p.split(out); err != nil {
		return nil, nil, err
	}
	d := p.config
	if train, _, err = buildStore(ctx, m, "train", filepath.Join(folder, "train.tokens"), d.Train, d, scoring.Encoding{Say: settingNotes(out), Through: p.first}, out); err != nil {
		return nil, nil, err
	}
	if warning := m.RecordForms(); warning != "" {
		fmt.Fprintln(out, "warning:", warning)
	}
	warnCut(train, m.MaxLength, out)
	if d.Validation.None() {
		return train, nil, nil
	}
	validation, _, err = buildStore(ctx, m, "validation", filepath.Join(folder, "validation.tokens"), p.validation, d, scoring.Encoding{Say: settingNotes(out), Through: p.then}, out)
	p.warn(out)
	return train, validation, err
}

// muchCut is the share of pairs from which cutting them is warned of.
const muchCut = 0.2

// warnCut tells of training pairs that lose much by being cut to max_length.
func warnCut(s *batches.Store, maxLength int, out io.Writer) {
	if all := s.Stats.Pairs; float64(s.Stats.PairsCut) > muchCut*float64(all) {
		fmt.Fprintf(out, "warning: %d of the %d training pairs (%.0f %%) are cut to max_length %d: a higher model.max_length keeps what is lost, where memory allows it\n",
			s.Stats.PairsCut, all, 100*float64(s.Stats.PairsCut)/float64(all), maxLength)
	}
	if n := s.Stats.AlikeCut; n > 0 {
		fmt.Fprintf(out, "warning: %d training pairs have the same ids on both sides once cut to max_length %d, from which nothing is learnt: raise model.max_length, or try the other model.truncation_side\n", n, maxLength)
	}
}

// split settles which pairs train and which validate: it reads the training
// files where a share of their prompts is to be held out, and says what is.
func (p *trainingPairs) split(out io.Writer) error {
	d, seed := p.config, uint64(p.config.Seed)
	if d.Validation.Share == 0 {
		p.validation = d.Validation.Files
		p.first = func(pairs iter.Seq2[data.Pair, error], _ *data.Counts) iter.Seq2[data.Pair, error] {
			return p.overlap.First(pairs)
		}
		p.then = func(pairs iter.Seq2[data.Pair, error], _ *data.Counts) iter.Seq2[data.Pair, error] {
			return p.overlap.Second(pairs)
		}
		return nil
	}
	split, err := data.SplitPrompts(data.ReadPairs(d.Train, d.Reading(nil), nil), d.Validation.Share, seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "data.validation %v: %d of %d prompts, with %d of %d pairs, are held out, drawn by train.seed %d\n",
		d.Validation.Share, split.HeldPrompts, split.Prompts, split.HeldPairs, split.Pairs, seed)
	p.validation, p.first, p.then = d.Train, split.Rest, split.Held
	return nil
}

// validationPairs reads the validation pairs again.
func (p *trainingPairs) validationPairs() iter.Seq2[data.Pair, error] {
	return p.then(data.ReadPairs(p.validation, p.config.Reading(nil), nil), nil)
}

// warn says which prompts are in both sets: a model has seen the answers that
// it is validated on.
func (p *trainingPairs) warn(out io.Writer) {
	o := &p.overlap
	if o.Shared == 0 {
		return
	}
	fmt.Fprintf(out, "warning: the prompts of %d of the %d validation pairs (%.1f %%) are training prompts too, white space and case aside: validation looks better than it is\n",
		o.Shared, o.Pairs, 100*float64(o.Shared)/float64(o.Pairs))
	for _, example := range o.Examples {
		fmt.Fprintf(out, "  %s\n", example)
	}
}
