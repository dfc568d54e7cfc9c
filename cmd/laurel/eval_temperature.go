package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"laurel/eval"
)

// canStore refuses --fit-temperature for a model that is not a local directory.
func (e *evaluation) canStore() error {
	switch {
	case !e.fitTemperature:
		return nil
	case e.scores != "":
		return errors.New("--fit-temperature stores the temperature with a model: --scores has none")
	}
	if info, err := os.Stat(e.ref); err != nil || !info.IsDir() {
		return fmt.Errorf("--fit-temperature stores the temperature beside the model's files, and --model %s is no local directory: export it first (laurel export --model %s --out DIR)", e.ref, e.ref)
	}
	return nil
}

// storedFor is the temperature that the report applies: the stored one, unless
// another is being fitted.
func (e *evaluation) storedFor(s *scoredPairs) (*eval.Temperature, error) {
	if s.dir == "" || e.fitTemperature {
		return nil, nil
	}
	return storedTemperature(s.dir)
}

// store stores the temperature of the evaluated pairs with the model.
func (e *evaluation) store(s *scoredPairs, fitted *eval.Temperature) error {
	if fitted == nil {
		return fmt.Errorf("--fit-temperature: no temperature fits these %d pairs: it takes %d or more, some of them ranked wrong, and margins that tell better than chance", len(s.rows), eval.FewFitted)
	}
	before, err := storedTemperature(s.dir)
	if err != nil {
		fmt.Fprintf(e.log, "the temperature that was stored cannot be read and is replaced: %v\n", err)
	}
	path, err := storeTemperature(s.dir, fitted, strings.Join(e.files, ", "), "laurel eval --fit-temperature")
	if err != nil {
		return err
	}
	if before != nil {
		fmt.Fprintf(e.log, "the stored temperature %v is replaced\n", before.Value)
	}
	_, err = fmt.Fprintf(e.log, "temperature %s: stored in %s; the calibrated figures of the report are cross-fitted, not those of this temperature on the pairs that it was fitted on\n", fitted.Describe(), path)
	return err
}
