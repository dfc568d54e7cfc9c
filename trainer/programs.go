package trainer

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data/batches"
)

// Compile compiles what Step runs for a batch of that shape, and runs nothing:
// forward and backward, and the update. Each is tried, whatever became of the
// one before it.
func (t *Trial) Compile(b *batches.Batch) error {
	s := t.stepper
	var batch, update []shapes.Shape // of each device, one after the other
	sizes := tensors.FromValue(s.adam.stepSizes(s.config.LearningRate, 1, s.model.Depths()))
	for _, part := range b.Split(s.devices, int32(max(0, s.model.Config.PadTokenID))) {
		batch = append(batch, s.input(part, s.norms([]*batches.Batch{b}), 0).Shape())
		update = append(update, shapes.Make(dtypes.Float32), sizes.Shape())
		for _, name := range s.names {
			update = append(update, s.model.Store.GetVariable("/"+name).Shape())
		}
	}
	_, gradients := s.program(true, true).Compile(batch...)
	if s.inPlace {
		return named("gradients", gradients)
	}
	_, updates := s.update.Compile(update...)
	return errors.Join(named("gradients", gradients), named("update", updates))
}

func named(program string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("program %s: %w", program, err)
}
