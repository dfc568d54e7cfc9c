package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"laurel/eval/draw"
	"laurel/trainer"
)

// madeBy are the facts that end every report's list: when it was written, and by
// which laurel.
func madeBy() []draw.Fact {
	return []draw.Fact{{Name: "date", Value: time.Now().Format("2006-01-02 15:04 MST")}, {Name: "laurel", Value: readBuild().line()}}
}

// facts are what the run was made with.
func (t *training) facts(p *prepared, result *trainer.Result) []draw.Fact {
	c, m := t.config.Train, t.config.Model
	facts := []draw.Fact{{Name: "run", Value: t.dir}, {Name: "base model", Value: t.baseModel()},
		{Name: "parameters", Value: fmt.Sprintf("%d, of them trained %d; products in %s", p.Model.NumParameters(), p.Model.NumTrainable(), m.DType)},
		{Name: "training pairs", Value: pairsOf(strings.Join(t.config.Data.Train, ", "), p.Train.Len())}}
	if p.Validation != nil {
		facts = append(facts, draw.Fact{Name: "validation pairs", Value: pairsOf(t.config.Data.Validation.String(), p.Validation.Len())})
	}
	if m.LoRA.Rank > 0 {
		facts = append(facts, draw.Fact{Name: "adapter", Value: fmt.Sprintf("LoRA, rank %d, alpha %v, dropout %v", m.LoRA.Rank, m.LoRA.Alpha, m.LoRA.Dropout)})
	}
	facts = append(facts, draw.Fact{Name: "max_length", Value: fmt.Sprintf("%d, cut on the %s", p.scored.MaxLength, m.TruncationSide)},
		draw.Fact{Name: "learning rate", Value: fmt.Sprintf("%g, %s, %s", c.LearningRate, c.Schedule, warmup(c))},
		draw.Fact{Name: "batch", Value: batch(c)},
		draw.Fact{Name: "steps", Value: fmt.Sprintf("%d, of %g epochs; %d skipped as not finite", result.State.Step, c.Epochs, result.State.Skipped)},
		draw.Fact{Name: "loss", Value: c.LossName() + ", normalised by " + c.Normalize},
		draw.Fact{Name: "dropout", Value: dropout(c)},
		draw.Fact{Name: "weight decay, clipping", Value: fmt.Sprintf("%g, gradient norm %g", c.WeightDecay, c.MaxGradNorm)},
		draw.Fact{Name: "seed", Value: strconv.FormatUint(c.Seed, 10)},
		draw.Fact{Name: "backend", Value: p.choice.String()})
	return append(facts, madeBy()...)
}

// baseModel is what training began from.
func (t *training) baseModel() string {
	m := t.config.Model
	switch {
	case m.Config != "":
		return "from scratch by " + m.Config
	case m.Revision != "" && m.Revision != "main":
		return m.Path + " at " + m.Revision
	}
	return m.Path
}

func pairsOf(set string, n int) string {
	return fmt.Sprintf("%d of %s", n, set)
}

func warmup(c trainer.Config) string {
	if c.WarmupSteps > 0 {
		return fmt.Sprintf("warm-up of %d steps", c.WarmupSteps)
	}
	return fmt.Sprintf("warm-up of %g of the steps", c.WarmupRatio)
}

func batch(c trainer.Config) string {
	if c.GradientAccumulationSteps > 1 {
		return fmt.Sprintf("%d pairs, %d batches a step", c.BatchSize, c.GradientAccumulationSteps)
	}
	return fmt.Sprintf("%d pairs", c.BatchSize)
}

func dropout(c trainer.Config) string {
	if c.Dropout == trainer.FromModel {
		return "as the model's config.json has it; off in validation"
	}
	return fmt.Sprintf("%g; off in validation", float64(c.Dropout))
}
