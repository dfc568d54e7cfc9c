package bench

import (
	"errors"

	"laurel/data/batches"
	"laurel/model"
	"laurel/trainer"
)

// Sizes are what the cost of a load's programs follows from.
type Sizes struct {
	Load
	Parameters int     `json:"parameters"`
	Trainable  int     `json:"trainable"`
	StepFLOPs  float64 `json:"step_flops"`  // trainer.FLOPs, without recomputation
	ScoreFLOPs float64 `json:"score_flops"` // of the scored rows
	ScoreRows  int     `json:"score_rows"`

	Size      model.Size         `json:"size"`
	Batch     trainer.BatchShape `json:"batch"`
	Predicted float64            `json:"predicted"` // by trainer.PeakMemory, without the process
}

// Programs compiles what a load runs, and runs none of it: a training step's
// forward and backward, its update, and scoring. The weights are zeros. Each
// program is tried, whatever became of the one before it.
func Programs(backend model.Backend, l Load) (*Sizes, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	m, err := fromShape(l.Shape, func(config string) (*model.Model, error) { return model.NewZeros(config, model.Head{}) })
	if err != nil {
		return nil, err
	}
	if err := l.prepare(m); err != nil {
		return nil, err
	}
	trial, err := trainer.NewTrial(backend, m, l.trainConfig())
	if err != nil {
		return nil, err
	}
	scorer, err := model.NewScorer(backend, m)
	if err != nil {
		return nil, err
	}
	rows, scoring := scorer.Compile(l.Tokens)
	sizes := l.sizes(backend, m)
	sizes.ScoreRows, sizes.ScoreFLOPs = rows, trainer.ForwardFLOPs(sizes.Size, rows, l.Tokens)
	return sizes, errors.Join(trial.Compile(batches.Random(l.Pairs, l.Tokens, m.VocabSize(), benchSeed)), scoring)
}

func (l Load) sizes(backend model.Backend, m *model.Model) *Sizes {
	use := m.AttentionUse(backend, l.Tokens, false, 0)
	b := trainer.BatchShape{Rows: 2 * l.Pairs, Tokens: l.Tokens, ValueBytes: 2, Checkpointed: l.Checkpoint, Written: use.Blocks - use.Fused}
	need := trainer.PeakMemory(m.Size(), b)
	return &Sizes{Load: l, Parameters: m.NumParameters(), Trainable: m.NumTrainable(), Size: m.Size(), Batch: b,
		StepFLOPs: trainer.FLOPs(m.Size(), trainer.BatchShape{Rows: b.Rows, Tokens: b.Tokens}), Predicted: need.Total() - need.Process}
}
