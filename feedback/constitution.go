package feedback

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
	Critique   string  `yaml:"critique" json:"critique"`
	Revision   string  `yaml:"revision" json:"revision"`
}

// TotalWeight is the sum of the principles' weights.
func (c *Constitution) TotalWeight() float64 {
	sum := 0.0
	for _, p := range c.Principles {
		sum += p.Weight
	}
	return sum
}
