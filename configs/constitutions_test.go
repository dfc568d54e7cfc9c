package configs

import (
	"slices"
	"strings"
	"testing"

	"laurel/feedback"
)

// TestShippedConstitutions: each reads, can compare and revise, and gives the
// adviser nothing to say.
func TestShippedConstitutions(t *testing.T) {
	want := map[string][]float64{"rlaif": {1.5, 1, 1.2, 1}, "five": make([]float64, 5), "cai-16": make([]float64, 16)}
	names := ConstitutionNames()
	if len(names) != len(want) {
		t.Errorf("shipped: %v", names)
	}
	for _, name := range names {
		c, err := Constitution(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ForComparison(); err != nil || c.ForRevision() != nil || c.Name != name || len(c.Principles) != len(want[name]) {
			t.Errorf("%s: named %s, %d principles, %v", name, c.Name, len(c.Principles), err)
		}
		for i, p := range c.Principles {
			if w := want[name][i]; w != 0 && p.Weight != w {
				t.Errorf("%s: %s weighs %v, want %v", name, p.Name, p.Weight, w)
			}
		}
		advice := feedback.Advise(c)
		if name == "rlaif" { // its weights are the article's, in the article's order
			advice = slices.DeleteFunc(advice, func(a feedback.Advice) bool { return a.Kind == "order" })
		}
		for _, a := range advice {
			t.Errorf("%s: %s %v", name, a.Kind, a)
		}
	}
	if _, err := Constitution("rlaf"); err == nil || !strings.Contains(err.Error(), "cai-16, five, rlaif") {
		t.Errorf("error %v", err)
	}
}
