package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
)

// LoRA adapts linear layers by a product of two thin matrices (Hu et al.
// 2021, arXiv:2106.09685): W·x + scale·B·(A·x), with B zero at first. The
// names of the keys are PEFT's.
type LoRA struct {
	Rank          int      `yaml:"rank"` // 0: no adapter
	Alpha         float64  `yaml:"alpha"`
	Dropout       float64  `yaml:"dropout"`
	TargetModules []string `yaml:"target_modules,flow"`  // names of layers, or all-linear
	ModulesToSave []string `yaml:"modules_to_save,flow"` // trained whole beside the score head

	RankStabilised bool `yaml:"use_rslora"` // scale alpha/√rank (Kalajdzievski 2023, arXiv:2312.03732) for alpha/rank
}

// The adapter's tensors lie beside the layer's.
const (
	loraA = ".lora_A.weight"
	loraB = ".lora_B.weight"
)

// allLinear targets every linear layer of the backbone, as in PEFT.
const allLinear = "all-linear"

// DefaultLoRA is no adapter, and what one is made of where the file gives a
// rank alone.
func DefaultLoRA() LoRA {
	return LoRA{Alpha: 16, TargetModules: []string{allLinear}, ModulesToSave: []string{}}
}

// Validate names every key whose value makes no sense.
func (l *LoRA) Validate() error {
	switch {
	case l.Rank < 0 || l.Rank > mostWidth:
		return fmt.Errorf("model.lora.rank is %d, want 0 (no adapter) to %d", l.Rank, mostWidth)
	case l.Rank == 0:
		return l.withoutRank()
	case !(l.Alpha > 0) || math.IsInf(l.Alpha, 0):
		return fmt.Errorf("model.lora.alpha is %v, want more than 0", l.Alpha)
	case !(l.Dropout >= 0 && l.Dropout < 1):
		return fmt.Errorf("model.lora.dropout is %v, want 0 up to but not including 1", l.Dropout)
	case len(l.TargetModules) == 0:
		return fmt.Errorf("model.lora.target_modules is empty: name layers, or %s", allLinear)
	}
	return nil
}

// withoutRank refuses settings of an adapter that there is none of: all would be
// trained, unsaid.
func (l *LoRA) withoutRank() error {
	none := DefaultLoRA()
	var given []string
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"alpha", l.Alpha != none.Alpha}, {"dropout", l.Dropout != none.Dropout}, {"target_modules", !slices.Equal(l.TargetModules, none.TargetModules)},
		{"modules_to_save", len(l.ModulesToSave) > 0}, {"use_rslora", l.RankStabilised},
	} {
		if key.set {
			given = append(given, "model.lora."+key.name)
		}
	}
	if len(given) == 0 {
		return nil
	}
	return fmt.Errorf("%s without model.lora.rank: no adapter is trained, but the whole model: set model.lora.rank (PEFT's default is 8), or take them out", strings.Join(given, ", "))
}

func (l *LoRA) scale() float64 {
	if l.RankStabilised {
		return l.Alpha / math.Sqrt(float64(l.Rank))
	}
	return l.Alpha / float64(l.Rank)
}

// change is what the adapter adds to a layer. [..., in] to [..., out]
func (l *LoRA) change(p *pass, name string, x *Node) *Node {
	down := p.product(p.drop(x, l.Dropout), name+loraA) // [..., rank]
	return MulScalar(p.product(down, name+loraB), l.scale())
}

// weights lists the adapter's tensors of a model.
func (l *LoRA) weights(c *Config) []weight {
	var ws []weight
	for _, t := range l.targets(c) {
		layer := strings.TrimSuffix(t.name, ".weight")
		ws = append(ws,
			weight{name: layer + loraA, shape: []int{l.Rank, t.shape[1]}, init: kaiming},
			weight{name: layer + loraB, shape: []int{t.shape[0], l.Rank}, init: zeros})
	}
	return ws
}

// targets are the linear layers that are adapted.
func (l *LoRA) targets(c *Config) []weight {
	var found []weight
	for _, t := range c.weights {
		layer := strings.TrimSuffix(t.name, ".weight")
		if t.linear && !l.saved(t) && slices.ContainsFunc(l.TargetModules, func(target string) bool {
			return target == allLinear && t.group != scoreGroup || isModule(layer, target)
		}) {
			found = append(found, t)
		}
	}
	return found
}

// isModule tells whether a layer is meant by a name, which may be the end of
// the layer's, at a dot.
func isModule(layer, name string) bool {
	return layer == name || strings.HasSuffix(layer, "."+name)
}

// saved tells whether a tensor is trained whole: the score head, and what
// modules_to_save names.
func (l *LoRA) saved(t weight) bool {
	return t.group == scoreGroup || slices.ContainsFunc(l.ModulesToSave, func(module string) bool {
		return strings.HasPrefix(t.name, module+".") || strings.Contains(t.name, "."+module+".")
	})
}
