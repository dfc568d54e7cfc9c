package trainer

import (
	"laurel/data/batches"
	"laurel/model"
)

// Trial makes training steps on batches of one's own, outside a run: to measure
// a machine, and to compare one backend's numbers with another's. The learning
// rate stays the config's.
type Trial struct {
	stepper *stepper
	steps   int
}

// NewTrial compiles nothing yet: each shape is compiled at its first use.
func NewTrial(backend model.Backend, m *model.Model, config Config) (*Trial, error) {
	s, err := newStepper(backend, m, config)
	return &Trial{stepper: s}, err
}

// Step makes one step from a batch and waits for it. It gives the loss and the
// gradients' norm before clipping.
func (t *Trial) Step(b *batches.Batch) (loss, gradNorm float64, err error) {
	t.steps++
	r, err := t.stepper.run([]*batches.Batch{b}, t.steps-1, t.steps, t.stepper.config.LearningRate)
	if err != nil {
		return 0, 0, err
	}
	return r.Loss, r.GradNorm, nil
}

// Gradients runs forward and backward alone, and waits for them.
func (t *Trial) Gradients(b *batches.Batch) error {
	told, _, err := t.stepper.gradients(b, t.stepper.norms([]*batches.Batch{b}), 0, 0, nil, true)
	if err != nil {
		return err
	}
	return new(stepResult).add(told)
}
