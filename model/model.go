// Package model is the reward model: Hugging Face directories in and out,
// the graph that gives a scalar reward for each sequence, and a scorer.
package model

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"laurel/model/safetensors"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"
)

// Model is a reward model: a backbone with a scalar score head.
type Model struct {
	Config  *Config
	Store   *ml.Store // variables by Hugging Face name, float32, or bfloat16 (LoadBase); nil for an outline
	Loaded  *Loaded
	Compute dtypes.DType // of matrix products: Float32 or BFloat16; the rest is float32 either way
	Adapter *Adapter     // nil: none

	frozen func(weight) bool       // nil: nothing is
	half   func(weight) bool       // what is kept in bfloat16; nil: nothing is
	mesh   *distributed.DeviceMesh // of the devices that compute; nil: one device
}

// Load reads a Hugging Face directory. Tensors that the checkpoint does not
// hold (a score head) are drawn from the seed and listed in Loaded.
func Load(dir string, seed uint64) (*Model, error) { return LoadWithHead(dir, seed, Head{}) }

// LoadWithHead is Load with another pooling and score head than the
// config's; the zero Head leaves the config's.
func LoadWithHead(dir string, seed uint64, head Head) (*Model, error) {
	return LoadBase(dir, seed, head, Base{})
}

// Outline is what LoadWithHead would load, without values: the checkpoint's
// names and shapes are held to the config, and no tensor is read.
func Outline(dir string, head Head) (*Model, error) {
	m, err := withoutValues(dir, head)
	if err != nil {
		return nil, err
	}
	if err := m.loadDir(dir, 0); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Model) loadDir(dir string, seed uint64) error {
	w, err := safetensors.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("load %s: %w", dir, err)
	}
	defer w.Close()
	if err := m.load(w, seed); err != nil {
		return fmt.Errorf("load %s: %w", dir, err)
	}
	return nil
}

// withoutValues reads a config.
func withoutValues(configPath string, head Head) (*Model, error) {
	c, err := ReadConfig(configPath)
	if err != nil {
		return nil, err
	}
	if !head.Own() {
		c.SetHead(head)
	}
	return &Model{Config: c, Compute: dtypes.Float32}, nil
}

// New makes a model from a config alone, its weights drawn from the seed.
func New(configPath string, seed uint64, head Head) (*Model, error) {
	m, err := NewOutline(configPath, head)
	if err != nil {
		return nil, err
	}
	m.Store = ml.NewStore()
	if err := m.draw(m.Config.weights, rand.New(rand.NewPCG(seed, 0))); err != nil {
		return nil, fmt.Errorf("model config %s: %w", configPath, err)
	}
	return m, nil
}

// NewZeros is New with every weight 0: to look at programs, which are the same
// whatever the weights.
func NewZeros(configPath string, head Head) (*Model, error) {
	m, err := NewOutline(configPath, head)
	if err != nil {
		return nil, err
	}
	m.Store = ml.NewStore()
	for _, t := range m.Config.weights {
		if _, err := m.Store.CreateVariable("/"+t.name, tensors.FromShape(shapes.Make(dtypes.Float32, t.shape...))); err != nil {
			return nil, fmt.Errorf("model config %s: %w", configPath, err)
		}
	}
	return m, nil
}

// NewOutline is what New would make, without values.
func NewOutline(configPath string, head Head) (*Model, error) {
	m, err := withoutValues(configPath, head)
	if err != nil {
		return nil, err
	}
	m.Loaded = &Loaded{NewHead: true, Tensors: len(m.Config.weights)}
	for _, t := range m.Config.weights {
		m.Loaded.New = append(m.Loaded.New, t.name)
	}
	return m, nil
}

// tensors lists every tensor of the model, an adapter's included.
func (m *Model) tensors() []weight {
	if m.Adapter == nil {
		return m.Config.weights
	}
	return append(slices.Clone(m.Config.weights), m.Adapter.weights(m.Config)...)
}

// trainable lists the tensors that training changes.
func (m *Model) trainable() []weight {
	if m.frozen == nil {
		return m.tensors()
	}
	return slices.DeleteFunc(slices.Clone(m.tensors()), m.frozen)
}

// Trainable names the tensors that training changes, in the order of the
// model's layers.
func (m *Model) Trainable() []string {
	var names []string
	for _, t := range m.trainable() {
		names = append(names, t.name)
	}
	return names
}

// NumParameters counts the values of all tensors, NumTrainable of those that
// training changes.
func (m *Model) NumParameters() int { return totalSize(m.tensors()) }

// NumTrainable counts the values that training changes.
func (m *Model) NumTrainable() int { return totalSize(m.trainable()) }

func totalSize(ws []weight) int {
	n := 0
	for _, t := range ws {
		n += t.size()
	}
	return n
}

// TrainedPositions is the longest sequence that the config of a model with rotary
// embeddings says it was trained for, 0 for one without. It is no limit.
func (m *Model) TrainedPositions() int { return m.Config.family.about().trained }

// MaxPositions is the longest sequence the model takes, 0 for no limit.
func (m *Model) MaxPositions() int { return m.Config.family.about().positions }

// Causal tells a decoder from an encoder.
func (m *Model) Causal() bool { return m.Config.family.about().causal }

// VocabSize is the number of ids that the embedding table has.
func (m *Model) VocabSize() int { return m.Config.weights[0].shape[0] }

// Class is the name of transformers' class for the model.
func (c *Config) Class() string { return c.family.about().class }

// Key is a key of config.json as the file has it, nil where it has none.
func (c *Config) Key(name string) json.RawMessage { return c.keys[name] }

// ZeroHead names the matrices of the score head that hold nothing but zeros,
// through which every text gets the same reward.
func (m *Model) ZeroHead() ([]string, error) {
	var names []string
	for _, t := range m.Config.weights {
		if t.group != scoreGroup || len(t.shape) < 2 {
			continue
		}
		values, err := m.values("/" + t.name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(values, func(v float32) bool { return v != 0 }) {
			names = append(names, t.name)
		}
	}
	return names, nil
}
