package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// adapterOutline is the model under an adapter by the config.json beside the
// adapter, where there is one, else by the base's.
func adapterOutline(base, dir string) (*Model, error) {
	if _, err := os.Stat(filepath.Join(dir, "config.json")); errors.Is(err, fs.ErrNotExist) {
		return withoutValues(base, Head{})
	} else if err != nil {
		return nil, err
	}
	m, err := withoutValues(dir, Head{})
	if err != nil {
		return nil, err
	}
	theirs, err := ReadConfig(base)
	if err != nil {
		return nil, fmt.Errorf("base of the adapter %s: %w", dir, err)
	}
	if differences := m.Config.differences(theirs); len(differences) > 0 {
		return nil, fmt.Errorf("%s is not its base's config.json (in %s), by which PEFT computes: %s: take it away where the base's is meant, or name the base that it belongs to in %s (base_model_name_or_path)",
			filepath.Join(dir, "config.json"), base, strings.Join(differences, "; "), adapterConfigFile)
	}
	return m, nil
}

// differences lists the keys by which a base gives other numbers with the
// config.json beside an adapter than with its own, and both values. A key whose
// value differs and changes nothing, as between the dialects of transformers 4
// and 5, is none.
func (c *Config) differences(base *Config) []string {
	if c.computesAs(base, c.foreign()) {
		return nil
	}
	keys := maps.Clone(c.keys)
	maps.Copy(keys, base.keys)
	var all, alone []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		mine, theirs := c.keys[key], base.keys[key]
		if sameJSON(mine, theirs) || key != "model_type" && isHarmless(key) || isDropout(key) {
			continue
		}
		text := fmt.Sprintf("key %q is %s, the base's is %s", key, shown(mine), shown(theirs))
		all = append(all, text)
		if c.decides(base, key) {
			alone = append(alone, text)
		}
	}
	if len(alone) > 0 {
		return alone
	}
	return all
}

// decides tells whether the base with this one key of c gives other numbers.
func (c *Config) decides(base *Config, key string) bool {
	changed := maps.Clone(base.keys)
	delete(changed, key)
	if value, ok := c.keys[key]; ok {
		changed[key] = value
	}
	raw, err := json.Marshal(changed)
	if err != nil {
		return true
	}
	other, err := parseConfig(raw)
	return err != nil || !other.computesAs(base, c.foreign())
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return (a == nil) == (b == nil) && (a == nil || json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y))
}

// shown is a key's value as an error shows it.
func shown(raw json.RawMessage) string {
	if raw == nil {
		return "absent"
	}
	return oneLine(raw)
}

// foreign tells a config.json that laurel's training did not write.
func (c *Config) foreign() bool { return c.keys["laurel"] == nil }

// isDropout tells a key that changes training alone.
func isDropout(key string) bool { return strings.Contains(key, "dropout") }

// computesAs tells whether two configs give the same backbone, and, where all of
// it counts, the same padding token, head and normalisation of rewards, which
// laurel's training may change. A base without a padding token leaves it to the
// adapter: whoever trains in batches has to choose one.
func (c *Config) computesAs(base *Config, all bool) bool {
	if !reflect.DeepEqual(c.withoutDropout(), base.withoutDropout()) {
		return false
	}
	pad := !c.family.about().causal || base.PadTokenID < 0 || c.PadTokenID == base.PadTokenID
	norm := c.Norm == base.Norm || !c.Norm.On && !base.Norm.On
	return !all || pad && norm && c.valueHead == base.valueHead
}

// withoutDropout is the family of the config with no rate of dropout given.
func (c *Config) withoutDropout() family {
	r := &configReader{keys: maps.Clone(c.keys), read: map[string]bool{}}
	maps.DeleteFunc(r.keys, func(key string, _ json.RawMessage) bool { return isDropout(key) })
	return parseFamily(c.ModelType, r)
}
