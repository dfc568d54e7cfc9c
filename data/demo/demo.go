// Package demo writes the demo's data: 240 prompts in fifteen domains, five
// preference pairs each, labelled by a simulated panel of judges; and ten
// comparisons of every training prompt for laurel label to label.
//
// topics/*.txt hold what is known about each prompt and sentences.txt the
// templates that say it well or badly. A response is composed to a hidden
// grade from 0 to 4 (response.go), two responses make a comparison, the panel
// makes it a Pair (judge.go), and the candidates for each pair are chosen so
// that neither length nor a single word tells the label (balance.go).
// Everything follows from the seed; a test holds the committed files to it.
package demo

import (
	"fmt"
	"math/rand/v2"
)

//go:generate go run ./generate -out .

// Seed is the one that the committed files were written with.
const Seed = 7

// Pair is one row of train.jsonl, validation.jsonl and test.jsonl.
type Pair struct {
	ID         string  `json:"id"`
	Prompt     string  `json:"prompt"` // ends its line, because plain prompts and responses are joined as they stand
	Chosen     string  `json:"chosen"`
	Rejected   string  `json:"rejected"`
	Confidence float64 `json:"confidence"` // in [0.5, 1]; 0.5 is a tie
	VoteShare  float64 `json:"vote_share"` // share of the panel that voted for chosen
	Subset     string  `json:"subset"`     // the prompt's domain
}

// Set is the demo data, split by prompt: no prompt is in two parts.
type Set struct {
	Train, Validation, Test []Pair
	Unlabelled              []Comparison // about the prompts of Train
	Gold                    []Gold       // of Unlabelled, row by row
}

// comparison is two responses to one prompt before anyone has judged them.
type comparison struct {
	topic topic
	a, b  response
}

const pairsPerPrompt = 5

// Generate composes the whole set; equal seeds give equal sets.
func Generate(seed uint64) (Set, error) {
	topics, err := readTopics()
	if err != nil {
		return Set{}, err
	}
	templates, err := readTemplates()
	if err != nil {
		return Set{}, err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	w := writer{random: random, templates: templates, topics: topics}
	train, validation, test := splitTopics(random, topics)
	set := Set{
		Train:      w.pairs(train),
		Validation: w.pairs(validation),
		Test:       w.pairs(test),
	}
	w.random = rand.New(rand.NewPCG(seed, 1)) // so that the pairs do not depend on it
	set.Unlabelled, set.Gold = w.unlabelled(train)
	return set, nil
}

// splitTopics takes a quarter of every domain's prompts out of training, one
// or two for validation and the others for the test: 75, 10 and 15 %.
func splitTopics(random *rand.Rand, topics []topic) (train, validation, test []topic) {
	domains := byDomain(topics)
	for i, domain := range domains {
		random.Shuffle(len(domain), func(i, j int) { domain[i], domain[j] = domain[j], domain[i] })
		held := len(domain) / 4
		forValidation := 1
		if i%5 < 3 {
			forValidation = 2
		}
		validation = append(validation, domain[:forValidation]...)
		test = append(test, domain[forValidation:held]...)
		train = append(train, domain[held:]...)
	}
	return train, validation, test
}

// pairs composes and labels the comparisons of one part of the set.
func (w writer) pairs(topics []topic) []Pair {
	plans := plan(w.random, len(topics)*pairsPerPrompt)
	balance := newKeywordBalance(len(plans))
	rows := make([]Pair, 0, len(plans))
	for i, t := range topics {
		for j := range pairsPerPrompt {
			p := plans[i*pairsPerPrompt+j]
			c := w.compose(t, p, balance)
			row := p.verdict.label(c)
			row.ID = fmt.Sprintf("%s-%02d-%d", t.domain, t.number, j+1)
			rows = append(rows, row)
		}
	}
	w.random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}
