package main

import (
	"fmt"
	"io"
	"path/filepath"

	"laurel/eval"
	"laurel/eval/stats"
	"laurel/model"
	"laurel/scoring"
)

// storeTemperature leaves a fitted temperature beside the model in dir. by is the
// command that fitted it, on pairs of the files.
func storeTemperature(dir string, t *eval.Temperature, files, by string) (path string, err error) {
	end := func(v stats.Value) *float64 {
		if !v.Defined() {
			return nil
		}
		x := float64(v)
		return &x
	}
	c := scoring.Calibration{Temperature: float64(t.Value), Interval: [2]*float64{end(t.Interval[0]), end(t.Interval[1])},
		Pairs: t.Pairs, Prompts: t.Prompts, SHA256: t.SHA256, Data: files, By: by}
	return filepath.Join(dir, model.CalibrationFile), c.Write(dir)
}

// storedTemperature is that beside the model in dir, nil for none.
func storedTemperature(dir string) (*eval.Temperature, error) {
	c, err := scoring.ReadCalibration(dir)
	if c == nil || err != nil {
		return nil, err
	}
	return &eval.Temperature{Value: stats.Value(c.Temperature), Pairs: c.Pairs, Prompts: c.Prompts, SHA256: c.SHA256}, nil
}

// temperatureFor is the stored temperature of the model in dir, or 1, and says
// which.
func temperatureFor(dir, what string, out io.Writer) (float64, error) {
	c, err := scoring.ReadCalibration(dir)
	if err != nil {
		return 0, err
	}
	if c == nil {
		_, err := fmt.Fprintf(out, "%s: T = 1 was used: no temperature is stored with the model (laurel eval --fit-temperature stores one)\n", what)
		return 1, err
	}
	_, err = fmt.Fprintf(out, "%s: T = %.4g, stored with the model (%s, fitted on %s of %s)\n", what, c.Temperature, c.By, stats.Plural(c.Pairs, "pair"), c.Data)
	return c.Temperature, err
}
