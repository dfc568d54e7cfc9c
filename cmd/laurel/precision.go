package main

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"laurel/data/batches"
	"laurel/model"
)

// sayPrecision compares the rewards of the validation pairs in the precision
// of training with those in float32, in which score and eval compute, and
// leaves the model in float32.
func (t *training) sayPrecision(ctx context.Context, backend compute.Backend, m *model.Model, validation *batches.Store) error {
	if m.Compute == dtypes.Float32 || validation == nil {
		return nil
	}
	half, err := rewardsOf(ctx, backend, m, validation)
	if err != nil {
		return err
	}
	m.Compute = dtypes.Float32
	full, err := rewardsOf(ctx, backend, m, validation)
	if err != nil {
		return err
	}
	sum, worst, spread, mean := 0.0, 0.0, 0.0, 0.0
	for i := range full {
		d := math.Abs(float64(half[i] - full[i]))
		sum, worst, mean = sum+d, max(worst, d), mean+float64(full[i])
	}
	n := float64(len(full))
	for _, r := range full {
		spread += math.Pow(float64(r)-mean/n, 2)
	}
	_, err = fmt.Fprintf(t.out, "rewards of %d validation texts in %s differ from float32 by %.2g on average, %.2g at most (their standard deviation is %.2g)\n",
		len(full), t.config.Model.DType, sum/n, worst, math.Sqrt(spread/n))
	return err
}

func rewardsOf(ctx context.Context, backend compute.Backend, m *model.Model, store *batches.Store) ([]float32, error) {
	e, err := model.NewEnsemble(backend, []*model.Model{m}, []float32{0})
	if err != nil {
		return nil, err
	}
	chosen, rejected, err := e.ScoreStore(ctx, store, nil)
	return append(chosen, rejected...), err
}
