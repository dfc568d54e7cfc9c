package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback"
	"laurel/feedback/chat"
)

// What label, revise and generate have in common: commands that ask, keep the answers
// beside their output, and go on where they were stopped.

// answersFile is the store of what was paid for, in the output directory.
const answersFile = "answers.jsonl"

// runRecord is what label.json, revise.json and generate.json say beside the summary.
type runRecord struct {
	Files        []string               `json:"files"`
	Config       map[string]any         `json:"config"`
	Constitution *feedback.Constitution `json:"constitution,omitempty"` // nil: of no account
}

// newRunRecord takes the resolved config as its YAML.
func newRunRecord(files []string, resolved []byte, constitution *feedback.Constitution) (runRecord, error) {
	record := runRecord{Files: files, Constitution: constitution}
	if err := yaml.Unmarshal(resolved, &record.Config); err != nil {
		return record, err
	}
	_, err := json.Marshal(record.Config) // keys of YAML may be none of JSON
	return record, err
}

// openConstitution reads a constitution, or only some of its principles.
func openConstitution(nameOrPath string, only []string) (*feedback.Constitution, error) {
	c, err := configs.Constitution(nameOrPath)
	if err != nil || len(only) == 0 {
		return c, err
	}
	return c.Only(only)
}

// sharedStore is the store of all steps of a loop, and the directory where it lies; a
// command by itself has none.
type sharedStore struct {
	*feedback.Store
	dir string
}

// open gives the shared store, or opens that of dir; close ends what it opened.
func (s sharedStore) open(dir string, dry bool, log io.Writer) (store *feedback.Store, close func() error, err error) {
	if s.Store != nil {
		return s.Store, func() error { return nil }, errors.Join(claimFolder(dir), clearOutput(dir))
	}
	if store, err = openStore(dir, dry, log); store == nil {
		return nil, func() error { return nil }, err
	}
	return store, store.Close, err
}

// in is where the answers of a run into dir lie.
func (s sharedStore) in(dir string) string { return cmp.Or(s.dir, dir) }

// openStore opens the answers of dir, which is made where it is not there, and
// then, as no other run is writing there, clears away what a killed one left. A
// dry run makes none: it gets those that are there, or nil.
func openStore(dir string, dry bool, log io.Writer) (*feedback.Store, error) {
	if dry {
		if _, err := os.Stat(filepath.Join(dir, answersFile)); dir == "" || errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	if err := claimFolder(dir); err != nil {
		return nil, err
	}
	store, err := feedback.OpenStore(filepath.Join(dir, answersFile))
	if err != nil {
		return nil, err
	}
	if err := clearOutput(dir); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if store.Repaired != "" {
		fmt.Fprintln(log, store.Repaired)
	}
	return store, nil
}

// openBudget is what all runs on a store may still spend together; a dry run
// has no store.
func openBudget(limit feedback.BudgetConfig, store *feedback.Store) *chat.Budget {
	var before chat.Spent
	if store != nil {
		before = store.Spent()
	}
	return chat.NewBudget(limit.MaxCost, limit.MaxRequests, before.Cost, before.Requests)
}

// clearOutput clears an output directory of what a killed run left half written.
func clearOutput(dir string) error {
	return errors.Join(data.RemovePartial(dir), data.RemovePartial(filepath.Join(dir, "plots")))
}

// untilDone yields the rows until there is an error, or Ctrl-C.
func untilDone[T any](ctx context.Context, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if stopped := ctx.Err(); stopped != nil {
				err = stopped
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// announceInterrupt says at Ctrl-C what is waited for; the returned function ends
// that.
func announceInterrupt(ctx context.Context, log io.Writer, grace time.Duration) (end func() bool) {
	return context.AfterFunc(ctx, func() {
		if grace > 0 {
			fmt.Fprintf(log, "\ninterrupted: replies under way are paid for, and waited for up to %v; Ctrl-C again ends at once\n", grace)
		}
	})
}

// printReasons says why questions came to nothing, with what was said of the
// most frequent.
func printReasons(log io.Writer, what string, counts []feedback.ReasonCount) {
	if len(counts) > 0 {
		fmt.Fprintf(log, "%s: %s; for example: %s\n", what, feedback.ReasonList(counts), counts[0].Example)
	}
}

// stoppedError says what is kept of a run that stopped, and how it goes on.
func stoppedError(err error, dir string, kept, came int, cost float64) error {
	said := fmt.Sprintf("%d answers were kept before and %d came since, for $%.4f; all are in %s", kept, came, cost, filepath.Join(dir, answersFile))
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s, and the same command goes on", said)
	case errors.Is(err, chat.ErrBudget):
		return fmt.Errorf("%w: %s, and the same command with a larger --max-cost or --max-requests goes on", err, said)
	}
	return fmt.Errorf("%w (%s, and the same command goes on)", err, said)
}

func spent(s chat.Spent) string {
	return fmt.Sprintf("%d requests, %d + %d tokens, $%.4f", s.Requests, s.PromptTokens, s.CompletionTokens, s.Cost)
}
