package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"laurel/configs"
	"laurel/data"
	"laurel/eval"
)

// textRules are the rulers of texts; of a run, the bag of words is trained on the
// run's own training pairs.
func (e *evaluation) textRules(ctx context.Context, rows []eval.Row) ([]eval.Rule, error) {
	training, err := e.runPairs(ctx)
	if err != nil {
		fmt.Fprintf(e.log, "rulers: the run's training pairs cannot be read (%v): the bag of words is cross-validated on the evaluated pairs\n", err)
	}
	rules, note, err := eval.TextRules(rows, e.texts(), training)
	if note != "" {
		fmt.Fprintln(e.log, note)
	}
	return rules, err
}

// runPairs are the pairs that --model was trained on, where it is a run
// directory or one of its checkpoints; else nil. They are read once to the end
// here, so that what is missing is known before anything is fitted.
func (e *evaluation) runPairs(ctx context.Context) (iter.Seq2[data.Pair, error], error) {
	path := runConfig(e.ref)
	if path == "" {
		return nil, nil
	}
	config, err := configs.Load(path, nil)
	if err != nil {
		return nil, err
	}
	pairs, err := findPairs(ctx, config.Data, config.Train.Seed, e.log)
	if err != nil {
		return nil, err
	}
	if err := pairs.split(e.log); err != nil {
		return nil, err
	}
	read := func() iter.Seq2[data.Pair, error] {
		return pairs.first(data.ReadPairs(pairs.config.Train, pairs.config.Reading(nil), nil), nil)
	}
	for _, err := range read() {
		if err != nil {
			return nil, err
		}
	}
	return read(), nil
}

// runConfig is where the configuration of a run lies; "" of a model that is of
// none.
func runConfig(ref string) string {
	if ref == "" {
		return ""
	}
	for _, dir := range []string{ref, filepath.Join(ref, "..", "..")} {
		path := filepath.Join(dir, "config.yaml")
		_, folder := os.Stat(filepath.Join(dir, "checkpoints"))
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) && folder == nil {
			return path
		}
	}
	return ""
}
