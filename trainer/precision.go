package trainer

import (
	"context"
	"math"

	"github.com/gomlx/compute/dtypes"

	"laurel/model"
)

// Precision is how far rewards in the precision of training lie from those in
// float32, in which scores and evaluations are computed.
type Precision struct {
	Texts             int
	Mean, Max         float64 // absolute differences
	StandardDeviation float64 // of the float32 rewards
}

// ComparePrecision scores the validation pairs in both precisions, and leaves
// the model in float32. nil: the run has no validation, or trains in float32.
func ComparePrecision(ctx context.Context, r Run) (*Precision, error) {
	if r.Model.Compute == dtypes.Float32 || r.Validation == nil {
		return nil, nil
	}
	half, err := r.validationRewards(ctx)
	if err != nil {
		return nil, err
	}
	r.Model.Compute = dtypes.Float32
	full, err := r.validationRewards(ctx)
	if err != nil {
		return nil, err
	}
	sum, worst, squares, mean := 0.0, 0.0, 0.0, 0.0
	for i := range full {
		d := math.Abs(float64(half[i] - full[i]))
		sum, worst, mean = sum+d, max(worst, d), mean+float64(full[i])
	}
	n := float64(len(full))
	for _, reward := range full {
		squares += math.Pow(float64(reward)-mean/n, 2)
	}
	return &Precision{Texts: len(full), Mean: sum / n, Max: worst, StandardDeviation: math.Sqrt(squares / n)}, nil
}

func (r Run) validationRewards(ctx context.Context) ([]float32, error) {
	e, err := model.NewEnsemble(r.Backend, model.Member{Model: r.Model})
	if err != nil {
		return nil, err
	}
	chosen, rejected, err := e.ScoreStore(ctx, r.Validation, nil)
	return append(chosen, rejected...), err
}
