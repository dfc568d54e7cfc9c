package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// adapterTargets says which layers PEFT puts LoRA on by adapter_config.json
// (check_target_module_exists of peft/tuners/tuners_utils.py, 0.21).
type adapterTargets struct {
	targets, excluded modules
	saved             []*regexp.Regexp // modules that are trained whole, and not adapted
	only              []int            // blocks, where not all are adapted
	block             []*regexp.Regexp // whose group idx is a layer's block
	sequences         bool             // the adapter was trained on a classifier, which has a head
}

// modules is what a key of PEFT's names layers by: the ends of their names, at
// a dot, or a regular expression of whole names. The zero value names none.
type modules struct {
	names   []string
	pattern *regexp.Regexp
	linear  bool // every linear layer but the head's
}

func (m *modules) has(t weight, layer string) bool {
	switch {
	case m.linear:
		return t.linear && t.group != scoreGroup
	case m.pattern != nil:
		return m.pattern.MatchString(layer)
	}
	return slices.ContainsFunc(m.names, func(name string) bool { return isModule(layer, name) })
}

// adapts tells whether PEFT adapts a layer.
func (a *adapterTargets) adapts(t weight, layer string) bool {
	saved := func(module *regexp.Regexp) bool { return module.MatchString(layer) }
	if a.excluded.has(t, layer) || slices.ContainsFunc(a.saved, saved) || !a.targets.has(t, layer) {
		return false
	}
	return a.only == nil || a.targets.names == nil || slices.Contains(a.targets.names, layer) || slices.Contains(a.only, a.blockOf(layer))
}

// blockOf is the number of the block that a layer is in, -1 for none.
func (a *adapterTargets) blockOf(layer string) int {
	for _, pattern := range a.block {
		if found := pattern.FindStringSubmatch(layer); found != nil {
			if n, err := strconv.Atoi(found[pattern.SubexpIndex("idx")]); err == nil {
				return n
			}
		}
	}
	return -1
}

// unreadPattern is a regular expression of Python's that Go's has no way to
// compute, such as one that looks ahead.
type unreadPattern struct{ error }

func compile(key, pattern string) (*regexp.Regexp, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, unreadPattern{fmt.Errorf("key %q: %w", key, err)}
	}
	return compiled, nil
}

// parseTargets reads the keys that say what is adapted.
func (c *adapterConfig) parseTargets(of *Config) (*adapterTargets, error) {
	a := &adapterTargets{sequences: c.TaskType == sequenceTask}
	var err error
	if a.targets, err = parseModules("target_modules", c.TargetModules); err != nil {
		return nil, err
	}
	if !given(c.TargetModules) {
		if a.targets.names = peftTargets(of); a.targets.names == nil {
			return nil, fmt.Errorf("key %q is not given, and PEFT has no layers of its own for a %s model: name those that were adapted", "target_modules", of.ModelType)
		}
	}
	if a.excluded, err = parseModules("exclude_modules", c.ExcludeModules); err != nil {
		return nil, err
	}
	for _, module := range c.saved() {
		pattern, err := compile("modules_to_save", `^(?:|.*\.)(?:`+module+`)(?:$|\..*)`)
		if err != nil {
			return nil, err
		}
		a.saved = append(a.saved, pattern)
	}
	return a, c.parseBlocks(a)
}

// parseBlocks reads layers_to_transform, a number or a list, and layers_pattern,
// what stands before it in a layer's name.
func (c *adapterConfig) parseBlocks(a *adapterTargets) error {
	var one int
	switch raw := c.LayersToTransform; {
	case !given(raw):
		return nil
	case json.Unmarshal(raw, &one) == nil:
		a.only = []int{one}
	case json.Unmarshal(raw, &a.only) != nil:
		return fmt.Errorf("key %q is %s, want a number or a list of them", "layers_to_transform", oneLine(raw))
	case len(a.only) == 0:
		a.only = nil
	}
	patterns, err := textOrList("layers_pattern", c.LayersPattern)
	if err != nil {
		return err
	}
	if len(patterns) == 0 || slices.Equal(patterns, []string{""}) {
		a.block = []*regexp.Regexp{regexp.MustCompile(`^.*?\.[^.]*\.(?P<idx>\d+)\.`)}
	}
	for _, pattern := range patterns {
		if pattern == "" {
			continue
		}
		compiled, err := compile("layers_pattern", `^(?:|.*?\.)(?:`+pattern+`)\.(?P<idx>\d+)\.`)
		if err != nil {
			return err
		}
		a.block = append(a.block, compiled)
	}
	return nil
}

func parseModules(key string, raw json.RawMessage) (modules, error) {
	var text string
	if !given(raw) || json.Unmarshal(raw, &text) != nil || text == "" {
		names, err := textOrList(key, raw)
		return modules{names: names}, err
	}
	if strings.ToLower(text) == allLinear {
		return modules{linear: true}, nil
	}
	pattern, err := compile(key, `^(?:`+text+`)$`)
	return modules{pattern: pattern}, err
}

// textOrList reads a key that is a text or a list of them.
func textOrList(key string, raw json.RawMessage) ([]string, error) {
	var one string
	var list []string
	switch {
	case !given(raw):
		return nil, nil
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}, nil
	case json.Unmarshal(raw, &list) == nil:
		return list, nil
	}
	return nil, fmt.Errorf("key %q is %s, want a list of names or a regular expression", key, oneLine(raw))
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// peftTargets are the layers that PEFT adapts where none are named.
func peftTargets(c *Config) []string {
	switch {
	case c.family.about().causal:
		return []string{"q_proj", "v_proj"}
	case c.ModelType == "deberta-v2":
		return []string{"query_proj", "value_proj"}
	case slices.Contains([]string{"bert", "roberta", "xlm-roberta", "electra"}, c.ModelType):
		return []string{"query", "value"}
	}
	return nil
}

// checkTargets holds adapter_config.json to the layers that the file has tensors
// of: PEFT leaves out those of layers that are not named, and begins anew where
// a layer is named and has none.
func (m *Model) checkTargets(c *adapterConfig, source map[string]string) error {
	targets, err := c.parseTargets(m.Config)
	if unread := (unreadPattern{}); errors.As(err, &unread) {
		m.Loaded.Notes = append(m.Loaded.Notes, fmt.Sprintf("%s, %v: layers are adapted as the file has them", adapterConfigFile, err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s, %w", adapterConfigFile, err)
	}
	adapted := map[string]bool{}
	for own := range source {
		if layer, _, ok := strings.Cut(own, ".lora_"); ok {
			adapted[layer] = true
		}
	}
	var more, missing []string
	for _, t := range m.Config.weights {
		layer, ok := strings.CutSuffix(t.name, ".weight")
		if !ok || len(t.shape) != 2 {
			continue
		}
		switch asked := targets.adapts(t, layer); {
		case adapted[layer] && !asked:
			more = append(more, layer)
		case asked && !adapted[layer] && (t.group == "" || targets.sequences):
			missing = append(missing, layer)
		}
	}
	if len(more) > 0 {
		return fmt.Errorf("has LoRA on %d layers that %s leaves out (%s), as PEFT then does: %s: set the keys to what was trained, or take the layers out of the file",
			len(more), adapterConfigFile, c.targetKeys(), firstFew(more))
	}
	if len(missing) > 0 {
		return fmt.Errorf("lacks LoRA on %d layers that %s asks for (%s): %s: save the adapter again, whole, or set the keys to what was trained",
			len(missing), adapterConfigFile, c.targetKeys(), firstFew(missing))
	}
	return nil
}

// targetKeys shows the keys that say what is adapted.
func (c *adapterConfig) targetKeys() string {
	text := "target_modules " + shown(c.TargetModules)
	for _, k := range []struct {
		key string
		raw json.RawMessage
	}{{"layers_to_transform", c.LayersToTransform}, {"layers_pattern", c.LayersPattern}, {"exclude_modules", c.ExcludeModules}} {
		if given(k.raw) {
			text += ", " + k.key + " " + shown(k.raw)
		}
	}
	if saved := c.saved(); len(saved) > 0 {
		text += ", modules_to_save " + strings.Join(saved, " and ")
	}
	return text
}
