package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is the data part of a run's configuration.
type Config struct {
	Train      []string          `yaml:"train"`
	Validation Validation        `yaml:"validation"`
	Columns    map[string]string `yaml:"columns"` // field to column, where the file's names differ
	// LabelValues, From and PairsPerPrompt are as in ReadConfig.
	LabelValues    map[string]string `yaml:"label_values"`
	From           string            `yaml:"from"`
	PairsPerPrompt int               `yaml:"pairs_per_prompt"`
	OnBadRow       string            `yaml:"on_bad_row"`
	// IdenticalPairs says what becomes of pairs whose two sides are the same
	// ids: skip or keep.
	IdenticalPairs string       `yaml:"identical_pairs"`
	Shuffle        bool         `yaml:"shuffle"`
	Buckets        BucketChoice `yaml:"buckets"`
	// SharedPrefix says whether a pair may lie in one row, with what both of its
	// sequences begin with once: auto (where that is exact and no attention that is
	// fused or in bands is lost), on (an error where it is not exact) or off.
	SharedPrefix string `yaml:"shared_prefix"`
	// PaddingFree says whether the sequences of a batch lie one after another in one
	// row: auto (where attention is computed over their spans), on or off.
	PaddingFree string `yaml:"padding_free"`
	Workers     int    `yaml:"workers"` // 0: one a CPU
	Seed        int64  `yaml:"-"`       // the run's, of the draw of PairsPerPrompt
}

// Default is what a run does where its file is silent.
func Default() Config {
	return Config{Train: []string{}, Validation: Validation{Files: []string{}}, Columns: map[string]string{}, LabelValues: map[string]string{},
		OnBadRow: "fail", IdenticalPairs: "skip", Shuffle: true, SharedPrefix: "auto", PaddingFree: "auto"}
}

// Reading is how the files are read; say as in ReadConfig.
func (c Config) Reading(say func(file, note string)) ReadConfig {
	values := c.LabelValues
	if len(values) == 0 {
		values = nil
	}
	return ReadConfig{Columns: c.Columns, LabelValues: values, From: c.From, PairsPerPrompt: c.PairsPerPrompt, Seed: c.Seed, OnBadRow: c.OnBadRow, Say: say}
}

// Validation is files of pairs, or a share of the training files' prompts.
type Validation struct {
	Files []string
	Share float64 // 0 where there are files, or no validation
}

// None reports whether a run has no validation.
func (v Validation) None() bool { return len(v.Files) == 0 && v.Share == 0 }

// String names the files, or what the share is of.
func (v Validation) String() string {
	if v.Share != 0 {
		return fmt.Sprintf("%v of the prompts of data.train", v.Share)
	}
	return strings.Join(v.Files, ", ")
}

// UnmarshalYAML reads a number between 0 and 1, a file, or a list of files.
func (v *Validation) UnmarshalYAML(node *yaml.Node) error {
	files := []string{}
	switch {
	case node.Kind == yaml.ScalarNode && (node.Tag == "!!float" || node.Tag == "!!int"):
		if err := node.Decode(&v.Share); err != nil || !(v.Share > 0 && v.Share < 1) {
			return fmt.Errorf("data.validation is %s: want files, or a share of the prompts between 0 and 1", node.Value)
		}
	case node.Kind == yaml.ScalarNode && node.Tag == "!!str":
		files = append(files, node.Value)
	case node.Kind == yaml.SequenceNode:
		if err := node.Decode(&files); err != nil {
			return err
		}
	case node.Tag != "!!null":
		return errors.New("data.validation is neither files nor a share of the prompts")
	}
	v.Files = files
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (v Validation) MarshalYAML() (any, error) {
	if v.Share != 0 {
		return v.Share, nil
	}
	return v.Files, nil
}

// BucketChoice is auto (zero value), none, or lengths given by hand.
type BucketChoice struct {
	None    bool
	Lengths []int
}

// UnmarshalYAML reads auto, none or a list of lengths.
func (b *BucketChoice) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		switch node.Value {
		case "auto":
			*b = BucketChoice{}
			return nil
		case "none":
			*b = BucketChoice{None: true}
			return nil
		}
	}
	var lengths []int
	if err := node.Decode(&lengths); err != nil || len(lengths) == 0 {
		return fmt.Errorf("line %d: data.buckets is neither auto nor none nor a list of lengths", node.Line)
	}
	slices.Sort(lengths)
	*b = BucketChoice{Lengths: slices.Compact(lengths)}
	return nil
}

// MarshalYAML writes what UnmarshalYAML reads.
func (b BucketChoice) MarshalYAML() (any, error) {
	switch {
	case b.None:
		return "none", nil
	case b.Lengths == nil:
		return "auto", nil
	}
	return b.Lengths, nil
}

// Validate names every key whose value makes no sense.
func (c Config) Validate() error {
	var problems []error
	if len(c.Train) == 0 {
		problems = append(problems, errors.New("data.train is empty, want at least one file of pairs"))
	}
	if c.OnBadRow != "fail" && c.OnBadRow != "skip" {
		problems = append(problems, fmt.Errorf("data.on_bad_row is %q, want fail or skip", c.OnBadRow))
	}
	if c.IdenticalPairs != "skip" && c.IdenticalPairs != "keep" {
		problems = append(problems, fmt.Errorf("data.identical_pairs is %q, want skip or keep", c.IdenticalPairs))
	}
	if !slices.Contains([]string{"auto", "on", "off"}, c.SharedPrefix) {
		problems = append(problems, fmt.Errorf("data.shared_prefix is %q, want auto, on or off", c.SharedPrefix))
	}
	if !slices.Contains([]string{"auto", "on", "off"}, c.PaddingFree) {
		problems = append(problems, fmt.Errorf("data.padding_free is %q, want auto, on or off", c.PaddingFree))
	}
	if c.PaddingFree == "on" && (c.Buckets.None || c.Buckets.Lengths != nil) {
		problems = append(problems, errors.New("data.padding_free is on and data.buckets says what rows of one sequence are padded to, of which there are none: leave it auto"))
	}
	if c.PairsPerPrompt < 0 {
		problems = append(problems, fmt.Errorf("data.pairs_per_prompt is %d, want 0 (all) or more", c.PairsPerPrompt))
	}
	if names, _ := Layouts(); c.From != "" && !slices.Contains(names, c.From) {
		problems = append(problems, fmt.Errorf("data.from is %q%s, want one of %s", c.From, DidYouMean(c.From, names), List(names)))
	}
	if c.Workers < 0 {
		problems = append(problems, fmt.Errorf("data.workers is %d, want 0 (one a CPU) or more", c.Workers))
	}
	if len(c.Buckets.Lengths) > 0 && c.Buckets.Lengths[0] < 1 {
		problems = append(problems, fmt.Errorf("data.buckets holds %d, want lengths of at least 1", c.Buckets.Lengths[0]))
	}
	return errors.Join(problems...)
}
