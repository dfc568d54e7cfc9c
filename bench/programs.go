package bench

import (
	"errors"

	"laurel/data/batches"
	"laurel/model"
	"laurel/trainer"
)

// Variant is what a program may have otherwise than the load that is measured.
type Variant struct {
	Blocks  int `json:"blocks,omitempty"` // in place of the shape's own, which 0 keeps
	Devices int `json:"devices"`          // that share a batch
}

// Sizes are what the cost of a load's programs follows from.
type Sizes struct {
	Load
	Variant
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
func Programs(backend model.Backend, l Load, v Variant) (*Sizes, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	m, err := fromShape(l.Shape, v.Blocks, func(config string) (*model.Model, error) { return model.NewZeros(config, model.Head{}) })
	if err != nil {
		return nil, err
	}
	if err := l.prepare(m); err != nil {
		return nil, err
	}
	if err := m.UseDevices(backend, v.Devices); err != nil {
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
	sizes := l.sizes(backend, m, v)
	sizes.ScoreRows, sizes.ScoreFLOPs = rows, trainer.ForwardFLOPs(sizes.Size, rows, l.Tokens)
	return sizes, errors.Join(trial.Compile(batches.Random(l.Pairs, l.Tokens, m.VocabSize(), benchSeed)), scoring)
}

// sizes are those of one device, which has its part of the rows.
func (l Load) sizes(backend model.Backend, m *model.Model, v Variant) *Sizes {
	use := m.AttentionUse(backend, l.Tokens, false, 0)
	b := trainer.BatchShape{Rows: 2 * ((l.Pairs + v.Devices - 1) / v.Devices), Tokens: l.Tokens, ValueBytes: 2,
		Checkpointed: l.Checkpoint, Scores: use.Scores, BlockScores: use.BlockScores, Banded: use.Banded}
	need := trainer.PeakMemory(m.Size(), b)
	return &Sizes{Load: l, Variant: v, Parameters: m.NumParameters(), Trainable: m.NumTrainable(), Size: m.Size(), Batch: b,
		StepFLOPs: trainer.FLOPs(m.Size(), trainer.BatchShape{Rows: b.Rows, Tokens: b.Tokens}), Predicted: need.Total() - need.Process}
}
