package feedback

import (
	"strings"
	"testing"
)

const smallConstitution = `
name: small
principles:
  - name: honest
    weight: 1.2
    comparison: Which response admits what it does not know and cites where its claims come from?
    critique: Point to every claim without support.
    revision: Rewrite it so that every claim is supported.
  - {name: plain, comparison: "Which response says what was asked in fewer words and names the next step?"}
`

func TestParseConstitution(t *testing.T) {
	c, err := ParseConstitution([]byte(smallConstitution))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "small" || len(c.Principles) != 2 || c.Principles[0].Weight != 1.2 || c.Principles[1].Weight != 1 || c.Principles[1].Line != 9 || c.TotalWeight() != 2.2 {
		t.Errorf("read %+v", c)
	}
	if err := c.ForRevision(); err == nil || !strings.Contains(err.Error(), "principle plain: revising needs") {
		t.Errorf("for revision: %v", err)
	}
	one, err := c.Only([]string{"plain"})
	if err != nil || len(one.Principles) != 1 || one.Principles[0].Name != "plain" {
		t.Errorf("only plain: %+v, %v", one, err)
	}
	if _, err := c.Only([]string{"plane"}); err == nil || !strings.Contains(err.Error(), "honest, plain") {
		t.Errorf("only plane: %v", err)
	}
}

// JSON may have escapes that YAML has not.
func TestParseConstitutionJSON(t *testing.T) {
	c, err := ParseConstitution([]byte(`{"name": "j", "principles": [{"name": "a", "weight": 2, "comparison": "Which states \ud83d\ude00 and\/or explains?"}]}`))
	if err != nil || c.Principles[0].Comparison != "Which states 😀 and/or explains?" || c.Principles[0].Weight != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	swarm, err := ParseConstitution([]byte(`{"constitutions": [{"critic": "What is harmful?", "revision": "Remove it."}, {"critic": "c", "revision": "r"}], "system_chat": [[{"role": "user", "content": "x"}]]}`))
	if err != nil || len(swarm.Principles) != 2 || swarm.Principles[0].Critique != "What is harmful?" || swarm.ForRevision() != nil || swarm.ForComparison() == nil {
		t.Errorf("llm-swarm: %+v, %v", swarm, err)
	}
}

func TestParseConstitutionRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{"want the keys name and principles"}},
		{"- a\n", []string{"want the keys name and principles"}},
		{"name: x\n", []string{"key principles is no list"}},
		{"principles: []\n", []string{"key name is missing", "key principles is no list"}},
		{"name: x\nprinciples: [3]\n", []string{"principle 1: want the keys name, weight"}},
		{"name: x\nprincipals: []\nprinciples: [{name: a, comparisson: b}]\n", []string{
			"line 2: unknown key principals; did you mean principles?", "line 3: principle 1: unknown key comparisson; did you mean comparison?", "key comparison is missing"}},
		{"name: x\nprinciples: [{name: a, weight: 0, comparison: b}, {name: a, weight: .nan, comparison: c}, {name: b, weight: heavy, comparison: c}]\n", []string{
			"principle 1: key weight is 0: it must be a number above 0", "principle 2: key weight is NaN", "principle 3: weight", "principles 1 and 2 are both named a"}},
		{"name: x\nprinciples: [{name: a, critique: b}]\n", []string{"critique and revision go together"}},
		{"name: x\nname: y\nprinciples: [{name: a, comparison: [b]}]\n", []string{"key name is given twice", "want a single value"}},
		{`{"constitutions": [{"critic": "c"}]}`, []string{"constitutions 1: key revision is missing"}},
	} {
		_, err := ParseConstitution([]byte(c.text))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want one with %q", c.text, err, want)
			}
		}
	}
}

func FuzzParseConstitution(f *testing.F) {
	f.Add([]byte(smallConstitution))
	f.Add([]byte(`{"constitutions": [{"critic": "c", "revision": "r"}]}`))
	f.Add([]byte("name: *a\nprinciples: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseConstitution(raw)
		if err != nil {
			return
		}
		for _, p := range c.Principles {
			if p.Name == "" || !(p.Weight > 0) || p.Comparison == "" && p.Critique == "" {
				t.Errorf("accepted %+v", p)
			}
		}
		Advise(c)
	})
}

func TestAdvise(t *testing.T) {
	c := &Constitution{Name: "c", Principles: []Principle{
		{Name: "vague", Weight: 1, Comparison: "Which response has the good moral values, ethical integrity, virtue, wisdom and excellence of a just person?"},
		{Name: "short", Weight: 1, Comparison: "Which response is more helpful?"},
		{Name: "one", Weight: 1, Comparison: "Which response explains its reasoning and states which parts are uncertain or unknown?"},
		{Name: "two", Weight: 2, Comparison: "Choose the response that explains its reasoning and states which parts are unknown or uncertain."},
	}}
	var got []string
	for _, a := range Advise(c) {
		got = append(got, a.Kind+" "+a.Principle)
	}
	want := "vague vague, too_short short, near_duplicate two, coverage , order two"
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("advice %q, want %q", all, want)
	}
}
