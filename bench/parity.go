package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"laurel/data/batches"
	"laurel/eval/stats"
	"laurel/model"
	"laurel/trainer"
)

// Comparison holds a family's numbers on a backend to those of the pure-Go
// backend in float32, from the same random weights.
type Comparison struct {
	Family string `json:"family"`
	DType  string `json:"dtype"`

	// Differences are undefined where a number of either side is none.
	Rewards  stats.Value `json:"rewards"`   // largest difference, over the largest reward
	Loss     stats.Value `json:"loss"`      // largest relative difference over the steps
	GradNorm stats.Value `json:"grad_norm"` // the same, of the gradients' norm
	Trained  stats.Value `json:"trained"`   // largest difference of rewards after the steps, over the largest
	// Changed counts texts whose reward is another one, bit for bit, when they
	// are scored alone or in another order.
	Changed int `json:"changed"`

	Limits Limits `json:"limits"`
	Passed bool   `json:"passed"`
}

// Limits are the largest differences that pass.
type Limits struct {
	Rewards  float64 `json:"rewards"`
	Loss     float64 `json:"loss"`
	GradNorm float64 `json:"grad_norm"`
	Trained  float64 `json:"trained"`
}

// limits of a precision, about five times what XLA on a CPU differs by:
// float32 differs by the order of its sums, and Adam's division makes the
// differences of small gradients as large as a step; bfloat16 keeps 8 bits of
// each operand (2⁻⁹ relative).
var limits = map[string]Limits{
	"float32":  {Rewards: 1e-5, Loss: 2e-5, GradNorm: 5e-5, Trained: 1e-2},
	"bfloat16": {Rewards: 0.05, Loss: 0.02, GradNorm: 0.05, Trained: 0.25},
}

// What a comparison does: rewards of so many texts, then so many steps.
const (
	paritySeed   = 7
	parityTexts  = 24
	parityTokens = 64
	paritySteps  = 20
	parityPairs  = 4
	parityRate   = 1e-4
)

// Parity compares one family (of Families) in each precision.
func Parity(ctx context.Context, backend model.Backend, family string, dtypes []string) ([]Comparison, error) {
	reference, err := referenceNumbers(ctx, family)
	if err != nil {
		return nil, fmt.Errorf("%s on the Go backend: %w", family, err)
	}
	var compared []Comparison
	for _, dtype := range dtypes {
		got, err := numbersOf(ctx, backend, family, dtype)
		if err != nil {
			return nil, fmt.Errorf("%s in %s: %w", family, dtype, err)
		}
		compared = append(compared, compare(family, dtype, got, reference))
	}
	return compared, nil
}

func compare(family, dtype string, got, reference numbers) Comparison {
	c := Comparison{Family: family, DType: dtype, Limits: limits[dtype]}
	c.Rewards = stats.Value(spreadOf(got.rewards, reference.rewards))
	c.Trained = stats.Value(spreadOf(got.trained, reference.trained))
	c.Loss = stats.Value(relative(got.losses, reference.losses))
	c.GradNorm = stats.Value(relative(got.norms, reference.norms))
	c.Changed = got.changed
	within := func(difference stats.Value, limit float64) bool { return float64(difference) <= limit } // NaN is not
	c.Passed = within(c.Rewards, c.Limits.Rewards) && within(c.Loss, c.Limits.Loss) && within(c.GradNorm, c.Limits.GradNorm) && within(c.Trained, c.Limits.Trained) && c.Changed == 0
	return c
}

// numbers are what is compared.
type numbers struct {
	rewards, trained []float32 // before and after the steps
	losses, norms    []float64
	changed          int
}

func referenceNumbers(ctx context.Context, family string) (numbers, error) {
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		return numbers{}, err
	}
	return numbersOf(ctx, backend, family, "float32")
}

func numbersOf(ctx context.Context, backend model.Backend, family, dtype string) (n numbers, err error) {
	m, err := newModel(tiny+family, 0, paritySeed)
	if err != nil {
		return n, err
	}
	if m.Compute, err = model.ParseDType(dtype); err != nil {
		return n, err
	}
	scorer, err := model.NewScorer(backend, m)
	if err != nil {
		return n, err
	}
	texts := randomTexts(m.VocabSize())
	if n.rewards, err = scorer.Score(ctx, texts, nil); err != nil {
		return n, err
	}
	if n.changed, err = changed(ctx, scorer, texts, n.rewards); err != nil {
		return n, err
	}
	if err := n.train(ctx, backend, m); err != nil {
		return n, err
	}
	n.trained, err = scorer.Score(ctx, texts, nil)
	return n, err
}

// train makes the steps, without dropout, whose random numbers each backend
// draws as it likes.
func (n *numbers) train(ctx context.Context, backend model.Backend, m *model.Model) error {
	config := trainer.Default()
	config.Dropout, config.LearningRate = 0, parityRate
	trial, err := trainer.NewTrial(backend, m, config)
	if err != nil {
		return err
	}
	for i := range paritySteps {
		if err := ctx.Err(); err != nil {
			return err
		}
		loss, norm, err := trial.Step(batches.Random(parityPairs, parityTokens, m.VocabSize(), uint64(i)))
		if err != nil {
			return err
		}
		n.losses, n.norms = append(n.losses, loss), append(n.norms, norm)
	}
	return nil
}

// changed counts the texts whose reward depends on what is scored beside them.
func changed(ctx context.Context, scorer *model.Scorer, texts [][]int32, rewards []float32) (int, error) {
	backwards := slices.Clone(texts)
	slices.Reverse(backwards)
	again, err := scorer.Score(ctx, backwards, nil)
	if err != nil {
		return 0, err
	}
	slices.Reverse(again)
	count := 0
	for i, text := range texts {
		alone, err := scorer.Score(ctx, [][]int32{text}, nil)
		if err != nil {
			return 0, err
		}
		if alone[0] != rewards[i] || again[i] != rewards[i] {
			count++
		}
	}
	return count, nil
}

// randomTexts have 1 to twice parityTokens ids each.
func randomTexts(vocab int) [][]int32 {
	random := rand.New(rand.NewPCG(paritySeed, 1))
	texts := make([][]int32, parityTexts)
	for i := range texts {
		texts[i] = make([]int32, 1+random.IntN(2*parityTokens))
		for j := range texts[i] {
			texts[i][j] = int32(3 + random.IntN(vocab-3)) // no padding, no end of text
		}
	}
	return texts
}

// spreadOf is the largest difference, over the largest value wanted.
func spreadOf(got, want []float32) float64 {
	worst, scale := 0.0, 0.0
	for i := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(want[i]))) // NaN stays
		scale = max(scale, math.Abs(float64(want[i])))
	}
	return worst / scale
}

// relative is the largest relative difference.
func relative(got, want []float64) float64 {
	worst := 0.0
	for i := range want {
		worst = max(worst, math.Abs(got[i]-want[i])/math.Abs(want[i]))
	}
	return worst
}
