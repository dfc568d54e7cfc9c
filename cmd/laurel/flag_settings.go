package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// flagSetting is a flag that stands for a key of the configuration.
type flagSetting struct{ flag, key, value string }

// flagSettings are the flags that were given, as settings of the keys they
// stand for, in the keys' order.
func flagSettings(flags *pflag.FlagSet, keys map[string]string) []flagSetting {
	var out []flagSetting
	for _, flag := range slices.Sorted(maps.Keys(keys)) {
		f := flags.Lookup(flag)
		switch {
		case !f.Changed:
		case f.Value.Type() == "string":
			out = append(out, flagSetting{flag, keys[flag], fmt.Sprintf("%q", f.Value)})
		default:
			out = append(out, flagSetting{flag, keys[flag], f.Value.String()})
		}
	}
	return out
}

// columnSettings are what --columns says, as settings.
func columnSettings(columns map[string]string) []flagSetting {
	var out []flagSetting
	for _, field := range slices.Sorted(maps.Keys(columns)) {
		out = append(out, flagSetting{"columns", "data.columns." + field, fmt.Sprintf("%q", columns[field])})
	}
	return out
}

// withSet are the flags' settings, then those of --set, which may go into what a flag
// gives (judges.0.weight, of --judge) but not say otherwise.
func withSet(cmd *cobra.Command, flags []flagSetting, set []string) ([]string, error) {
	var settings []string
	for _, f := range flags {
		settings = append(settings, f.key+"="+f.value)
		for _, setting := range set {
			key, value, _ := strings.Cut(setting, "=")
			if whole := key == f.key; whole && !sameValue(value, f.value) || !whole && strings.HasPrefix(f.key, key+".") {
				return nil, usage(cmd, fmt.Errorf("%s is given twice: --%s makes it %s, and --set %s another: leave one of them out", f.key, f.flag, f.value, setting))
			}
		}
	}
	return append(settings, set...), nil
}

// sameValue tells whether two values in YAML say the same; one of a list may stand
// without brackets, and a path be spelt otherwise.
func sameValue(a, b string) bool {
	plain := func(text string) string {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return text // which is refused where it is read
		}
		if list, ok := value.([]any); ok && len(list) == 1 {
			value = list[0]
		}
		if path, ok := value.(string); ok {
			value = filepath.Clean(path) // of other values the same
		}
		return fmt.Sprint(value)
	}
	return plain(a) == plain(b)
}
