package feedback

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Clamp keeps a judge's probabilities within bounds. It is put on answers when
// they are aggregated: the store keeps what the judge said.
type Clamp [2]float64

// UnmarshalYAML reads two numbers, or cai for what Bai et al. (2022, section
// 4.3) put on the probabilities after a chain of thought, which are nearly
// always close to 0 or 1.
func (c *Clamp) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "cai" {
		*c = Clamp{0.4, 0.6}
		return nil
	}
	var bounds []float64
	if err := node.Decode(&bounds); err != nil || len(bounds) != 2 {
		return fmt.Errorf("line %d: clamp is neither cai nor two numbers such as [0.4, 0.6]", node.Line)
	}
	*c = Clamp(bounds)
	return nil
}

// Validate wants bounds that favour neither place.
func (c Clamp) Validate() error {
	const rounding = 1e-9
	if !(c[0] >= 0 && c[0] < 0.5 && c[0]+c[1] > 1-rounding && c[0]+c[1] < 1+rounding) {
		return fmt.Errorf("clamp is [%v, %v], want two numbers that add up to 1, such as [0.4, 0.6]", c[0], c[1])
	}
	return nil
}

// of puts the bounds on an answer, and says whether they changed it.
func (c *Clamp) of(a Answer) (clamped Answer, changed bool) {
	if c == nil || a.Outcome != Preferred {
		return a, false
	}
	p := min(max(a.First, c[0]), c[1])
	changed = p != a.First
	a.First = p
	return a, changed
}
