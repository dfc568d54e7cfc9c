package sweep

import (
	"fmt"
	"math"
	"math/rand/v2"

	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/labels"
)

// Folds of the cross-validations, by prompt.
const folds = 5

// Fewest rows and prompts with gold for a side that weights are fitted to.
const (
	fewestRows    = 40
	fewestPrompts = 2 * folds
)

// ridge is the penalty of the fit: a principle that says nothing gets no weight.
const ridge = 1

// Fit is weights fitted to gold beside those of the constitution. A prompt's
// comparisons are scored with weights that were fitted to other prompts.
type Fit struct {
	Rows       int         `json:"rows"` // with gold for a side
	Prompts    int         `json:"prompts"`
	Folds      int         `json:"folds"`
	Candidates []Candidate `json:"candidates"` // shipped, equal, fitted
	Weights    []Fitted    `json:"weights"`
	// Suggested is the candidate of the best score among those of which the interval
	// over the shipped weights lies above 0; shipped where there is none.
	Suggested string `json:"suggested"`
}

// The candidates.
const (
	ShippedWeights = "shipped"
	EqualWeights   = "equal"
	FittedWeights  = "fitted"
)

// Candidate is how weights do on the gold, those that are fitted on what they were
// not fitted to.
type Candidate struct {
	Name string `json:"name"`
	GoldChange
}

// Fitted is a principle's weight, as it is, as it is fitted to all gold, and the
// least and most that the folds give. Fitted weights add up to what the shipped do.
type Fitted struct {
	Name    string  `json:"name"`
	Shipped float64 `json:"shipped"`
	Fitted  float64 `json:"fitted"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
}

// fit is nil, and says why, where there is too little gold.
func (s *Set) fit(seed uint64) (*Fit, string, error) {
	f := &Fit{Folds: folds, Suggested: ShippedWeights}
	prompts := map[int32]bool{}
	for i := range s.rows {
		if r := &s.rows[i]; r.golden() {
			f.Rows++
			prompts[r.prompt] = true
		}
	}
	if f.Prompts = len(prompts); f.Rows < fewestRows || f.Prompts < fewestPrompts {
		return nil, fmt.Sprintf("no weights are fitted to gold: %s of %s have gold for a side, and it takes %d of %d", stats.Plural(f.Rows, "comparison"), stats.Plural(f.Prompts, "prompt"), fewestRows, fewestPrompts), nil
	}
	held, err := s.heldOut(f, seed)
	if err != nil {
		return nil, "", err
	}
	equal := make([]float64, len(s.shipped()))
	for p := range equal {
		equal[p] = 1
	}
	f.Candidates = []Candidate{{ShippedWeights, s.goldChange(s.outcomes(s.shipped()))}, {EqualWeights, s.goldChange(s.outcomes(equal))}, {FittedWeights, s.goldChange(held)}}
	best := f.Candidates[0].Score
	for _, c := range f.Candidates[1:] {
		if c.Over.Interval[0] > 0 && c.Score > best {
			f.Suggested, best = c.Name, c.Score
		}
	}
	return f, "", nil
}

// heldOut are outcomes by weights that were fitted to other prompts, and fills in the
// weights of all folds.
func (s *Set) heldOut(f *Fit, seed uint64) ([]outcome, error) {
	fold := s.folds(seed)
	all, err := s.fitted(func(int) bool { return true })
	if err != nil {
		return nil, err
	}
	for p, name := range s.names() {
		f.Weights = append(f.Weights, Fitted{name, s.shipped()[p], all[p], math.Inf(1), 0})
	}
	out := make([]outcome, len(s.rows))
	for k := range folds {
		weights, err := s.fitted(func(i int) bool { return fold[s.rows[i].prompt] != k })
		if err != nil {
			return nil, err
		}
		for p := range weights {
			f.Weights[p].Least, f.Weights[p].Most = min(f.Weights[p].Least, weights[p]), max(f.Weights[p].Most, weights[p])
		}
		for i, o := range s.outcomes(weights) {
			if fold[s.rows[i].prompt] == k {
				out[i] = o
			}
		}
	}
	return out, nil
}

// shuffled are the numbers below n in an order that the seed decides.
func shuffled(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, uint64(n))).Perm(n) }

// folds parts the prompts into folds of about as many.
func (s *Set) folds(seed uint64) []int {
	out := make([]int, s.prompts)
	for at, prompt := range shuffled(s.prompts, seed) {
		out[prompt] = at % folds
	}
	return out
}

// fitted are the weights that predict gold's side best from what the principles say,
// by a logistic regression without an intercept: of votes that are independent given
// the better response, the log odds of each being right (Nitzan and Paroush 1982). A
// principle whose weight would be negative is left out and the others fitted again.
func (s *Set) fitted(in func(row int) bool) ([]float64, error) {
	shipped := s.shipped()
	left := make([]bool, len(shipped))
	for {
		theta, err := s.logistic(in, left)
		if err != nil {
			return nil, fmt.Errorf("fit weights to gold: %w", err)
		}
		dropped, sum, total := false, 0.0, 0.0
		for p, w := range theta {
			total += shipped[p]
			if w < 0 {
				left[p], dropped = true, true
			} else {
				sum += w
			}
		}
		switch {
		case sum == 0: // no principle is right more often than wrong
			return shipped, nil
		case dropped:
			continue
		}
		for p := range theta {
			theta[p] *= total / sum
		}
		return theta, nil
	}
}

func (s *Set) logistic(in func(row int) bool, left []bool) ([]float64, error) {
	problem := stats.Logistic{Dim: len(left), L2: ridge}
	for i := range s.rows {
		r := &s.rows[i]
		if !r.golden() || !in(i) {
			continue
		}
		sign := 1.0
		if r.gold == labels.SideB {
			sign = -1
		}
		var x stats.Sparse
		for p := range left {
			if say := s.say(r, p); say != 0 && !left[p] {
				x.At, x.X = append(x.At, int32(p)), append(x.X, sign*say)
			}
		}
		problem.Rows = append(problem.Rows, x)
	}
	return problem.Fit()
}

// Suggestion is the constitution with the suggested weights, in hundredths, without
// principles that come to 0; nil where those as they are do as well.
func (r *Report) Suggestion() *feedback.Constitution {
	if r.Fit == nil || r.Fit.Suggested == ShippedWeights {
		return nil
	}
	out := *r.constitution
	out.Name += "-" + r.Fit.Suggested
	out.Principles = nil
	for p, principle := range r.constitution.Principles {
		principle.Weight = 1
		if r.Fit.Suggested == FittedWeights {
			principle.Weight = math.Round(100*r.Fit.Weights[p].Fitted) / 100
		}
		if principle.Weight > 0 {
			out.Principles = append(out.Principles, principle)
		}
	}
	return &out
}
