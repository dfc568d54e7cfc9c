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
	Blocks     int     `json:"blocks"`
	StepFLOPs  float64 `json:"step_flops"`  // trainer.FLOPs, without recomputation
	ScoreFLOPs float64 `json:"score_flops"` // of the scored rows
	ScoreRows  int     `json:"score_rows"`
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
	s := &Sizes{Load: l, Parameters: m.NumParameters(), Trainable: m.NumTrainable(), Blocks: m.Size().Blocks, ScoreRows: rows,
		StepFLOPs:  trainer.FLOPs(m.Size(), trainer.BatchShape{Rows: 2 * l.Pairs, Tokens: l.Tokens}),
		ScoreFLOPs: trainer.ForwardFLOPs(m.Size(), rows, l.Tokens)}
	return s, errors.Join(trial.Compile(batches.Random(l.Pairs, l.Tokens, m.VocabSize(), benchSeed)), scoring)
}
