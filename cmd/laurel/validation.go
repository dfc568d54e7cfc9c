package main

import (
	"fmt"
	"io"
	"iter"

	"laurel/data"
	"laurel/scoring"
)

// validationSet is where the validation pairs of a run come from, and what
// stands between the files and the two stores.
type validationSet struct {
	files       []string
	first, then scoring.Through // of the training and of the validation pairs
	overlap     data.Overlap    // where both have files of their own
}

// newValidationSet reads the training files where a share of their prompts is
// to be held out, and says what is.
func newValidationSet(d data.Config, seed uint64, out io.Writer) (*validationSet, error) {
	v := &validationSet{files: d.Validation.Files}
	if d.Validation.Share == 0 {
		v.first = func(pairs iter.Seq2[data.Pair, error], _ *data.Counts) iter.Seq2[data.Pair, error] {
			return v.overlap.First(pairs)
		}
		v.then = func(pairs iter.Seq2[data.Pair, error], _ *data.Counts) iter.Seq2[data.Pair, error] {
			return v.overlap.Second(pairs)
		}
		return v, nil
	}
	split, err := data.SplitPrompts(data.ReadPairs(d.Train, d.Reading(nil), nil), d.Validation.Share, seed)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "data.validation %v: %d of %d prompts, with %d of %d pairs, are held out, drawn by train.seed %d\n",
		d.Validation.Share, split.HeldPrompts, split.Prompts, split.HeldPairs, split.Pairs, seed)
	v.files, v.first, v.then = d.Train, split.Rest, split.Held
	return v, nil
}

// pairs reads the validation pairs again.
func (v *validationSet) pairs(d data.Config) iter.Seq2[data.Pair, error] {
	return v.then(data.ReadPairs(v.files, d.Reading(nil), nil), nil)
}

// warn says which prompts are in both sets: a model has seen the answers that
// it is validated on.
func (v *validationSet) warn(out io.Writer) {
	o := &v.overlap
	if o.Shared == 0 {
		return
	}
	fmt.Fprintf(out, "warning: the prompts of %d of the %d validation pairs (%.1f %%) are training prompts too, white space and case aside: validation looks better than it is\n",
		o.Shared, o.Pairs, 100*float64(o.Shared)/float64(o.Pairs))
	for _, example := range o.Examples {
		fmt.Fprintf(out, "  %s\n", example)
	}
}
