// Package learning says how accuracy grows with the number of training pairs:
// means over seeds with intervals, and a power law with what it foretells.
//
// Runs go in, a Report comes out (New); it prints as tables (Print), as JSON
// (WriteJSON) and as a page (WriteHTML).
package learning

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Run is one training on a subset, measured on the test pairs. All runs are measured
// on the same ones, whose prompts come in the same order.
type Run struct {
	Size       int         `json:"size"`                       // training pairs that were asked for
	Pairs      int         `json:"pairs"`                      // that it had: prompts come whole
	Prompts    int         `json:"prompts"`                    // of these
	Seed       uint64      `json:"seed"`                       // of the training, and of which prompts come first
	Seen       int         `json:"seen_in_training,omitempty"` // of the test pairs, those that it was trained on
	Loss       stats.Value `json:"bt_loss"`
	BagOfWords stats.Value `json:"bag_of_words"` // the accuracy of a bag of words learnt from the same pairs; null where there is none
	Right      []float64   `json:"right"`        // of each test prompt's pairs, how many are ranked right, ties one half
	Of         []float64   `json:"of"`           // how many there are
}

// Point is what the runs of one size come to.
type Point struct {
	Size       int            `json:"size"`
	Pairs      stats.Value    `json:"pairs"` // mean over seeds
	Accuracy   stats.Value    `json:"accuracy_ties_half"`
	Interval   stats.Interval `json:"accuracy_interval_95"`
	EachSeed   []stats.Value  `json:"accuracy_by_seed"`
	Gain       stats.Value    `json:"gain"` // over the size before; null for the first
	GainIn     stats.Interval `json:"gain_interval_95"`
	Loss       stats.Value    `json:"bt_loss"`
	BagOfWords stats.Value    `json:"bag_of_words"`
}

// Report is learning-curve.json.
type Report struct {
	TestPairs   int      `json:"test_pairs"`
	TestPrompts int      `json:"test_prompts"`
	Seeds       []uint64 `json:"seeds"`
	Method      string   `json:"method"` // of the intervals
	Points      []Point  `json:"points"` // the smallest first
	Fit         *Fit     `json:"fit"`    // null where there are too few sizes
	Warnings    []string `json:"warnings"`
}

// resamples of the bootstrap.
const resamples = 1000

// New puts runs together: every size with every seed once. seed is the
// bootstrap's, which draws test prompts, and seeds, with replacement, the same of
// every size.
func New(runs []Run, seed uint64) (*Report, error) {
	g, err := newGrid(runs)
	if err != nil {
		return nil, err
	}
	r := &Report{Seeds: g.seeds, TestPrompts: len(runs[0].Of), Warnings: []string{},
		Method: fmt.Sprintf("percentile bootstrap over test prompts and seeds, %d resamples, 95%%", resamples)}
	for _, n := range runs[0].Of {
		r.TestPairs += int(n)
	}
	draws := g.bootstrap(seed)
	r.Points = g.points(draws)
	r.Fit = fitWith(g.pairs(), g.accuracies(), draws)
	r.warn()
	return r, nil
}

// grid is the runs by size and seed.
type grid struct {
	sizes []int
	seeds []uint64
	runs  [][]Run // [size][seed]
}

func newGrid(runs []Run) (*grid, error) {
	if len(runs) == 0 {
		return nil, errors.New("learning curve: no runs")
	}
	g := &grid{}
	at := map[[2]uint64]Run{}
	for _, r := range runs {
		if !slices.Equal(r.Of, runs[0].Of) || len(r.Right) != len(r.Of) {
			return nil, fmt.Errorf("learning curve: the run of %d pairs, seed %d, was measured on other test pairs than the run of %d pairs, seed %d", r.Size, r.Seed, runs[0].Size, runs[0].Seed)
		}
		g.sizes, g.seeds = append(g.sizes, r.Size), append(g.seeds, r.Seed)
		at[[2]uint64{uint64(r.Size), r.Seed}] = r
	}
	slices.Sort(g.sizes)
	slices.Sort(g.seeds)
	g.sizes, g.seeds = slices.Compact(g.sizes), slices.Compact(g.seeds)
	for _, size := range g.sizes {
		var row []Run
		for _, seed := range g.seeds {
			r, there := at[[2]uint64{uint64(size), seed}]
			if !there {
				return nil, fmt.Errorf("learning curve: the run of %d pairs, seed %d, is missing", size, seed)
			}
			row = append(row, r)
		}
		g.runs = append(g.runs, row)
	}
	return g, nil
}

// accuracy is that of a size, with prompts and seeds that count so many times.
func (g *grid) accuracy(size int, prompts, seeds []float64) float64 {
	right, of := 0.0, 0.0
	for s, r := range g.runs[size] {
		if seeds[s] == 0 {
			continue
		}
		for p, k := range prompts {
			right, of = right+seeds[s]*k*r.Right[p], of+seeds[s]*k*r.Of[p]
		}
	}
	return right / of
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// accuracies are those of the sizes, over all prompts and seeds.
func (g *grid) accuracies() (out []float64) {
	for i := range g.sizes {
		out = append(out, g.accuracy(i, ones(len(g.runs[0][0].Of)), ones(len(g.seeds))))
	}
	return out
}

// pairs are the mean training pairs of the sizes.
func (g *grid) pairs() (out []float64) {
	for _, row := range g.runs {
		out = append(out, float64(meanOf(row, func(r Run) float64 { return float64(r.Pairs) })))
	}
	return out
}

func meanOf(runs []Run, of func(Run) float64) stats.Value {
	sum := 0.0
	for _, r := range runs {
		sum += of(r)
	}
	return stats.Value(sum / float64(len(runs)))
}

// bootstrap draws, [resamples][sizes].
func (g *grid) bootstrap(seed uint64) [][]float64 {
	src := rand.New(rand.NewPCG(seed, 2))
	drawn := func(n int) []float64 {
		times := make([]float64, n)
		for range n {
			times[src.IntN(n)]++
		}
		return times
	}
	draws := make([][]float64, resamples)
	for b := range draws {
		prompts, seeds := drawn(len(g.runs[0][0].Of)), drawn(len(g.seeds))
		for i := range g.sizes {
			draws[b] = append(draws[b], g.accuracy(i, prompts, seeds))
		}
	}
	return draws
}

func (g *grid) points(draws [][]float64) (out []Point) {
	accuracies := g.accuracies()
	for i, row := range g.runs {
		p := Point{Size: g.sizes[i], Pairs: stats.Value(g.pairs()[i]), Accuracy: stats.Value(accuracies[i]),
			Interval: column(draws, func(d []float64) float64 { return d[i] }),
			Gain:     stats.Over(0, 0), GainIn: stats.Interval{stats.Over(0, 0), stats.Over(0, 0)},
			Loss:       meanOf(row, func(r Run) float64 { return float64(r.Loss) }),
			BagOfWords: meanOf(row, func(r Run) float64 { return float64(r.BagOfWords) })}
		for s := range row {
			only := make([]float64, len(row))
			only[s] = 1
			p.EachSeed = append(p.EachSeed, stats.Value(g.accuracy(i, ones(len(row[s].Of)), only)))
		}
		if i > 0 {
			p.Gain = stats.Value(stats.Minus(accuracies[i], accuracies[i-1]))
			p.GainIn = column(draws, func(d []float64) float64 { return stats.Minus(d[i], d[i-1]) })
		}
		out = append(out, p)
	}
	return out
}

// column is the interval of what each draw gives.
func column(draws [][]float64, of func([]float64) float64) stats.Interval {
	each := make([]float64, len(draws))
	for b, d := range draws {
		each[b] = of(d)
	}
	return stats.Central95(each)
}

func (r *Report) warn() {
	say := func(when bool, format string, args ...any) {
		if when {
			r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
		}
	}
	say(len(r.Seeds) == 1, "one seed: the intervals leave out how much a run depends on its seed; give --seeds 3 or more")
	say(r.Fit == nil, "%s: no curve is fitted, which takes %d or more", stats.Plural(len(r.Points), "size"), leastSizes)
	if last := r.Points[len(r.Points)-1]; len(r.Points) > 1 {
		say(last.GainIn.Contains(0), "the last step, to %d pairs, brings no gain that is shown: %v (%v)", last.Size, last.Gain, last.GainIn)
		say(cmp.Compare(last.BagOfWords, last.Accuracy) >= 0 && last.BagOfWords.Defined(), "at %d pairs a bag of words learnt from the same pairs is as good: %v, the model %v", last.Size, last.BagOfWords, last.Accuracy)
	}
}

// WriteJSON writes learning-curve.json, aside first, then renamed.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }
