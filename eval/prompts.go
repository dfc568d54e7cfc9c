package eval

// Rows of one prompt are not independent of one another: what is easy, or
// longer in one response, is so for all of them. Intervals therefore take the
// prompts as what was drawn, not the rows.

// prompts numbers prompts in order of appearance.
type prompts struct {
	number map[uint64]int32
	n      int32
}

func newPrompts() *prompts { return &prompts{number: map[uint64]int32{}} }

// of is the number of the prompt with that key. A row whose prompt is not
// known, key 0, is one by itself.
func (p *prompts) of(key uint64) int32 {
	if at, there := p.number[key]; there {
		return at
	}
	at := p.n
	p.n++
	if key != 0 {
		p.number[key] = at
	}
	return at
}

// byPrompt adds values up by the number of their prompt.
func byPrompt[F float32 | float64](prompt []int32, values []F) []float64 {
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

// designEffect is by how much the variance of an estimate is larger than with
// rows that are all of different prompts (Kish 1965), at least 1: the squares
// of the sums by prompt over the squares, of each row's influence on it.
func designEffect(prompt []int32, influence []float64) float64 {
	squares, together := 0.0, 0.0
	for _, x := range influence {
		squares += x * x
	}
	for _, x := range byPrompt(prompt, influence) {
		together += x * x
	}
	if !(squares > 0) {
		return 1
	}
	return max(1, together/squares)
}
