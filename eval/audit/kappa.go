package audit

import (
	"math"
	"math/rand/v2"
	"slices"

	"laurel/eval/stats"
	"laurel/labels"
)

// Ratings are in three categories: response a, response b, neither.
const ratingCategories = 3

// Kappa is agreement beyond chance on n comparisons, with the 95% interval of
// the percentile bootstrap over comparisons, of which as many are drawn as they
// are worth: n over the design effect of the prompts.
type Kappa struct {
	N         int            `json:"n"`
	Agreement stats.Value    `json:"agreement"` // share of agreeing pairs of ratings
	Kappa     stats.Value    `json:"kappa"`     // null where all ratings are one category
	Interval  stats.Interval `json:"interval_95"`
}

// rated are comparisons by prompt and by the cell of a table that they fall in.
type rated struct {
	prompt []int32
	cell   []int
}

func (r *rated) add(prompt int32, cell int) {
	r.prompt, r.cell = append(r.prompt, prompt), append(r.cell, cell)
}

// cellOf is the cell of what one rater and another say.
func cellOf(one, other int) int { return one*ratingCategories + other }

// decided leaves out what either rater calls neither.
func (r *rated) decided() *rated {
	out := &rated{}
	for i, cell := range r.cell {
		if cell/ratingCategories != ratingCategories-1 && cell%ratingCategories != ratingCategories-1 {
			out.add(r.prompt[i], cell)
		}
	}
	return out
}

// CohenOf is Cohen's κ of what two raters say of the same comparisons, whose
// prompts' numbers stand beside: over a, b and neither, and where both name a side.
func CohenOf(prompt []int32, one, other []labels.Side, resamples int, seed uint64) (all, decided Kappa) {
	r := &rated{}
	for i := range prompt {
		r.add(prompt[i], cellOf(category(one[i]), category(other[i])))
	}
	return cohen(r, resamples, seed), cohen(r.decided(), resamples, seed)
}

// cohen is Cohen's κ (1960): (p₀ - pₑ) / (1 - pₑ).
func cohen(r *rated, resamples int, seed uint64) Kappa {
	return bootstrapped(r, ratingCategories*ratingCategories, cohenOf, resamples, seed)
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
	return same / n, float64(stats.Over(stats.Minus(same/n, chance), 1-chance))
}

// ratings counts how many raters chose each category, for one comparison.
type ratings [ratingCategories]int

func (r ratings) raters() int { return r[0] + r[1] + r[2] }

// votes are comparisons by prompt and by how their raters chose.
type votes struct {
	prompt []int32
	of     []ratings
}

// fleiss is Fleiss' κ (1971), of at least two raters, as many for each comparison.
func fleiss(v *votes, resamples int, seed uint64) Kappa {
	return v.bootstrapped(fleissOf, resamples, seed)
}

// bootstrapped gathers the comparisons whose raters chose alike.
func (v *votes) bootstrapped(statistic func(kinds []ratings, cells []float64) (agreement, kappa float64), resamples int, seed uint64) Kappa {
	kinds := slices.Clone(v.of)
	order := func(a, b ratings) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(kinds, order)
	kinds = slices.Compact(kinds)
	r := &rated{}
	for i, one := range v.of {
		cell, _ := slices.BinarySearchFunc(kinds, one, order)
		r.add(v.prompt[i], cell)
	}
	return bootstrapped(r, len(kinds), func(cells []float64) (float64, float64) { return statistic(kinds, cells) }, resamples, seed)
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
	return same / n, float64(stats.Over(stats.Minus(same/n, chance), 1-chance))
}

// bootstrapped resamples the cells' counts, which is resampling comparisons,
// whatever their number. Resamples that leave κ undefined are left out.
func bootstrapped(r *rated, size int, statistic func([]float64) (agreement, kappa float64), resamples int, seed uint64) Kappa {
	cells := make([]float64, size)
	for _, cell := range r.cell {
		cells[cell]++
	}
	n := float64(len(r.cell))
	undefined := stats.Value(math.NaN())
	out := Kappa{len(r.cell), undefined, undefined, stats.Interval{undefined, undefined}}
	if n == 0 {
		return out
	}
	agreement, kappa := statistic(cells)
	out.Agreement, out.Kappa = stats.Value(agreement), stats.Value(kappa)
	draws := math.Max(1, math.Round(n/stats.DesignEffect(r.prompt, r.influence(cells, statistic))))
	src := rand.NewPCG(seed, uint64(len(cells)))
	var values []float64
	for range resamples {
		if _, kappa := statistic(stats.Multinomial(cells, draws, src)); stats.Finite(kappa) {
			values = append(values, kappa)
		}
	}
	if len(values) > 0 {
		out.Interval = stats.Central95(values)
	}
	return out
}

// influence is what a little more of each comparison's cell changes in κ.
func (r *rated) influence(cells []float64, statistic func([]float64) (agreement, kappa float64)) []float64 {
	_, kappa := statistic(cells)
	more := float64(len(r.cell)) * 1e-6
	byCell := make([]float64, len(cells))
	for i := range cells {
		cells[i] += more
		if _, changed := statistic(cells); stats.Finite(changed - kappa) {
			byCell[i] = (changed - kappa) / more
		}
		cells[i] -= more
	}
	out := make([]float64, len(r.cell))
	for i, cell := range r.cell {
		out[i] = byCell[cell]
	}
	return out
}
