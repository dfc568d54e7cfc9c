package audit

import (
	"cmp"

	"laurel/eval/stats"
)

// RatedComparison is what raters say of one comparison.
type RatedComparison struct {
	Prompt uint64 // its key (data.PromptKey); 0 where it is not known
	Said   []Rating
}

// People is how people agree with one another.
type People struct {
	// Alpha is Krippendorff's α of all of them, over the comparisons that at least
	// two answered. It takes people who answered different comparisons.
	Alpha Kappa       `json:"alpha"`
	Pairs []RaterPair `json:"pairs"` // Cohen's κ of each two
}

// AmongPeople measures how people agree who were asked about the comparisons, each
// of them at most once about each.
func AmongPeople(comparisons []RatedComparison, cfg Config) People {
	cfg.Bootstrap = cmp.Or(cfg.Bootstrap, 2000)
	prompts, counted, all := stats.NewPrompts(), newRaterCount(), &votes{}
	for _, c := range comparisons {
		if len(c.Said) < 2 {
			continue
		}
		prompt, said := prompts.Of(c.Prompt), ratings{}
		for _, r := range c.Said {
			said[category(r.Side)]++
		}
		all.prompt, all.of = append(all.prompt, prompt), append(all.of, said)
		counted.compare(prompt, c.Said)
	}
	return People{all.bootstrapped(alphaOf, cfg.Bootstrap, cfg.Seed), counted.pairs(cfg)}
}

// alphaOf is Krippendorff's α (2011) for categories, 1 − Dₒ/Dₑ: with m raters of a
// comparison each of its pairs of ratings weighs 1/(m − 1), and chance draws two of
// the n ratings of all comparisons without putting the first back.
func alphaOf(kinds []ratings, cells []float64) (agreement, alpha float64) {
	n, same := 0.0, 0.0
	var category [ratingCategories]float64
	for i, r := range kinds {
		raters := float64(r.raters())
		pairs := 0.0
		for c, chosen := range r {
			pairs += float64(chosen * (chosen - 1))
			category[c] += cells[i] * float64(chosen)
		}
		n += cells[i] * raters
		same += cells[i] * pairs / (raters - 1)
	}
	chance := 0.0
	for _, c := range category {
		chance += c * (c - 1) / (n * (n - 1))
	}
	return same / n, float64(stats.Over(stats.Minus(same/n, chance), 1-chance))
}
