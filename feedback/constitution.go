package feedback

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"laurel/data"
)

// Constitution is an ordered list of principles.
type Constitution struct {
	Name        string      `yaml:"name" json:"name"`
	Description string      `yaml:"description,omitempty" json:"description,omitempty"`
	Principles  []Principle `yaml:"principles" json:"principles"`
}

// Principle is one rule: how to compare two responses by it, how to criticise
// one, and how to revise it.
type Principle struct {
	Name       string  `yaml:"name" json:"name"`
	Weight     float64 `yaml:"weight" json:"weight"` // of its vote; 1 where the file is silent
	Comparison string  `yaml:"comparison" json:"comparison"`
	Critique   string  `yaml:"critique,omitempty" json:"critique,omitempty"`
	Revision   string  `yaml:"revision,omitempty" json:"revision,omitempty"`
	Line       int     `yaml:"-" json:"-"` // in the file; 0 where unknown
}

// TotalWeight is the sum of the principles' weights.
func (c *Constitution) TotalWeight() float64 {
	sum := 0.0
	for _, p := range c.Principles {
		sum += p.Weight
	}
	return sum
}

// Only leaves the named principles, in the constitution's order.
func (c *Constitution) Only(names []string) (*Constitution, error) {
	var all []string
	for _, p := range c.Principles {
		all = append(all, p.Name)
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("constitution %s has no principle %q; its principles are %s", c.Name, name, strings.Join(all, ", "))
		}
	}
	out := *c
	out.Principles = nil
	for _, p := range c.Principles {
		if slices.Contains(names, p.Name) {
			out.Principles = append(out.Principles, p)
		}
	}
	return &out, nil
}

// ForComparison checks that every principle says how to compare.
func (c *Constitution) ForComparison() error {
	return c.lacking("labelling needs its comparison", func(p *Principle) bool { return p.Comparison == "" })
}

// ForRevision checks that every principle says how to criticise and revise.
func (c *Constitution) ForRevision() error {
	return c.lacking("revising needs its critique and revision", func(p *Principle) bool { return p.Critique == "" || p.Revision == "" })
}

func (c *Constitution) lacking(what string, without func(*Principle) bool) error {
	var problems []error
	for i := range c.Principles {
		if p := &c.Principles[i]; without(p) {
			problems = append(problems, fmt.Errorf("constitution %s: principle %s: %s", c.Name, p.Name, what))
		}
	}
	return errors.Join(problems...)
}

// ReadConstitution reads a YAML or JSON file.
func ReadConstitution(path string) (*Constitution, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read constitution: %w", err)
	}
	c, err := ParseConstitution(raw)
	if err != nil {
		return nil, fmt.Errorf("constitution %s: %w", path, err)
	}
	return c, nil
}

// ParseConstitution reads YAML or JSON: name, description and principles, or
// the lists of critic and revision that Hugging Face's llm-swarm writes, which
// compare nothing. Unknown keys, missing texts and weights that are none are
// errors, all at once.
func ParseConstitution(raw []byte) (*Constitution, error) {
	root, err := constitutionTree(raw)
	if err != nil {
		return nil, err
	}
	if root.Kind == yaml.MappingNode && valueOf(root, "constitutions") != nil {
		return swarmConstitution(root)
	}
	c := &Constitution{}
	problems := unknownKeys(root, "", "name", "description", "principles")
	for _, key := range []struct {
		name string
		into *string
	}{{"name", &c.Name}, {"description", &c.Description}} {
		if node := valueOf(root, key.name); node != nil {
			problems = append(problems, decode(node, key.name, key.into))
		}
	}
	if strings.TrimSpace(c.Name) == "" {
		problems = append(problems, errors.New("key name is missing: reports and files name the constitution by it"))
	}
	principles, wrong := parsePrinciples(valueOf(root, "principles"))
	c.Principles = principles
	return c, errors.Join(append(append(problems, wrong...), c.twice()...)...)
}

// constitutionTree parses YAML, and JSON where that is none (its escapes).
func constitutionTree(raw []byte) (*yaml.Node, error) {
	root, err := data.YAMLDocument(raw)
	if err != nil && json.Valid(raw) {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, err
		}
		root = &yaml.Node{}
		return root, root.Encode(value)
	}
	if err != nil {
		return nil, err
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, errors.New("want the keys name and principles")
	}
	return root, nil
}

func valueOf(node *yaml.Node, key string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// unknownKeys names the keys that are not known, each with the nearest, and
// those given twice.
func unknownKeys(node *yaml.Node, where string, known ...string) (problems []error) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if !slices.Contains(known, key.Value) {
			problems = append(problems, fmt.Errorf("line %d: %sunknown key %s; did you mean %s?", key.Line, where, key.Value, data.Closest(key.Value, known)))
		}
		if seen[key.Value] {
			problems = append(problems, fmt.Errorf("line %d: %skey %s is given twice", key.Line, where, key.Value))
		}
		seen[key.Value] = true
	}
	return problems
}

func decode(node *yaml.Node, key string, into any) error {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		return fmt.Errorf("line %d: key %s: want a single value", node.Line, key)
	}
	if err := node.Decode(into); err != nil {
		return fmt.Errorf("line %d: key %s: %s", node.Line, key, data.PlainYAML(err))
	}
	return nil
}

func parsePrinciples(list *yaml.Node) (principles []Principle, problems []error) {
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, []error{errors.New("key principles is no list with at least one principle")}
	}
	for i, node := range list.Content {
		p, wrong := parsePrinciple(node, i)
		principles = append(principles, p)
		problems = append(problems, wrong...)
	}
	return principles, problems
}

func parsePrinciple(node *yaml.Node, at int) (p Principle, problems []error) {
	p = Principle{Weight: 1, Line: node.Line}
	where := fmt.Sprintf("principle %d: ", at+1)
	if node.Kind != yaml.MappingNode {
		return p, []error{fmt.Errorf("line %d: %swant the keys name, weight, comparison, critique, revision", node.Line, where)}
	}
	problems = unknownKeys(node, where, "name", "weight", "comparison", "critique", "revision")
	for _, key := range []struct {
		name string
		into any
	}{{"name", &p.Name}, {"weight", &p.Weight}, {"comparison", &p.Comparison}, {"critique", &p.Critique}, {"revision", &p.Revision}} {
		if value := valueOf(node, key.name); value != nil {
			if err := decode(value, where+key.name, key.into); err != nil {
				problems = append(problems, err)
			}
		}
	}
	for _, text := range []*string{&p.Name, &p.Comparison, &p.Critique, &p.Revision} {
		*text = strings.TrimSpace(*text)
	}
	return p, append(problems, p.check(where)...)
}

func (p *Principle) check(where string) (problems []error) {
	fail := func(format string, values ...any) {
		problems = append(problems, fmt.Errorf("line %d: %s%s", p.Line, where, fmt.Sprintf(format, values...)))
	}
	if p.Name == "" {
		fail("key name is missing or empty")
	}
	if !(p.Weight > 0) || math.IsInf(p.Weight, 0) {
		fail("key weight is %v: it must be a number above 0; leave the principle out to give it no vote", p.Weight)
	}
	switch {
	case (p.Critique == "") != (p.Revision == ""):
		fail("critique and revision go together: give both, or neither")
	case p.Comparison == "" && p.Critique == "":
		fail("key comparison is missing or empty (a principle only for revising has critique and revision instead)")
	}
	return problems
}

// twice names principles that share a name: votes are told apart by it.
func (c *Constitution) twice() (problems []error) {
	first := map[string]int{}
	for i, p := range c.Principles {
		if at, seen := first[p.Name]; seen && p.Name != "" {
			problems = append(problems, fmt.Errorf("line %d: principles %d and %d are both named %s: give each a name of its own", p.Line, at+1, i+1, p.Name))
			continue
		}
		first[p.Name] = i
	}
	return problems
}

// swarmConstitution reads llm-swarm's file: constitutions is a list of critic
// and revision; its system_chat, examples for the model, is not used here.
func swarmConstitution(root *yaml.Node) (*Constitution, error) {
	c := &Constitution{Name: "llm-swarm"}
	problems := unknownKeys(root, "", "constitutions", "system_chat")
	list := valueOf(root, "constitutions")
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, errors.Join(append(problems, errors.New("key constitutions is no list with at least one principle"))...)
	}
	for i, node := range list.Content {
		p := Principle{Name: fmt.Sprintf("principle_%d", i+1), Weight: 1, Line: node.Line}
		where := fmt.Sprintf("constitutions %d: ", i+1)
		problems = append(problems, unknownKeys(node, where, "critic", "revision")...)
		for _, key := range []struct {
			name string
			into *string
		}{{"critic", &p.Critique}, {"revision", &p.Revision}} {
			value := valueOf(node, key.name)
			if value == nil {
				problems = append(problems, fmt.Errorf("line %d: %skey %s is missing", node.Line, where, key.name))
				continue
			}
			problems = append(problems, decode(value, where+key.name, key.into))
		}
		c.Principles = append(c.Principles, p)
	}
	return c, errors.Join(problems...)
}
