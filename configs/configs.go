// Package configs holds the configuration of a run, of training or of
// labelling: one YAML file, composed of each package's part, with the defaults
// of each in one place.
package configs

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"laurel/data"
	"laurel/feedback"
	"laurel/model"
	"laurel/trainer"
)

// Config is everything that decides a run.
type Config struct {
	Model   model.Source   `yaml:"model"`
	Data    data.Config    `yaml:"data"`
	Train   trainer.Config `yaml:"train"`
	Backend string         `yaml:"backend"` // auto | cuda | cpu | go | xla:/path/plugin.so
}

// Default is a run whose file is empty.
func Default() Config {
	return Config{Model: model.DefaultSource(), Data: data.Default(), Train: trainer.Default(), Backend: "auto"}
}

// Load reads a YAML file over the defaults, then the settings key=value of
// the command line, and checks every part. Unknown keys are errors.
func Load(path string, settings []string) (Config, error) {
	return LoadOver(path, settings, Default())
}

// LoadTrain is Load; without a path it is the defaults and the settings.
func LoadTrain(path string, settings []string) (Config, error) {
	if path == "" {
		return parseOver(nil, settings, Default())
	}
	return Load(path, settings)
}

// LoadLabel reads the configuration of a label run the same way; without a
// path it is the defaults and the settings.
func LoadLabel(path string, settings []string) (feedback.Config, error) {
	if path == "" {
		return parseOver(nil, settings, feedback.Default())
	}
	return LoadOver(path, settings, feedback.Default())
}

// LoadRevise reads the configuration of a revise run the same way.
func LoadRevise(path string, settings []string) (feedback.ReviseConfig, error) {
	if path == "" {
		return parseOver(nil, settings, feedback.DefaultRevise())
	}
	return LoadOver(path, settings, feedback.DefaultRevise())
}

// LoadGenerate reads the configuration of a generate run the same way.
func LoadGenerate(path string, settings []string) (feedback.GenerateConfig, error) {
	if path == "" {
		return parseOver(nil, settings, feedback.DefaultGenerate())
	}
	return LoadOver(path, settings, feedback.DefaultGenerate())
}

// config is a run's configuration, of whatever command.
type config interface{ Validate() error }

// LoadOver reads a file and settings over defaults that are not of this package.
func LoadOver[C config](path string, settings []string, defaults C) (C, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return defaults, fmt.Errorf("read config: %w", err)
	}
	c, err := parseOver(raw, settings, defaults)
	if err != nil {
		return c, fmt.Errorf("config %s: %w", path, err)
	}
	return c, nil
}

func parseOver[C config](raw []byte, settings []string, c C) (C, error) {
	root, err := parseYAML(raw, c)
	if err != nil {
		return c, err
	}
	for _, setting := range settings {
		if err := set(root, setting); err != nil {
			return c, err
		}
	}
	oneToList(root, reflect.TypeOf(c))
	if err := checkKeys(root, c); err != nil {
		return c, err
	}
	if err := root.Decode(&c); err != nil {
		return c, data.PlainYAML(err)
	}
	return c, c.Validate()
}

// parseYAML gives the file's mapping; an empty file is an empty mapping.
func parseYAML(raw []byte, like any) (*yaml.Node, error) {
	root, err := data.YAMLDocument(raw)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want keys: %s", root.Line, strings.Join(slices.Sorted(maps.Keys(yamlFields(reflect.TypeOf(like)))), ", "))
	}
	return root, nil
}

// set puts one key=value of the command line into the tree; the value is
// YAML, so that --set data.train=[a,b] works.
func set(root *yaml.Node, setting string) error {
	key, value, ok := strings.Cut(setting, "=")
	if !ok || key == "" {
		return fmt.Errorf("--set %q: want key=value, such as train.learning_rate=2e-5", setting)
	}
	leaf, err := data.YAMLDocument([]byte(value))
	if err != nil {
		return fmt.Errorf("--set %q: %w", setting, err)
	}
	if leaf == nil {
		leaf = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
	}
	leaf.Line = 0 // of no file
	node := root
	parts := strings.Split(key, ".")
	for _, part := range parts[:len(parts)-1] {
		child := lookup(node, part)
		if child == nil && node.Kind == yaml.MappingNode {
			child = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			put(node, part, child)
		}
		if child == nil {
			return fmt.Errorf("--set %q: there is no element %s in a list of %d", setting, part, len(node.Content))
		}
		if child.Kind != yaml.MappingNode && child.Kind != yaml.SequenceNode {
			return fmt.Errorf("--set %q: %s holds a value, not keys", setting, part)
		}
		node = child
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("--set %q: set a whole list, or a key of one of its elements", setting)
	}
	put(node, parts[len(parts)-1], leaf)
	return nil
}

// lookup is the value of a key, or the element of that number of a list.
func lookup(node *yaml.Node, key string) *yaml.Node {
	if node.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i]
		}
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func put(node *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}

// Validate asks every part, and gives all problems at once.
func (c Config) Validate() error {
	problems := []error{c.Model.Validate(), c.Data.Validate(), c.Train.Validate()}
	switch {
	case c.Backend == "auto", c.Backend == "cuda", c.Backend == "cpu", c.Backend == "go", strings.HasPrefix(c.Backend, "xla:"):
	default:
		problems = append(problems, fmt.Errorf("backend is %q, want auto, cuda, cpu, go or xla:/path/plugin.so", c.Backend))
	}
	if c.Train.EarlyStopping.Patience > 0 && c.Data.Validation.None() {
		problems = append(problems, errors.New("train.early_stopping needs data.validation: it watches the validation pairs"))
	}
	return errors.Join(problems...)
}

// YAML is the resolved configuration, as it is saved with the run.
func YAML[C config](c C) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(c); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// Changed names the keys that differ between two runs and decide their
// numbers; how often to log, evaluate or save, how long to train, and where to
// compute, do not.
func Changed(a, b Config) []string {
	for _, c := range []*Config{&a, &b} {
		c.Backend, c.Data.Workers, c.Train.Devices = "", 0, trainer.AllDevices
		c.Train.LogEvery, c.Train.EvalEvery, c.Train.SaveEvery, c.Train.Keep, c.Train.MaxBadSteps = 0, 0, 0, 0, 0
		c.Train.Log = nil
		c.Train.Epochs, c.Train.MaxSteps, c.Train.EarlyStopping = 0, 0, trainer.EarlyStopping{}
	}
	return differences(reflect.ValueOf(a), reflect.ValueOf(b), "")
}

func differences(a, b reflect.Value, path string) []string {
	if a.Kind() != reflect.Struct || len(yamlFields(a.Type())) == 0 {
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			return nil
		}
		return []string{fmt.Sprintf("%s (%v, now %v)", path, a.Interface(), b.Interface())}
	}
	var names []string
	for i := range a.NumField() {
		name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
		names = append(names, differences(a.Field(i), b.Field(i), strings.TrimPrefix(path+"."+name, "."))...)
	}
	return names
}
