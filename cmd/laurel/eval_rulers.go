package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"laurel/configs"
	"laurel/data"
	"laurel/eval"
)

// textRules are the rulers of texts; of a run, the bag of words is trained on the
// run's own training pairs, and seen tells which of the rows are among these.
func (e *evaluation) textRules(ctx context.Context, rows []eval.Row) (rules []eval.Rule, seen *data.Seen, err error) {
	path := runConfig(e.ref)
	if path == "" {
		rules, _, err = e.textRulesBy(rows, e.texts(), nil)
		return rules, nil, err
	}
	var unread error
	seen = &data.Seen{}
	rules, found, err := e.textRulesBy(rows, seen.First(e.texts()), seen.Second(func(yield func(data.Pair, error) bool) {
		for pair, err := range e.pairsOfRun(ctx, path) {
			unread = err
			if !yield(pair, err) {
				return
			}
		}
	}))
	switch {
	case unread == nil && found:
		return rules, seen, err
	case unread == nil:
		return rules, nil, err
	}
	fmt.Fprintf(e.log, "rulers: the run's training pairs cannot be read (%v): the bag of words is cross-validated on the evaluated pairs, and which of these the model was trained on is not known\n", unread)
	rules, _, err = e.textRulesBy(rows, e.texts(), nil)
	return rules, nil, err
}

// noteSeen notes of other models of runs how many of the rows they were trained on.
func (e *evaluation) noteSeen(ctx context.Context, others []eval.Other, rows []eval.Row) {
	for i := range others {
		other := &others[i]
		path := runConfig(other.Name)
		if path == "" || e.scores != "" {
			continue
		}
		var seen data.Seen
		if err := cmp.Or(drain(seen.First(e.texts())), drain(seen.Second(e.pairsOfRun(ctx, path)))); err != nil {
			fmt.Fprintf(e.log, "--compare %s: which of the pairs it was trained on is not known: %v\n", other.Name, err)
			continue
		}
		if _, without := eval.WithoutSeen(rows, eval.Config{}, seen.At); without.Seen.Pairs > 0 {
			other.Note = strings.TrimPrefix(fmt.Sprintf("%s; it was trained on %d of the %d pairs, on which it looks better than on others", other.Note, without.Seen.Pairs, len(rows)), "; ")
		}
	}
}

// drain reads pairs to their end.
func drain(pairs iter.Seq2[data.Pair, error]) error {
	for _, err := range pairs {
		if err != nil {
			return err
		}
	}
	return nil
}

// textRulesBy says what could not be made of them; found tells whether the rows'
// texts were.
func (e *evaluation) textRulesBy(rows []eval.Row, texts, training iter.Seq2[data.Pair, error]) (rules []eval.Rule, found bool, err error) {
	rules, note, err := eval.TextRules(rows, texts, training)
	if note != "" {
		fmt.Fprintln(e.log, note)
	}
	return rules, note == "", err
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
