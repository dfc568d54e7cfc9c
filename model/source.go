package model

import (
	"errors"
	"fmt"
	"time"

	"github.com/gomlx/compute/dtypes"
)

// Source is the model part of a run's configuration: where the model comes
// from and how text is cut for it.
type Source struct {
	Path           string   `yaml:"path"` // a run, a Hugging Face directory, or a hub name
	Revision       string   `yaml:"revision"`
	Config         string   `yaml:"config"`          // a config.json to start from scratch, its tokenizer beside it
	MaxLength      int      `yaml:"max_length"`      // in tokens; 0: as the model was trained, else 512 where tokenizer and positions allow it
	TruncationSide string   `yaml:"truncation_side"` // left | right; "": as the model was trained, else left
	TemplateDate   string   `yaml:"template_date"`   // YYYY-MM-DD, for chat templates that ask for the date; "" is the day of training
	DType          string   `yaml:"dtype"`           // of matrix products: float32 | bfloat16
	BaseDType      string   `yaml:"base_dtype"`      // of the matrices under an adapter: float32 | bfloat16
	Head           Head     `yaml:"head"`
	LoRA           LoRA     `yaml:"lora"`
	Freeze         []string `yaml:"freeze,flow"` // embeddings | layers:FIRST-LAST | all-but-head
}

// DefaultSource is what a run does where its file is silent.
func DefaultSource() Source {
	return Source{Revision: "main", DType: "float32", BaseDType: "float32", LoRA: DefaultLoRA(), Freeze: []string{}}
}

// Validate names every key whose value makes no sense.
func (s Source) Validate() error {
	var problems []error
	if (s.Path == "") == (s.Config == "") {
		problems = append(problems, errors.New("model needs one of path (a model to start from) and config (a config.json to start from scratch)"))
	}
	if s.MaxLength < 0 {
		problems = append(problems, fmt.Errorf("model.max_length is %d, want at least 1, or 0 for what the model was trained with", s.MaxLength))
	}
	if s.TruncationSide != "" && s.TruncationSide != "left" && s.TruncationSide != "right" {
		problems = append(problems, fmt.Errorf("model.truncation_side is %q, want left or right", s.TruncationSide))
	}
	if _, err := time.Parse(time.DateOnly, s.TemplateDate); err != nil && s.TemplateDate != "" {
		problems = append(problems, fmt.Errorf("model.template_date is %q, want a date as 2026-01-31", s.TemplateDate))
	}
	if _, err := ParseDType(s.DType); err != nil {
		problems = append(problems, fmt.Errorf("model.dtype %w", err))
	}
	if half, err := ParseBaseDType(s.BaseDType); err != nil {
		problems = append(problems, fmt.Errorf("model.base_dtype %w", err))
	} else if half && s.LoRA.Rank == 0 {
		problems = append(problems, errors.New("model.base_dtype is \"bfloat16\", which is for weights frozen under an adapter: set model.lora.rank too, or leave it float32"))
	}
	if err := s.Head.validate(); err != nil {
		problems = append(problems, fmt.Errorf("model.head: %w", err))
	}
	return errors.Join(append(problems, s.LoRA.Validate())...)
}

// ParseDType reads the precision of matrix products.
func ParseDType(name string) (dtypes.DType, error) {
	switch name {
	case "float32":
		return dtypes.Float32, nil
	case "bfloat16":
		return dtypes.BFloat16, nil
	}
	return dtypes.InvalidDType, fmt.Errorf("is %q, want float32 or bfloat16", name)
}
