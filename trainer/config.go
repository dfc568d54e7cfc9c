package trainer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"laurel/model"
)

// Config is the train part of a run's configuration.
type Config struct {
	Epochs                    float64       `yaml:"epochs"`
	MaxSteps                  int           `yaml:"max_steps"` // 0: as many as the epochs have
	BatchSize                 int           `yaml:"batch_size"`
	GradientAccumulationSteps int           `yaml:"gradient_accumulation_steps"`
	LearningRate              float64       `yaml:"learning_rate"`
	Schedule                  string        `yaml:"schedule"`
	WarmupSteps               int           `yaml:"warmup_steps"`
	WarmupRatio               float64       `yaml:"warmup_ratio"` // of all steps, where warmup_steps is 0
	WeightDecay               float64       `yaml:"weight_decay"`
	Betas                     [2]float64    `yaml:"betas,flow"`
	Eps                       float64       `yaml:"eps"`
	MaxGradNorm               float64       `yaml:"max_grad_norm"`          // 0: no clipping
	LayerLRDecay              float64       `yaml:"layer_lr_decay"`         // of the learning rate, a layer down
	GradientCheckpointing     bool          `yaml:"gradient_checkpointing"` // computes each block twice, keeps its input only
	Devices                   Devices       `yaml:"devices"`                // that share each batch; auto: every GPU, else one
	ActivationMemory          Gigabytes     `yaml:"activation_memory"`      // that a batch computed at once may take; 0: no limit
	Dropout                   Dropout       `yaml:"dropout"`
	Confidence                string        `yaml:"confidence"` // weight | soft | ignore
	Normalize                 string        `yaml:"normalize"`  // mean | weight_sum
	Margin                    bool          `yaml:"margin"`
	LabelSmoothing            float64       `yaml:"label_smoothing"`
	CenterRewardsCoefficient  float64       `yaml:"center_rewards_coefficient"`
	EvalEvery                 int           `yaml:"eval_every"` // 0: at the end
	SaveEvery                 int           `yaml:"save_every"` // 0: at the end
	EarlyStopping             EarlyStopping `yaml:"early_stopping"`
	Keep                      int           `yaml:"keep"` // newest checkpoints kept, beside the best
	LogEvery                  int           `yaml:"log_every"`
	Log                       []string      `yaml:"log,flow"`      // jsonl, and tensorboard where wanted
	MaxBadSteps               int           `yaml:"max_bad_steps"` // non-finite steps, in all, that end the run
	Seed                      uint64        `yaml:"seed"`
}

// Default is what a run does where its file is silent.
func Default() Config {
	return Config{Epochs: 1, BatchSize: 8, GradientAccumulationSteps: 1, LearningRate: 2e-5, Schedule: "linear",
		WeightDecay: 0.01, Betas: [2]float64{0.9, 0.999}, Eps: 1e-8, MaxGradNorm: 1, LayerLRDecay: 1, ActivationMemory: AutoMemory, Dropout: Auto,
		Confidence: "weight", Normalize: "mean", Margin: true, EarlyStopping: EarlyStopping{Metric: "loss"}, Keep: 2, LogEvery: 10, Log: []string{LogJSONL}, MaxBadSteps: 3, Seed: 42}
}

// Devices is how many devices work on each batch, or AllDevices.
type Devices int

// AllDevices are all GPUs, or one device of another kind.
const AllDevices Devices = 0

// UnmarshalYAML reads "auto" or a number.
func (d *Devices) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "auto" {
		*d = AllDevices
		return nil
	}
	n, err := strconv.Atoi(node.Value)
	if err != nil || n < 1 {
		return fmt.Errorf("line %d: train.devices is %q, want auto or a number from 1", node.Line, node.Value)
	}
	*d = Devices(n)
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (d Devices) MarshalYAML() (any, error) {
	if d == AllDevices {
		return "auto", nil
	}
	return int(d), nil
}

// Gigabytes are 10⁹ bytes each, or AutoMemory.
type Gigabytes float64

// AutoMemory lets the backend decide.
const AutoMemory Gigabytes = -1

// Bytes are those of so many gigabytes.
func (m Gigabytes) Bytes() float64 { return 1e9 * float64(m) }

// UnmarshalYAML reads "auto" or a number.
func (m *Gigabytes) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "auto" {
		*m = AutoMemory
		return nil
	}
	n, err := strconv.ParseFloat(node.Value, 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return fmt.Errorf("line %d: train.activation_memory is %q, want auto, or gigabytes from 0 (no limit)", node.Line, node.Value)
	}
	*m = Gigabytes(n)
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (m Gigabytes) MarshalYAML() (any, error) {
	if m == AutoMemory {
		return "auto", nil
	}
	return float64(m), nil
}

// Dropout is a rate for every dropout of the model, FromModel or Auto.
type Dropout float64

const (
	// FromModel leaves each rate as the model's config.json has it.
	FromModel Dropout = -1
	// Auto is 0 for decoders, as TRL trains reward models (disable_dropout), and
	// FromModel for encoders, as transformers' Trainer does.
	Auto Dropout = -2
)

// For settles Auto by the model.
func (d Dropout) For(m *model.Model) Dropout {
	switch {
	case d != Auto:
		return d
	case m.Causal():
		return 0
	}
	return FromModel
}

// UnmarshalYAML reads auto, from_model or a rate.
func (d *Dropout) UnmarshalYAML(node *yaml.Node) error {
	switch node.Value {
	case "auto":
		*d = Auto
		return nil
	case "from_model":
		*d = FromModel
		return nil
	}
	rate, err := strconv.ParseFloat(node.Value, 64)
	if err != nil || !(rate >= 0 && rate < 1) {
		return fmt.Errorf("line %d: train.dropout is %q, want auto, from_model or a rate from 0 up to but not including 1", node.Line, node.Value)
	}
	*d = Dropout(rate)
	return nil
}

// String is the setting as a config has it.
func (d Dropout) String() string {
	switch d {
	case Auto:
		return "auto"
	case FromModel:
		return "from_model"
	}
	return strconv.FormatFloat(float64(d), 'g', -1, 64)
}

// MarshalYAML writes what UnmarshalYAML reads.
func (d Dropout) MarshalYAML() (any, error) {
	if d < 0 {
		return d.String(), nil
	}
	return float64(d), nil
}

// Validate names every key whose value makes no sense.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("train.%s is %v, want %s", key, value, want))
		}
	}
	oneOf := func(key, value string, allowed ...string) {
		for _, a := range allowed {
			if value == a {
				return
			}
		}
		check(false, key, strconv.Quote(value), fmt.Sprintf("one of %v", allowed))
	}
	check(finite(c.Epochs) && c.Epochs > 0, "epochs", c.Epochs, "more than 0")
	check(c.MaxSteps >= 0, "max_steps", c.MaxSteps, "0 (as many as the epochs have) or more")
	check(c.LayerLRDecay > 0 && c.LayerLRDecay <= 1, "layer_lr_decay", c.LayerLRDecay, "more than 0, at most 1 (no decay)")
	check(c.BatchSize >= 1, "batch_size", c.BatchSize, "at least 1")
	check(c.GradientAccumulationSteps >= 1, "gradient_accumulation_steps", c.GradientAccumulationSteps, "at least 1")
	check(finite(c.LearningRate) && c.LearningRate > 0, "learning_rate", c.LearningRate, "more than 0")
	check(c.WarmupSteps >= 0, "warmup_steps", c.WarmupSteps, "0 or more")
	check(c.WarmupRatio >= 0 && c.WarmupRatio <= 1, "warmup_ratio", c.WarmupRatio, "0 to 1")
	check(finite(c.WeightDecay) && c.WeightDecay >= 0, "weight_decay", c.WeightDecay, "0 or more")
	for _, beta := range c.Betas {
		check(beta >= 0 && beta < 1, "betas", c.Betas, "two numbers from 0 up to but not including 1")
	}
	check(c.Eps > 0 && finite(c.Eps), "eps", c.Eps, "more than 0")
	check(c.MaxGradNorm >= 0 && finite(c.MaxGradNorm), "max_grad_norm", c.MaxGradNorm, "0 (no clipping) or more")
	oneOf("confidence", c.Confidence, "weight", "soft", "ignore")
	oneOf("normalize", c.Normalize, "mean", "weight_sum")
	check(c.LabelSmoothing >= 0 && c.LabelSmoothing < 0.5, "label_smoothing", c.LabelSmoothing, "0 up to but not including 0.5")
	check(c.CenterRewardsCoefficient >= 0 && finite(c.CenterRewardsCoefficient), "center_rewards_coefficient", c.CenterRewardsCoefficient, "0 or more")
	check(c.EvalEvery >= 0, "eval_every", c.EvalEvery, "0 (at the end) or more")
	check(c.SaveEvery >= 0, "save_every", c.SaveEvery, "0 (at the end) or more")
	check(c.Keep >= 1, "keep", c.Keep, "at least 1")
	check(c.LogEvery >= 1, "log_every", c.LogEvery, "at least 1")
	known := slices.Contains(c.Log, LogJSONL) && !slices.ContainsFunc(c.Log, func(name string) bool { return name != LogJSONL && name != LogTensorBoard })
	check(known, "log", c.Log, "[jsonl] or [jsonl, tensorboard]: resuming, report and board read metrics.jsonl")
	check(c.MaxBadSteps >= 1, "max_bad_steps", c.MaxBadSteps, "at least 1")
	if err := checkSchedule(c.Schedule); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(append(problems, c.EarlyStopping.validate(c.EvalEvery))...)
}

// warmup is the number of warm-up steps of a run of so many steps.
func (c Config) warmup(total int) int {
	if c.WarmupSteps > 0 {
		return c.WarmupSteps
	}
	return int(math.Ceil(float64(total) * c.WarmupRatio))
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
