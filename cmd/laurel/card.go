package main

import (
	"fmt"
	"io"
	"path/filepath"

	"laurel/report"
	"laurel/scoring"
)

// addCard gives a model that is about to be exported what its run's files say of
// it, for its card.
func addCard(m *scoring.Model, ref string, log io.Writer) error {
	path := runConfig(ref)
	if path == "" {
		fmt.Fprintln(log, "model card: the model is of no run directory: the card has no evaluation")
		return nil
	}
	run, err := report.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("model card: %w", err)
	}
	if m.Card.Header, m.Card.Body, err = run.Card(); err != nil {
		return err
	}
	if m.Card.Header == "" {
		fmt.Fprintln(log, "model card: nothing is evaluated yet: the card has no figures (laurel eval --out a folder in the run directory, then export again)")
	}
	return nil
}
