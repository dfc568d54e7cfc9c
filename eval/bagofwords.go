package eval

import (
	"errors"
	"fmt"
	"iter"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/eval/surface"
)

// BagOfWords is the name of the bag of words among the rulers.
const BagOfWords = "bag-of-words"

// The bag of words is a logistic baseline: with x the counts of each word in
// chosen minus those in rejected, and w the label's confidence, it minimises
//
//	Σ w log(1 + exp(-θ·x)) + |θ|²/2
//
// which is Bradley and Terry's loss of rewards that are sums over words (the
// classifier of Wang and Manning, ACL 2012, without their weights). Words that
// one training pair alone has are left out.
const (
	bagL2    = 1
	bagFolds = 5
	// maxBagPairs bounds the pairs that one fit takes, evenly spaced; the rule
	// says how many it was.
	maxBagPairs = 50_000
)

// bagPair is the difference of two responses' word counts.
type bagPair struct {
	words  stats.Sparse
	weight float64
	prompt uint64
}

// vocabulary numbers words.
type vocabulary struct{ number map[string]int32 }

func newVocabulary() *vocabulary { return &vocabulary{map[string]int32{}} }

func (v *vocabulary) pair(p *data.Pair) bagPair {
	counts := map[int32]float64{}
	for word := range surface.Words(p.Chosen) {
		counts[v.of(word)]++
	}
	for word := range surface.Words(p.Rejected) {
		counts[v.of(word)]--
	}
	return bagPair{words: stats.SparseOf(counts), weight: p.Confidence, prompt: data.PromptKey(p.Prompt)}
}

func (v *vocabulary) of(word string) int32 {
	at, known := v.number[word]
	if !known {
		at = int32(len(v.number))
		v.number[word] = at
	}
	return at
}

// rule ranks the evaluated pairs by a fit on the training pairs, or where these
// are not known by cross-validation over prompts.
func (v *vocabulary) rule(pairs []bagPair, training iter.Seq2[data.Pair, error]) (Rule, error) {
	r := Rule{Name: BagOfWords, Margin: make([]float64, len(pairs))}
	if training == nil {
		return v.crossValidated(r, pairs)
	}
	var train []bagPair
	for p, err := range training {
		if err != nil {
			return r, fmt.Errorf("rulers: training pairs: %w", err)
		}
		train = append(train, v.pair(&p))
	}
	theta, taken, err := v.fit(train)
	if err != nil {
		return r, err
	}
	r.Says = fmt.Sprintf("by its words, weighted by a logistic regression on %d of the run's %s", taken, stats.Plural(len(train), "training pair"))
	for i, p := range pairs {
		r.Margin[i] = p.words.Dot(theta)
	}
	return r, nil
}

// crossValidated ranks the pairs of each fifth of the prompts by a fit on the
// others. Prompts are numbered as they appear, and dealt out in turn.
func (v *vocabulary) crossValidated(r Rule, pairs []bagPair) (Rule, error) {
	numbers := stats.NewPrompts()
	fold := make([]int32, len(pairs))
	for i, p := range pairs {
		fold[i] = numbers.Of(p.prompt) % bagFolds
	}
	folds := min(int(numbers.N), bagFolds)
	fewest := len(pairs)
	for k := range int32(folds) {
		var train []bagPair
		for i, p := range pairs {
			if fold[i] != k {
				train = append(train, p)
			}
		}
		theta, taken, err := v.fit(train)
		if err != nil {
			return r, err
		}
		fewest = min(fewest, taken)
		for i, p := range pairs {
			if fold[i] == k {
				r.Margin[i] = p.words.Dot(theta)
			}
		}
	}
	r.Says = fmt.Sprintf("by its words, weighted by logistic regressions cross-validated on these pairs: %d folds by prompt, each fitted on %d pairs or more of the others", folds, fewest)
	return r, nil
}

// fit takes the words that two pairs have or more.
func (v *vocabulary) fit(train []bagPair) (theta []float64, taken int, err error) {
	l := stats.Logistic{Dim: len(v.number), L2: bagL2}
	for i := range min(len(train), maxBagPairs) {
		p := train[i*len(train)/min(len(train), maxBagPairs)]
		l.Rows, l.Weight = append(l.Rows, p.words), append(l.Weight, p.weight)
	}
	l.Rows = withoutRare(l.Rows, l.Dim)
	theta, err = l.Fit()
	if err != nil {
		err = errors.Join(errors.New("rulers: bag of words"), err)
	}
	return theta, len(l.Rows), err
}

// withoutRare drops the words of one row alone.
func withoutRare(rows []stats.Sparse, dim int) []stats.Sparse {
	in := make([]int32, dim)
	for _, row := range rows {
		for _, at := range row.At {
			in[at]++
		}
	}
	out := make([]stats.Sparse, len(rows))
	for i, row := range rows {
		for k, at := range row.At {
			if in[at] > 1 {
				out[i].At, out[i].X = append(out[i].At, at), append(out[i].X, row.X[k])
			}
		}
	}
	return out
}
