package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"laurel/data/batches"
	"laurel/model"
	"laurel/trainer"
)

// Load is what is measured: steps of a model of a shape on batches that have no
// padding.
type Load struct {
	Shape      string `json:"shape"`
	Blocks     int    `json:"model_blocks,omitempty"` // 0: as many as the shape has
	Pairs      int    `json:"pairs"`                  // of a step
	Tokens     int    `json:"tokens"`                 // of a sequence
	DType      string `json:"dtype"`
	LoRA       bool   `json:"lora"`
	Checkpoint bool   `json:"gradient_checkpointing"`
	Steps      int    `json:"steps"` // measured, after the first
}

// Speed is what came of it. Times are medians, in seconds, of work that was
// waited for.
type Speed struct {
	Engine string `json:"engine"`
	Device string `json:"device"`
	Load
	Parameters int `json:"parameters"`
	Trainable  int `json:"trainable"`

	FirstStep float64 `json:"first_step_s"` // compiling included
	Step      float64 `json:"step_s"`
	Gradients float64 `json:"gradients_s"` // forward and backward
	Update    float64 `json:"update_s"`    // the rest of a step
	Slowest   float64 `json:"slowest_step_s"`

	TokensPerSecond float64 `json:"tokens_per_s"` // both sides of the pairs
	StepFLOPs       float64 `json:"step_flops"`   // trainer.FLOPs, without recomputation
	TFLOPs          float64 `json:"tflops"`       // reached, a second
	Peak            float64 `json:"peak_tflops"`  // of the device in this precision
	PeakFrom        string  `json:"peak_from"`
	MFU             float64 `json:"mfu"` // TFLOPs over Peak

	Score       float64 `json:"score_s"` // of two whole batches
	ScoreTokens float64 `json:"score_tokens_per_s"`
	ScoreMFU    float64 `json:"score_mfu"`
	MemoryBytes float64 `json:"memory_bytes"` // at most, of the device or of the process
	MemoryFrom  string  `json:"memory_from"`
	Loss        float64 `json:"loss"` // of the last step: a finite one was trained
	Plugin      string  `json:"plugin"`
}

// benchSeed draws weights and batches.
const benchSeed = 1

// Validate names what makes no sense.
func (l Load) Validate() error {
	if err := CheckShape(l.Shape); err != nil {
		return err
	}
	if l.Pairs < 1 || l.Tokens < 1 || l.Steps < 1 {
		return fmt.Errorf("pairs, tokens and steps are %d, %d and %d, want at least 1 each", l.Pairs, l.Tokens, l.Steps)
	}
	if l.Blocks < 0 {
		return fmt.Errorf("blocks are %d, want at least 1, or 0 for the shape's own", l.Blocks)
	}
	_, err := model.ParseDType(l.DType)
	return err
}

// Run measures a load on a backend. peak is the device's rate in TFLOP/s, 0 to
// look it up, or to measure it where the device is not known.
func Run(ctx context.Context, choice *model.BackendChoice, l Load, peak float64) (*Speed, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	choice.OnDemand = true
	backend, err := choice.Open()
	if err != nil {
		return nil, err
	}
	m, err := l.model()
	if err != nil {
		return nil, err
	}
	if limit := m.MaxPositions(); limit > 0 && l.Tokens > limit {
		return nil, fmt.Errorf("%d tokens are more than the %d positions of %s", l.Tokens, limit, l.Shape)
	}
	s := &Speed{Engine: "laurel", Device: deviceName(choice, backend), Load: l, Plugin: choice.PluginVersion(),
		Parameters: m.NumParameters(), Trainable: m.NumTrainable()}
	if err := s.findPeak(backend, peak); err != nil {
		return nil, err
	}
	if err := s.train(ctx, backend, m); err != nil {
		return nil, err
	}
	if err := s.score(ctx, backend, m); err != nil {
		return nil, err
	}
	s.MemoryBytes, s.MemoryFrom = usedMemory(choice)
	return s, nil
}

// model draws the load's model.
func (l Load) model() (*model.Model, error) {
	m, err := newModel(l.Shape, l.Blocks, benchSeed)
	if err != nil {
		return nil, err
	}
	return m, l.prepare(m)
}

// prepare settles the precision and the adapter.
func (l Load) prepare(m *model.Model) (err error) {
	if m.Compute, err = model.ParseDType(l.DType); err != nil {
		return err
	}
	if l.LoRA {
		lora := model.DefaultLoRA()
		lora.Rank = 16
		if err = m.AddAdapter(lora, l.Shape, benchSeed); err == nil {
			err = m.Freeze(nil) // the backbone
		}
	}
	return err
}

// trainConfig is how the load trains.
func (l Load) trainConfig() trainer.Config {
	config := trainer.Default()
	config.BatchSize, config.Dropout, config.GradientCheckpointing = l.Pairs, 0, l.Checkpoint
	return config
}

// train measures steps, and forward and backward alone.
func (s *Speed) train(ctx context.Context, backend model.Backend, m *model.Model) error {
	trial, err := trainer.NewTrial(backend, m, s.trainConfig())
	if err != nil {
		return err
	}
	batch := batches.Random(s.Pairs, s.Tokens, m.VocabSize(), benchSeed)
	step := func() (err error) {
		s.Loss, _, err = trial.Step(batch)
		return err
	}
	if s.FirstStep, err = seconds(step); err != nil {
		return err
	}
	if s.Step, s.Slowest, err = median(ctx, s.Steps, step); err != nil {
		return err
	}
	if math.IsNaN(s.Loss) || math.IsInf(s.Loss, 0) {
		return fmt.Errorf("the loss is %v after %d steps of random weights: this device's numbers are not to be trusted; laurel parity says where they differ", s.Loss, s.Steps)
	}
	if s.Gradients, _, err = median(ctx, s.Steps, func() error { return trial.Gradients(batch) }); err != nil {
		return err
	}
	s.Update = max(0, s.Step-s.Gradients)
	s.StepFLOPs = trainer.FLOPs(m.Size(), trainer.BatchShape{Rows: 2 * s.Pairs, Tokens: s.Tokens})
	s.TokensPerSecond = float64(batch.Tokens) / s.Step
	s.TFLOPs = s.StepFLOPs / s.Step / 1e12
	s.MFU = s.TFLOPs / s.Peak
	return nil
}

// score measures the scoring of two whole batches: one of which rows are left
// empty would be computed whole, and its rate be too low.
func (s *Speed) score(ctx context.Context, backend model.Backend, m *model.Model) error {
	scorer, err := model.NewScorer(backend, m)
	if err != nil {
		return err
	}
	place, err := scorer.Place(s.Tokens)
	if err != nil {
		return err
	}
	rows := place.Room / place.Takes
	texts := slices.Collect(slices.Chunk(batches.Random(rows, s.Tokens, m.VocabSize(), benchSeed).IDs, s.Tokens))
	score := func() error {
		_, err := scorer.Score(ctx, texts, nil)
		return err
	}
	if err := score(); err != nil { // compiles
		return err
	}
	if s.Score, _, err = median(ctx, s.Steps, score); err != nil {
		return err
	}
	s.ScoreTokens = float64(len(texts)*s.Tokens) / s.Score
	s.ScoreMFU = trainer.ForwardFLOPs(m.Size(), len(texts), s.Tokens) / s.Score / 1e12 / s.Peak
	return nil
}

func seconds(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

// median runs f n times.
func median(ctx context.Context, n int, f func() error) (middle, slowest float64, err error) {
	times := make([]float64, n)
	for i := range times {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		if times[i], err = seconds(f); err != nil {
			return 0, 0, err
		}
	}
	slices.Sort(times)
	return times[n/2], times[n-1], nil
}
