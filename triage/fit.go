package triage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"laurel/data"
	"laurel/eval/stats"
)

// mostFitted bounds the pairs that regressions are fitted on, evenly spaced, and
// with them the memory: a pair takes some 5 kB while they are.
const mostFitted = 50_000

// penalties are those of which the first fold's held-out loss chooses one.
var penalties = [...]float64{2, 20, 200}

// fold is part of the prompts: those of whose number the remainder is k.
func fold(cluster int32, folds int) int { return int(cluster) % folds }

// fitted are the regressions of all folds, each fitted on the other folds' pairs.
type fitted struct {
	theta  [][]float64
	folds  int
	l2     float64
	fewest int // pairs that one of them was fitted on
}

// columns number the features that two pairs of a sample have or more, from 0; -1
// of the others, of which a regression could learn nothing for other prompts.
type columns []int32

func columnsOf(rows []stats.Sparse) (place columns, n int) {
	in := make([]int32, width)
	for _, row := range rows {
		for _, at := range row.At {
			in[at]++
		}
	}
	place = make(columns, width)
	for at, count := range in {
		if place[at] = -1; count > 1 {
			place[at] = int32(n)
			n++
		}
	}
	return place, n
}

// of is a row's features that have a number.
func (c columns) of(row stats.Sparse) (out stats.Sparse) {
	for k, at := range row.At {
		if place := c[at]; place >= 0 {
			out.At, out.X = append(out.At, place), append(out.X, row.X[k])
		}
	}
	return out
}

// sample are the pairs that regressions are fitted on.
type sample struct {
	rows    []stats.Sparse
	weight  []float64
	cluster []int32
	width   int
	place   columns // of words: where a hashed feature went
}

// turned is the sample with some labels the other way round.
func (s sample) turned(flip []bool) sample {
	rows := make([]stats.Sparse, len(s.rows))
	for i, row := range s.rows {
		if rows[i] = row; flip[i] {
			rows[i].X = make([]float64, len(row.X))
			for k, x := range row.X {
				rows[i].X[k] = -x
			}
		}
	}
	s.rows = rows
	return s
}

// fit fits a fold's regression with a penalty.
func (s sample) fit(k, folds int, l2 float64) (theta []float64, n int, err error) {
	l := stats.Logistic{Dim: s.width, L2: l2}
	for i, row := range s.rows {
		if fold(s.cluster[i], folds) != k {
			l.Rows, l.Weight = append(l.Rows, row), append(l.Weight, s.weight[i])
		}
	}
	theta, err = l.Fit()
	return theta, len(l.Rows), err
}

// loss is the mean log-loss of a fold that was held out.
func (s sample) loss(theta []float64, k, folds int) float64 {
	sum, weight := 0.0, 0.0
	for i, row := range s.rows {
		if fold(s.cluster[i], folds) == k {
			sum, weight = sum+s.weight[i]*stats.Softplus(-row.Dot(theta)), weight+s.weight[i]
		}
	}
	return sum / weight
}

// marginPenalty keeps the few coefficients of margins finite where they separate
// the pairs.
const marginPenalty = 1e-3

// penalty is that of the regressions: of words chosen, of margins fixed.
func (s sample) penalty(ctx context.Context, folds int) (float64, error) {
	if s.place == nil {
		return marginPenalty, nil
	}
	return s.choose(ctx, folds)
}

// choose takes the penalty with which the first fold, held out, has the least
// loss.
func (s sample) choose(ctx context.Context, folds int) (best float64, err error) {
	least := math.Inf(1)
	for _, l2 := range penalties {
		theta, _, err := s.fit(0, folds, l2)
		if err := errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		if loss := s.loss(theta, 0, folds); loss < least {
			least, best = loss, l2
		}
	}
	return best, nil
}

// outOfFold fits all folds, two or more at once where there are processors.
func (s sample) outOfFold(ctx context.Context, folds int, l2 float64) (*fitted, error) {
	f := &fitted{make([][]float64, folds), folds, l2, len(s.rows)}
	errs, counts := make([]error, folds), make([]int, folds)
	var group sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for k := range folds {
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if errs[k] = ctx.Err(); errs[k] == nil {
				f.theta[k], counts[k], errs[k] = s.fit(k, folds, l2)
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for k, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", k, err)
		}
		f.fewest = min(f.fewest, counts[k])
	}
	return f, nil
}

// logit is the log-odds, of the regression that has not seen the pair's prompt,
// that its label is as it is.
func (f *fitted) logit(row stats.Sparse, cluster int32) float64 {
	return row.Dot(f.theta[fold(cluster, f.folds)])
}

// taken are the evenly spaced places of at most so many of n.
func taken(n, most int) map[int]bool {
	at := map[int]bool{}
	for i := range min(n, most) {
		at[i*n/min(n, most)] = true
	}
	return at
}

// textSample reads the features of the pairs that are fitted on.
func textSample(ctx context.Context, source Source, s *scanned, cluster []int32, most int) (out sample, err error) {
	at, i := taken(s.n(), most), 0
	only := func(yield func(data.Pair, error) bool) {
		for p, err := range source() {
			if err == nil && !at[i] {
				i++
				continue
			}
			i++
			if !yield(p, err) {
				return
			}
		}
	}
	for row, err := range data.InOrder(ctx, only, runtime.GOMAXPROCS(0), extracting) {
		if err != nil {
			return out, err
		}
		out.rows = append(out.rows, row)
	}
	out.place, out.width = columnsOf(out.rows)
	for i, row := range out.rows {
		out.rows[i] = out.place.of(row)
	}
	for i := range s.n() {
		if at[i] {
			out.weight, out.cluster = append(out.weight, s.confidence[i]), append(out.cluster, cluster[i])
		}
	}
	if len(out.rows) != len(out.weight) {
		return out, errors.New("the files changed while they were read: run the command again")
	}
	return out, nil
}

func extracting() func(data.Pair) stats.Sparse {
	f := newFeatures()
	return func(p data.Pair) stats.Sparse { return f.of(&p) }
}

// textLogits reads the pairs once more, for the log-odds of all of them.
func textLogits(ctx context.Context, source Source, f *fitted, place columns, cluster []int32) ([]float64, error) {
	var z []float64
	for row, err := range data.InOrder(ctx, source(), runtime.GOMAXPROCS(0), extracting) {
		if err != nil {
			return nil, err
		}
		if len(z) == len(cluster) {
			return nil, errors.New("the files changed while they were read: run the command again")
		}
		z = append(z, f.logit(place.of(row), cluster[len(z)]))
	}
	if len(z) != len(cluster) {
		return nil, errors.New("the files changed while they were read: run the command again")
	}
	return z, nil
}
