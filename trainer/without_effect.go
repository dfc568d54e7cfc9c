package trainer

import "fmt"

// withoutEffect names settings that have no effect beside others, and which of two that
// contradict each other counts.
func (c Config) withoutEffect() (warnings []string) {
	warn := func(when bool, format string, args ...any) {
		if when {
			warnings = append(warnings, fmt.Sprintf(format, args...))
		}
	}
	warmup := c.WarmupSteps > 0 || c.WarmupRatio > 0
	constant := c.Schedule == "constant" && warmup
	warn(constant, "train.schedule constant has no warm-up, as in transformers: train.warmup_steps %d and train.warmup_ratio %v have no effect (train.schedule=constant_with_warmup has one)", c.WarmupSteps, c.WarmupRatio)
	warn(!constant && c.WarmupSteps > 0 && c.WarmupRatio > 0, "the warm-up takes train.warmup_steps, %d; train.warmup_ratio, %v, has no effect beside it", c.WarmupSteps, c.WarmupRatio)
	e, silent := c.EarlyStopping, Default().EarlyStopping
	warn(e.Patience == 0 && (e.MinDelta != silent.MinDelta || e.Metric != silent.Metric), "train.early_stopping.patience is 0, which never stops: train.early_stopping.min_delta %v and metric %s have no effect", e.MinDelta, e.Metric)
	return warnings
}

// Warnings are of what is allowed and hardly meant: settings, as they were asked for,
// that the run's length or the number of its pairs deprives of their effect.
func (r Run) Warnings(asked Config) (warnings []string) {
	c, total := asked, r.Steps()
	warnings = c.withoutEffect()
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if warmup := c.warmup(total); warmup >= total && warmup > 0 && c.Schedule != "constant" {
		key := fmt.Sprintf("train.warmup_steps %d", c.WarmupSteps)
		if c.WarmupSteps == 0 {
			key = fmt.Sprintf("train.warmup_ratio %v", c.WarmupRatio)
		}
		warn("the warm-up takes %d steps (%s) and the run makes %d: the learning rate gets no higher than %.3g, of %g (train.learning_rate)", warmup, key, total, r.schedule(total).At(total-1), c.LearningRate)
	}
	if pairs := r.Train.Len(); c.BatchSize*c.GradientAccumulationSteps > pairs {
		of := fmt.Sprintf("train.batch_size is %d", c.BatchSize)
		if c.GradientAccumulationSteps > 1 {
			of = fmt.Sprintf("a step has train.batch_size %d × train.gradient_accumulation_steps %d = %d pairs", c.BatchSize, c.GradientAccumulationSteps, c.BatchSize*c.GradientAccumulationSteps)
		}
		does := "every step takes each of them once"
		if r.Order.Wrap {
			does = "every step takes some of them several times (data.shuffle is false, data.buckets none)"
		}
		warn("%s, and there are %d training pairs: %s", of, pairs, does)
	}
	if c.EvalEvery > 0 && r.Validation == nil {
		warn("train.eval_every is %d and there is nothing to evaluate (data.validation)", c.EvalEvery)
	}
	if e := c.EarlyStopping; e.Patience > 0 && (e.Patience+1)*c.EvalEvery >= total {
		warn("train.early_stopping cannot end the run early: a first validation and %d more without improvement (train.early_stopping.patience), one every %d steps (train.eval_every), take %d steps, and the run makes %d", e.Patience, c.EvalEvery, (e.Patience+1)*c.EvalEvery, total)
	}
	return warnings
}
