package configs

import (
	"reflect"
	"slices"
	"testing"
)

// TestElsewhereCalled: every name of another library means a key that there is.
func TestElsewhereCalled(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Config](), "")
	for name, key := range elsewhereCalled {
		if !slices.Contains(keys, key) {
			t.Errorf("%s means %s, which is no key", name, key)
		}
		if elsewhereDone[name] != "" {
			t.Errorf("%s is a key and is not", name)
		}
	}
}
