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
func (e *evaluation) textRules(ctx context.Context, rows []eval.Row) (rules []eval.Rule, err error) {
	path := runConfig(e.ref)
	if path == "" {
		return e.textRulesBy(rows, nil)
	}
	var unread error
	rules, err = e.textRulesBy(rows, func(yield func(data.Pair, error) bool) {
		for pair, err := range e.pairsOfRun(ctx, path) {
			unread = err
			if !yield(pair, err) {
				return
			}
		}
	})
	if unread == nil {
		return rules, err
	}
	fmt.Fprintf(e.log, "rulers: the run's training pairs cannot be read (%v): the bag of words is cross-validated on the evaluated pairs\n", unread)
	return e.textRulesBy(rows, nil)
}

// textRulesBy says what could not be made of them.
func (e *evaluation) textRulesBy(rows []eval.Row, training iter.Seq2[data.Pair, error]) ([]eval.Rule, error) {
	rules, note, err := eval.TextRules(rows, e.texts(), training)
	if note != "" {
		fmt.Fprintln(e.log, note)
	}
	return rules, err
}

// pairsOfRun are the pairs that a run was trained on, by its configuration.
func (e *evaluation) pairsOfRun(ctx context.Context, path string) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		pairs, err := e.findPairsOfRun(ctx, path)
		if err != nil {
			yield(data.Pair{}, err)
			return
		}
		pairs.first(data.ReadPairs(pairs.config.Train, pairs.config.Reading(nil), nil), nil)(yield)
	}
}

// findPairsOfRun leaves those out that the run validated on.
func (e *evaluation) findPairsOfRun(ctx context.Context, path string) (*trainingPairs, error) {
	config, err := configs.Load(path, nil)
	if err != nil {
		return nil, err
	}
	pairs, err := findPairs(ctx, config.Data, config.Train.Seed, e.log)
	if err != nil {
		return nil, err
	}
	return pairs, pairs.split(e.log)
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
