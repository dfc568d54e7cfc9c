package trainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"laurel/data"
	"laurel/eval"
	"laurel/model"
)

// Measured is what the validation pairs came to at a step.
type Measured struct {
	Report *eval.Report
	Rows   []eval.Row // none in checkpoints of before they were kept
}

// Files of a validation, in the checkpoint that it is of.
const (
	reportFile = "validation.json"
	rowsFile   = "validation.jsonl" // as pairs.jsonl, without texts
)

// score scores the validation pairs; loss is the run's own.
func (r Run) score(ctx context.Context, scorer *model.Ensemble) (rows []eval.Row, loss float64, err error) {
	chosen, rejected, err := scorer.ScoreStore(ctx, r.Validation, nil)
	if err == nil {
		rows, err = eval.RowsOf(r.Validation, chosen, rejected)
	}
	if err == nil {
		loss, err = r.Config.objective(r.Validation.Info, chosen, rejected)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("validation: %w", err)
	}
	return rows, loss, nil
}

// measure evaluates scored pairs; without intervals it is quick, and the figures are
// the same.
func (r Run) measure(rows []eval.Row, step int, intervals bool) (*Measured, error) {
	cfg := eval.Config{Seed: r.Config.Seed}
	if !intervals {
		cfg.Bootstrap = 1
	}
	report, err := eval.Evaluate(rows, cfg)
	if err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	report.Step = step
	return &Measured{report, rows}, nil
}

// best is what was measured of the checkpoint that is kept. Runs that began before
// reports were kept with checkpoints have none: theirs is of the last step, and
// says so.
func (r Run) best(ctx context.Context, scorer *model.Ensemble, state *State) (*Measured, error) {
	if r.Validation == nil || state.Best == nil {
		return nil, nil
	}
	m, err := readMeasured(r.Dir, state.Best.Step)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(r.Out, "the checkpoint of step %d has no report beside it: the report is of the last step, %d; laurel eval --model %s measures the other\n", state.Best.Step, state.Step, r.Dir)
		var rows []eval.Row
		if rows, _, err = r.score(ctx, scorer); err == nil {
			m, err = r.measure(rows, state.Step, true)
		}
	}
	return m, err
}

// save keeps a validation with the checkpoint that it is of.
func (m *Measured) save(checkpoint string) error {
	if m == nil {
		return nil
	}
	if err := eval.WritePairs(filepath.Join(checkpoint, rowsFile), m.Rows, func(func(data.Pair, error) bool) {}); err != nil {
		return err
	}
	return m.Report.WriteJSON(filepath.Join(checkpoint, reportFile))
}

func readMeasured(runDir string, step int) (*Measured, error) {
	dir := filepath.Join(checkpointsDir(runDir), checkpointName(step))
	report, err := eval.ReadReport(filepath.Join(dir, reportFile))
	if err != nil {
		return nil, err
	}
	pairs, err := eval.ReadPairs(filepath.Join(dir, rowsFile))
	m := &Measured{Report: report}
	for i := range pairs {
		m.Rows = append(m.Rows, pairs[i].Row())
	}
	return m, err
}
