// Package triage ranks pairs by how probably their label is wrong: confident
// learning over out-of-fold probabilities, of words or of the rewards of models,
// with near-duplicates, contradictions and circles of preferences; and it makes
// the list that is worth judging again.
package triage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"laurel/eval/stats"
)

// Config is what a triage is asked.
type Config struct {
	Folds      int     // of the prompts
	Similarity float64 // Jaccard similarity of shingles from which texts are alike
	Budget     int     // pairs that can be judged again; 0: no list
	JudgeError float64 // the share of judgements anew that are wrong
	Seed       uint64  // of flips, resamples, and which response the list calls A
	Scratch    string  // folder for the shingles while they are needed
}

// Default has five folds and a judge that is wrong in one of twenty.
func Default() Config { return Config{Folds: 5, Similarity: 0.8, JudgeError: 0.05, Seed: 1} }

// Margins are what models make of the pairs: the chosen reward minus the rejected
// one, [models][pairs]; NaN where a model could score neither.
type Margins [][]float64

// Run reads the pairs three times and triages them, by the margins of models where
// there are any, else by words.
func Run(ctx context.Context, source Source, margins Margins, cfg Config) (*Result, error) {
	s, err := scan(ctx, source, cfg.Scratch)
	if err != nil {
		return nil, err
	}
	defer s.shingles.close()
	r := &Result{pairs: s, cfg: cfg, Report: Report{Pairs: s.n(), Folds: cfg.Folds, Models: len(margins), MadeIDs: s.made, Warnings: []string{}}}
	if err := r.findAlike(ctx); err != nil {
		return nil, err
	}
	if r.Prompts < cfg.Folds {
		return nil, fmt.Errorf("the data have %s, and %d folds need as many: give more data, or fewer --folds", stats.Plural(r.Prompts, "different prompt"), cfg.Folds)
	}
	if err := r.learn(ctx, source, margins); err != nil {
		return nil, err
	}
	r.judge()
	r.chooseRejudged()
	r.warn()
	return r, nil
}

// Result is a triage of so many pairs, in the order they were read.
type Result struct {
	Report
	cfg     Config
	pairs   *scanned
	cluster []int32 // the number of each pair's prompt, those alike together
	groups  []Group
	cycles  []Cycle
	z       []float64 // log-odds, out of fold, that the label is as it is
	scored  []bool    // nil: all
	wrong   []float64 // P(mislabelled)
	order   []int32   // by P, the most probable first
	rejudge []int32   // by gain, the largest first
}

func (r *Result) findAlike(ctx context.Context) error {
	prompts, left, err := r.pairs.alikePrompts(ctx, r.cfg.Similarity)
	if err != nil {
		return err
	}
	pairs, similarity, more, err := r.pairs.alikePairs(ctx, r.cfg.Similarity, prompts)
	if err != nil {
		return err
	}
	r.NotCompared = left + more
	r.cluster, r.Prompts = r.pairs.clusters(prompts)
	r.groups = r.pairs.groups(pairs, similarity)
	r.cycles = r.pairs.cycles(r.cluster)
	r.countGroups()
	return nil
}

// learn fits the regressions and gives every pair its log-odds.
func (r *Result) learn(ctx context.Context, source Source, margins Margins) (err error) {
	var all sample
	if len(margins) > 0 {
		all, err = r.marginSample(margins)
	} else {
		all, err = textSample(ctx, source, r.pairs, r.cluster, mostFitted)
	}
	if err != nil {
		return err
	}
	l2, err := all.penalty(ctx, r.cfg.Folds)
	if err != nil {
		return err
	}
	f, err := all.outOfFold(ctx, r.cfg.Folds, l2)
	if err != nil {
		return err
	}
	r.Penalty, r.Fitted = stats.Value(l2), f.fewest
	if len(margins) > 0 {
		r.z = make([]float64, r.Pairs)
		for i, row := range all.rows {
			r.z[i] = f.logit(row, r.cluster[i])
		}
	} else if r.z, err = textLogits(ctx, source, f, all.place, r.cluster); err != nil {
		return err
	}
	r.Injected, err = inject(ctx, all, f, r.cfg.Seed)
	return err
}

// marginSample has the models' margins, each over its standard deviation, as
// features; a pair that some model could not score has none.
func (r *Result) marginSample(margins Margins) (sample, error) {
	r.scored = make([]bool, r.Pairs)
	scale := make([]float64, len(margins))
	for m, margin := range margins {
		if len(margin) != r.Pairs {
			return sample{}, errors.New("the files changed while they were read: run the command again")
		}
		sum, n := 0.0, 0.0
		for _, x := range margin {
			if stats.Finite(x) {
				sum, n = sum+x*x, n+1
			}
		}
		if scale[m] = math.Sqrt(sum / n); !(scale[m] > 0) {
			return sample{}, fmt.Errorf("model %d gives both responses of every pair the same reward, or none: nothing can be told by it", m+1)
		}
	}
	s := sample{width: len(margins), weight: r.pairs.confidence, cluster: r.cluster, rows: make([]stats.Sparse, r.Pairs)}
	for i := range s.rows {
		entries := map[int32]float64{}
		r.scored[i] = true
		for m, margin := range margins {
			r.scored[i] = r.scored[i] && stats.Finite(margin[i])
			entries[int32(m)] = margin[i] / scale[m]
		}
		if r.scored[i] {
			s.rows[i] = stats.SparseOf(entries)
		} else {
			r.Unscored++
		}
	}
	return s, nil
}

// judge turns log-odds into the probabilities that labels are wrong.
func (r *Result) judge() {
	p, right := make([]float64, r.Pairs), stats.Trials{}
	for i, z := range r.z {
		p[i] = stats.Sigmoid(z)
		right.Add(r.cluster[i], (1+sign(z))/2, 1)
	}
	r.Accuracy = right.Share()
	r.Noise = noiseOf(p, r.cluster, r.cfg.Seed)
	r.wrong = posterior(worth(r.z), float64(r.Noise.Rate), r.groups)
	throughCycles(r.wrong, r.cycles)
	r.order = make([]int32, r.Pairs)
	for i := range r.order {
		r.order[i] = int32(i)
		r.Expected += stats.Value(r.wrong[i])
	}
	slices.SortFunc(r.order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(r.wrong[j], r.wrong[i]), cmp.Compare(r.z[i], r.z[j]), cmp.Compare(i, j))
	})
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// gain is the weight of wrong labels, in training, that judging a pair again is
// expected to take away: its confidence times how much less probable a wrong label
// is afterwards.
func (r *Result) gain(i int32) float64 {
	return r.pairs.confidence[i] * (r.wrong[i] - r.cfg.JudgeError)
}

// chooseRejudged takes the pairs of the largest gain that the budget pays for, and
// none that a judge is expected to make worse.
func (r *Result) chooseRejudged() {
	if r.cfg.Budget == 0 {
		return
	}
	for _, i := range r.order {
		if r.gain(i) > 0 {
			r.rejudge = append(r.rejudge, i)
		}
	}
	slices.SortStableFunc(r.rejudge, func(i, j int32) int { return cmp.Compare(r.gain(j), r.gain(i)) })
	r.Rejudge = &Rejudge{Budget: r.cfg.Budget, JudgeError: stats.Value(r.cfg.JudgeError), Worth: len(r.rejudge)}
	r.rejudge = r.rejudge[:min(len(r.rejudge), r.cfg.Budget)]
	r.Rejudge.Listed = len(r.rejudge)
	for _, i := range r.rejudge {
		r.Rejudge.Wrong += stats.Value(r.wrong[i])
		r.Rejudge.Gain += stats.Value(r.gain(i))
	}
}
