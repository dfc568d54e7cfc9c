package stats

// Rows of one prompt are not independent of one another: what is easy, or
// longer in one response, is so for all of them. Intervals therefore take the
// prompts as what was drawn, not the rows.

// Prompts numbers prompts in order of appearance.
type Prompts struct {
	number map[uint64]int32
	N      int32
}

// NewPrompts has no prompt yet.
func NewPrompts() *Prompts { return &Prompts{number: map[uint64]int32{}} }

// Of is the number of the prompt with that key. A row whose prompt is not
// known, key 0, is one by itself.
func (p *Prompts) Of(key uint64) int32 {
	if at, there := p.number[key]; there {
		return at
	}
	at := p.N
	p.N++
	if key != 0 {
		p.number[key] = at
	}
	return at
}

// ByPrompt adds values up by the number of their prompt.
func ByPrompt[F float32 | float64](prompt []int32, values []F) []float64 {
	last := int32(-1)
	for _, at := range prompt {
		last = max(last, at)
	}
	sums := make([]float64, last+1)
	for i, at := range prompt {
		sums[at] += float64(values[i])
	}
	return sums
}

// CountByPrompt counts the rows of each prompt, by its number.
func CountByPrompt(prompt []int32) []float64 {
	one := make([]float64, len(prompt))
	for i := range one {
		one[i] = 1
	}
	return ByPrompt(prompt, one)
}

// DesignEffect is by how much the variance of an estimate is larger than with
// rows that are all of different prompts (Kish 1965), at least 1: the squares
// of the sums by prompt over the squares, of each row's influence on it.
func DesignEffect(prompt []int32, influence []float64) float64 {
	squares, together := 0.0, 0.0
	for _, x := range influence {
		squares += x * x
	}
	for _, x := range ByPrompt(prompt, influence) {
		together += x * x
	}
	if !(squares > 0) {
		return 1
	}
	return max(1, together/squares)
}
