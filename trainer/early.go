package trainer

import (
	"errors"
	"fmt"
)

// EarlyStopping ends a run whose validation no longer gets better.
type EarlyStopping struct {
	Patience int     `yaml:"patience"`  // validations in a row without improvement that end the run; 0: never
	MinDelta float64 `yaml:"min_delta"` // less than this is no improvement
	Metric   string  `yaml:"metric"`    // loss | accuracy, of the validation pairs
}

// validate names every key whose value makes no sense.
func (e EarlyStopping) validate(evalEvery int) error {
	var problems []error
	if e.Patience < 0 {
		problems = append(problems, fmt.Errorf("train.early_stopping.patience is %d, want 0 (never) or more", e.Patience))
	}
	if e.Patience > 0 && evalEvery == 0 {
		problems = append(problems, errors.New("train.early_stopping.patience counts validations: set train.eval_every to the steps between them"))
	}
	if !(e.MinDelta >= 0) || !finite(e.MinDelta) {
		problems = append(problems, fmt.Errorf("train.early_stopping.min_delta is %v, want 0 or more", e.MinDelta))
	}
	if e.Metric != "loss" && e.Metric != "accuracy" {
		problems = append(problems, fmt.Errorf("train.early_stopping.metric is %q, want loss or accuracy", e.Metric))
	}
	return errors.Join(problems...)
}

// Waiting is how long a run has waited for its validation to get better. It is
// kept in checkpoints, so that a resumed run stops where the whole one does.
type Waiting struct {
	Best  float64 `json:"best"`  // of the metric
	Step  int     `json:"step"`  // that reached it
	Waits int     `json:"waits"` // validations since
}

// after is the state after one more validation. before is nil at the first.
func (e EarlyStopping) after(before *Waiting, v Evaluation) *Waiting {
	if e.Patience == 0 {
		return nil
	}
	value := v.Loss
	if e.Metric == "accuracy" {
		value = v.Accuracy
	}
	if before == nil || e.better(value, before.Best) {
		return &Waiting{Best: value, Step: v.Step}
	}
	return &Waiting{Best: before.Best, Step: before.Step, Waits: before.Waits + 1}
}

// better: NaN never is, and anything is better than NaN.
func (e EarlyStopping) better(value, best float64) bool {
	switch {
	case value != value:
		return false
	case best != best:
		return true
	case e.Metric == "accuracy":
		return value > best+e.MinDelta
	}
	return value < best-e.MinDelta
}

// ends tells whether the run has waited long enough.
func (e EarlyStopping) ends(w *Waiting) bool {
	return e.Patience > 0 && w != nil && w.Waits >= e.Patience
}
