// Package model is the reward model: Hugging Face directories in and out,
// the graph that gives a scalar reward for each sequence, and a scorer.
package model

import (
	"fmt"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph"
	ml "github.com/gomlx/gomlx/ml/model"
)

// Model is a reward model: a backbone with a scalar score head.
type Model struct {
	Config *Config
	Store  *ml.Store // variables by Hugging Face name, float32
	Loaded *Loaded
}

// Load reads a Hugging Face directory. Tensors that the checkpoint does not
// hold (a score head) are drawn from the seed and listed in Loaded.
func Load(dir string, seed uint64) (*Model, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	w, err := OpenWeights(dir)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", dir, err)
	}
	defer w.Close()
	m := &Model{Config: c, Store: ml.NewStore()}
	if m.Loaded, err = load(m.Store, c, w, seed); err != nil {
		return nil, fmt.Errorf("load %s: %w", dir, err)
	}
	return m, nil
}

// New makes a model from a config alone, its weights drawn from the seed.
func New(configPath string, seed uint64) (*Model, error) {
	c, err := ReadConfig(configPath)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Store: ml.NewStore(), Loaded: &Loaded{NewHead: true}}
	random := rand.New(rand.NewPCG(seed, 0))
	for _, t := range c.weights {
		if err := createVariable(m.Store, t, initial(t, c, random)); err != nil {
			return nil, err
		}
		m.Loaded.New = append(m.Loaded.New, t.name)
		m.Loaded.Tensors++
	}
	return m, nil
}

// Inputs of one forward pass.
type Inputs struct {
	IDs     *Node // [N, T] int32, padded on the right
	Lengths *Node // [N] int32
	// Seed is a uint32 scalar that decides the dropout; nil means none.
	Seed *Node
	// Dropout replaces every rate of the config where it is not negative.
	Dropout float64
}

// Reward gives the scalar reward of each row. [N] float32
func (m *Model) Reward(scope *ml.Scope, in Inputs) *Node {
	return m.Config.family.reward(newPass(scope, in))
}

// Hidden gives the output of the embeddings and of every layer, as
// output_hidden_states does, each [N, T, D], and then the rewards [N].
func (m *Model) Hidden(scope *ml.Scope, in Inputs) []*Node {
	p := newPass(scope, in)
	p.keep = true
	reward := m.Config.family.reward(p)
	return append(p.hidden, reward)
}

func newPass(scope *ml.Scope, in Inputs) *pass {
	return &pass{scope: scope, ids: in.IDs, lengths: in.Lengths, seed: in.Seed, rate: in.Dropout}
}

// Names lists the model's tensors in the order of its layers.
func (m *Model) Names() []string {
	var names []string
	for _, t := range m.Config.weights {
		names = append(names, t.name)
	}
	return names
}

// NumParameters counts the trainable values.
func (m *Model) NumParameters() int {
	n := 0
	for _, t := range m.Config.weights {
		n += t.size()
	}
	return n
}

// MaxPositions is the longest sequence the model takes, 0 for no limit.
func (m *Model) MaxPositions() int { return m.Config.family.maxPositions() }

// VocabSize is the number of ids that the embedding table has.
func (m *Model) VocabSize() int { return m.Config.weights[0].shape[0] }
