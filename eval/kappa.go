package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Ratings are in three categories: response a, response b, neither.
const ratingCategories = 3

// Kappa is agreement beyond chance on n comparisons, with the 95% interval of
// the percentile bootstrap over comparisons.
type Kappa struct {
	N         int      `json:"n"`
	Agreement Value    `json:"agreement"` // share of agreeing pairs of ratings
	Kappa     Value    `json:"kappa"`     // null where all ratings are one category
	Interval  [2]Value `json:"interval_95"`
}

// crossTable counts comparisons by what one rater and another say.
type crossTable [ratingCategories][ratingCategories]int

// cohen is Cohen's κ (1960): (p₀ - pₑ) / (1 - pₑ).
func cohen(t crossTable, resamples int, seed uint64) Kappa {
	var cells []float64
	for _, row := range t {
		for _, n := range row {
			cells = append(cells, float64(n))
		}
	}
	return bootstrapped(cells, cohenOf, resamples, seed)
}

// cohenOf takes the cells of a table, row by row.
func cohenOf(cells []float64) (agreement, kappa float64) {
	const k = ratingCategories
	var rows, columns [k]float64
	n, same := 0.0, 0.0
	for i, count := range cells {
		n += count
		rows[i/k] += count
		columns[i%k] += count
		if i/k == i%k {
			same += count
		}
	}
	chance := 0.0
	for i := range rows {
		chance += rows[i] * columns[i] / (n * n)
	}
	return same / n, float64(over(same/n-chance, 1-chance))
}

// ratings counts how many raters chose each category, for one comparison.
type ratings [ratingCategories]int

func (r ratings) raters() int { return r[0] + r[1] + r[2] }

// fleiss is Fleiss' κ (1971) of comparisons that all have the same number of
// raters, at least two.
func fleiss(counts map[ratings]int, resamples int, seed uint64) Kappa {
	var kinds []ratings
	for r := range counts {
		kinds = append(kinds, r)
	}
	slices.SortFunc(kinds, func(a, b ratings) int { return slices.Compare(a[:], b[:]) })
	cells := make([]float64, len(kinds))
	for i, r := range kinds {
		cells[i] = float64(counts[r])
	}
	return bootstrapped(cells, func(cells []float64) (float64, float64) { return fleissOf(kinds, cells) }, resamples, seed)
}

func fleissOf(kinds []ratings, cells []float64) (agreement, kappa float64) {
	n, same := 0.0, 0.0
	var category [ratingCategories]float64
	raters := 0.0
	for i, r := range kinds {
		raters = float64(r.raters())
		pairs := 0.0
		for c, votes := range r {
			pairs += float64(votes * (votes - 1))
			category[c] += cells[i] * float64(votes)
		}
		n += cells[i]
		same += cells[i] * pairs / (raters * (raters - 1))
	}
	chance := 0.0
	for _, c := range category {
		share := c / (n * raters)
		chance += share * share
	}
	return same / n, float64(over(same/n-chance, 1-chance))
}

// bootstrapped resamples the cells' counts, which is resampling comparisons,
// whatever their number. Resamples that leave κ undefined are left out.
func bootstrapped(cells []float64, statistic func([]float64) (agreement, kappa float64), resamples int, seed uint64) Kappa {
	n := 0.0
	for _, c := range cells {
		n += c
	}
	undefined := Value(math.NaN())
	out := Kappa{int(n), undefined, undefined, [2]Value{undefined, undefined}}
	if n == 0 {
		return out
	}
	agreement, kappa := statistic(cells)
	out.Agreement, out.Kappa = Value(agreement), Value(kappa)
	src := rand.NewPCG(seed, uint64(len(cells)))
	var values []float64
	for range resamples {
		if _, kappa := statistic(multinomial(cells, n, src)); finite(kappa) {
			values = append(values, kappa)
		}
	}
	if slices.Sort(values); len(values) > 0 {
		out.Interval = [2]Value{Value(quantile(values, 0.025)), Value(quantile(values, 0.975))}
	}
	return out
}

// multinomial draws n with replacement, as conditional binomials.
func multinomial(cells []float64, n float64, src rand.Source) []float64 {
	out := make([]float64, len(cells))
	left, rest := n, n
	for i, c := range cells {
		if rest <= 0 || left <= 0 {
			break
		}
		out[i] = binomial(left, math.Min(1, c/rest), src)
		left, rest = left-out[i], rest-c
	}
	return out
}
