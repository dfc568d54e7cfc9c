package trainer

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
)

// TestWithoutEffect: settings that do nothing beside others are named.
func TestWithoutEffect(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"":                                    func(c *Config) { c.WarmupRatio, c.Schedule = 0.1, "constant_with_warmup" },
		"train.warmup_ratio, 0.1, has no":     func(c *Config) { c.WarmupRatio, c.WarmupSteps = 0.1, 5 },
		"constant_with_warmup has one":        func(c *Config) { c.WarmupSteps, c.Schedule = 5, "constant" },
		"metric accuracy have no effect":      func(c *Config) { c.EarlyStopping.Metric = "accuracy" },
		"early_stopping.min_delta 0.1 and me": func(c *Config) { c.EarlyStopping.MinDelta = 0.1 },
	} {
		c := Default()
		change(&c)
		got := strings.Join(c.withoutEffect(), "; ")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestWarnings: what the run's length and the number of its pairs leave without
// effect. 20 pairs in batches of 4 are 5 steps.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string // "": no warning
	}{
		{func(c *Config) { c.WarmupRatio = 0.1 }, ""},
		{func(c *Config) { c.WarmupSteps, c.LearningRate = 10, 1e-3 }, "takes 10 steps (train.warmup_steps 10) and the run makes 5: the learning rate gets no higher than 0.0004, of 0.001"},
		{func(c *Config) { c.WarmupRatio, c.LearningRate = 1, 1e-3 }, "takes 5 steps (train.warmup_ratio 1) and the run makes 5: the learning rate gets no higher than 0.0008"},
		{func(c *Config) { c.BatchSize = 20 }, ""},
		{func(c *Config) { c.BatchSize = 21 }, "train.batch_size is 21, and there are 20 training pairs: every step takes each of them once"},
		{func(c *Config) { c.GradientAccumulationSteps = 6 }, "train.batch_size 4 × train.gradient_accumulation_steps 6 = 24 pairs, and there are 20"},
		{func(c *Config) { c.EvalEvery, c.EarlyStopping.Patience = 1, 3 }, ""},
		{func(c *Config) { c.EvalEvery, c.EarlyStopping.Patience = 2, 2 }, "take 6 steps, and the run makes 5"},
	} {
		r := tinyRun(t, t.TempDir(), randomStore(t, 20))
		r.Config.BatchSize, r.Config.Epochs, r.Config.MaxSteps = 4, 1, 0
		r.Validation = r.Train
		r.Config.WarmupRatio, r.Config.WarmupSteps, r.Config.Schedule = 0, 0, "linear"
		c.change(&r.Config)
		asked, d := r.Config, data.Default()
		r.FillBatches(d)
		r.Order = r.NewOrder(d, false, false)
		got := strings.Join(r.Warnings(asked), "; ")
		r.Validation = nil
		if none := strings.Join(r.Warnings(asked), "; "); (asked.EvalEvery > 0) != strings.Contains(none, "there is nothing to evaluate (data.validation)") {
			t.Errorf("without validation pairs: %q", none)
		}
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("warnings %q, want %q", got, c.want)
		}
	}
}

// TestFillBatches: batches larger than the data are of all pairs, which gives the
// losses of those that are filled up with rows of weight 0.
func TestFillBatches(t *testing.T) {
	store, d := randomStore(t, 13), data.Default()
	var all [][]Line
	for _, fill := range []bool{true, false} {
		r := tinyRun(t, filepath.Join(t.TempDir(), "run"), store)
		r.Config.BatchSize, r.Config.Dropout = 50, 0
		if fill {
			r.FillBatches(d)
		}
		r.Order = r.NewOrder(d, false, false)
		if rows := r.Order.Epoch(store, 0)[0].Size; fill != (rows == 13) {
			t.Errorf("batches have room for %d pairs", rows)
		}
		mustTrain(t, r)
		lines, err := ReadMetrics(r.Dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lines)
	}
	for i, filled := range all[0] {
		if padded := all[1][i]; math.Abs(*filled.Loss-*padded.Loss) > 1e-6 {
			t.Errorf("step %d: loss %v, with rows of weight 0 %v", filled.Step, *filled.Loss, *padded.Loss)
		}
	}
	if len(all[0]) != 3 {
		t.Errorf("%d lines", len(all[0]))
	}
}
