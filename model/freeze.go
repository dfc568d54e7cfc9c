package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Freeze settles which tensors training leaves as they are. Rules are
// embeddings, layers:FIRST-LAST (or layers:N), and all-but-head; with an
// adapter, the backbone is frozen without any rule.
func (m *Model) Freeze(rules []string) error {
	var frozen []func(weight) bool
	for _, rule := range rules {
		f, err := m.freezeRule(rule)
		if err != nil {
			return fmt.Errorf("model.freeze: %w", err)
		}
		frozen = append(frozen, f)
	}
	if l := m.Adapter; l != nil {
		frozen = append(frozen, func(t weight) bool { return !l.saved(t) && !isLoRA(t.name) })
	}
	if len(frozen) == 0 {
		return nil
	}
	m.frozen = func(t weight) bool {
		for _, f := range frozen {
			if f(t) {
				return true
			}
		}
		return false
	}
	return m.checkFrozen(rules)
}

// checkFrozen refuses rules that leave nothing to train, or nothing of the adapter
// that there is to be trained.
func (m *Model) checkFrozen(rules []string) error {
	if len(m.trainable()) == 0 {
		return fmt.Errorf("model.freeze: %s leaves nothing to train", strings.Join(rules, ", "))
	}
	if frozen, adapted := m.FrozenAdapters(); adapted > 0 && frozen == adapted {
		return fmt.Errorf("model.freeze: %s freezes all %d layers that the adapter (model.lora.rank %d, model.lora.target_modules %v) adapts, so that nothing of it would be trained: an adapter freezes the weights under it without any rule; leave model.freeze out, or model.lora",
			strings.Join(rules, ", "), adapted, m.Adapter.Rank, m.Adapter.TargetModules)
	}
	return nil
}

// FrozenAdapters counts the layers that an adapter adapts, and those of them whose
// part of it is not trained.
func (m *Model) FrozenAdapters() (frozen, all int) {
	if m.Adapter == nil {
		return 0, 0
	}
	all = len(m.Adapter.targets(m.Config))
	trained := slices.DeleteFunc(m.trainable(), func(t weight) bool { return !strings.HasSuffix(t.name, loraA) })
	return all - len(trained), all
}

func isLoRA(name string) bool {
	return strings.HasSuffix(name, loraA) || strings.HasSuffix(name, loraB)
}

func (m *Model) freezeRule(rule string) (func(weight) bool, error) {
	blocks := m.Config.family.blocks()
	switch {
	case rule == "embeddings":
		return func(t weight) bool { return depth(t, blocks) == 0 }, nil
	case rule == "all-but-head":
		return func(t weight) bool { return t.group != scoreGroup && !isLoRA(t.name) }, nil
	}
	var first, last int
	span, ok := strings.CutPrefix(rule, "layers:")
	low, high, isSpan := strings.Cut(span, "-")
	if !isSpan {
		high = low
	}
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if !ok || err1 != nil || err2 != nil {
		return nil, fmt.Errorf("%q is no rule: want embeddings, layers:FIRST-LAST or all-but-head", rule)
	}
	if first < 0 || last < first || last >= blocks {
		return nil, fmt.Errorf("%q: the model's layers are 0 to %d", rule, blocks-1)
	}
	return func(t weight) bool { d := depth(t, blocks) - 1; return d >= first && d <= last }, nil
}

// Depth is how far a tensor lies above the ids: 0 for embeddings, 1 for the
// first block, blocks + 1 for what comes after the last.
func (m *Model) Depth(name string) int { return depth(weight{name: name}, m.Config.family.blocks()) }

// Depths is the largest depth there is.
func (m *Model) Depths() int { return m.Config.family.blocks() + 1 }

var blockNumber = regexp.MustCompile(`\.layers?\.(\d+)\.`)

func depth(t weight, blocks int) int {
	if found := blockNumber.FindStringSubmatch(t.name); found != nil {
		n, _ := strconv.Atoi(found[1])
		return n + 1
	}
	if strings.Contains(t.name, "embed") || strings.HasPrefix(t.name, "deberta.encoder.LayerNorm.") { // the norm of relative positions
		return 0
	}
	if strings.HasPrefix(t.name, "deberta.encoder.conv.") { // beside the first block
		return 1
	}
	return blocks + 1
}
