package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"laurel/data"
	"laurel/eval"
	"laurel/eval/stats"
	"laurel/learning"
)

// subsets are the training pairs of a learning curve by prompt, and where their
// files are written.
type subsets struct {
	dir     string
	pairs   *trainingPairs
	prompts []uint64       // different ones, as they appear
	of      map[uint64]int // pairs of each
	total   int
}

// findSubsets reads the training pairs once, and writes the validation pairs: a
// run's own share would be another for every subset.
func (l *learningCurve) findSubsets(ctx context.Context) (*subsets, error) {
	pairs, err := findPairs(ctx, l.config.Data, l.config.Train.Seed, l.log)
	if err != nil {
		return nil, err
	}
	if err := pairs.split(l.log); err != nil {
		return nil, err
	}
	s := &subsets{dir: filepath.Join(l.dir, "pairs"), pairs: pairs, of: map[uint64]int{}}
	for pair, err := range pairs.first(data.ReadPairs(pairs.config.Train, pairs.config.Reading(nil), nil), nil) {
		if err != nil {
			return nil, err
		}
		key := data.PromptKey(pair.Prompt)
		if s.of[key]++; s.of[key] == 1 {
			s.prompts = append(s.prompts, key)
		}
		s.total++
	}
	if l.config.Data.Validation.None() {
		return s, nil
	}
	return s, s.convert(ctx, pairs.validation, l.validationPath(), pairs.then)
}

func (l *learningCurve) validationPath() string {
	return filepath.Join(l.dir, "pairs", "validation.parquet")
}

// sizes are those asked for, the smallest first, or the halves of all.
func (s *subsets) sizes(asked []int) ([]int, error) {
	if len(asked) == 0 {
		for _, part := range []int{16, 8, 4, 2, 1} {
			asked = append(asked, max(1, s.total/part))
		}
	}
	asked = slices.Compact(slices.Sorted(slices.Values(asked)))
	if most := asked[len(asked)-1]; most > s.total {
		return nil, fmt.Errorf("--sizes has %d, and there are %d training pairs", most, s.total)
	}
	return asked, nil
}

// take takes prompts in an order drawn by the seed, until there are enough pairs. A
// larger size holds those of a smaller.
func (s *subsets) take(size int, seed uint64) (taken map[uint64]bool, pairs int) {
	order := slices.Clone(s.prompts)
	rand.New(rand.NewPCG(seed, 3)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	taken = map[uint64]bool{}
	for _, key := range order {
		if pairs >= size {
			break
		}
		taken[key], pairs = true, pairs+s.of[key]
	}
	return taken, pairs
}

// write writes the pairs of a size where they are not there yet.
func (s *subsets) write(ctx context.Context, size int, seed uint64) (path string, err error) {
	taken, _ := s.take(size, seed)
	path = filepath.Join(s.dir, fmt.Sprintf("seed-%d-size-%06d.parquet", seed, size))
	return path, s.convert(ctx, s.pairs.config.Train, path, func(pairs iter.Seq2[data.Pair, error], counts *data.Counts) iter.Seq2[data.Pair, error] {
		return func(yield func(data.Pair, error) bool) {
			for pair, err := range s.pairs.first(pairs, counts) {
				if err == nil && !taken[data.PromptKey(pair.Prompt)] {
					continue
				}
				if !yield(pair, err) {
					return
				}
			}
		}
	})
}

// convert writes what through lets pass of files, unless it is there.
func (s *subsets) convert(ctx context.Context, files []string, path string, through func(iter.Seq2[data.Pair, error], *data.Counts) iter.Seq2[data.Pair, error]) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := claimFolder(s.dir); err != nil {
		return err
	}
	_, err := data.ConvertThrough(ctx, files, path, s.pairs.config.Reading(nil), through)
	return err
}

// measure evaluates a run on the test pairs.
func (l *learningCurve) measure(ctx context.Context, dir string, size int, seed uint64) (*learning.Run, error) {
	e := evaluation{ref: dir, revision: "main", dir: dir, onBadRow: "fail", backend: l.config.Backend, dtype: "float32", files: l.testFiles(), out: l.log, log: l.log, backends: l.backends, everyPair: true}
	scored, err := e.scored(ctx)
	if err != nil {
		return nil, err
	}
	report, err := e.measure(ctx, scored)
	if err != nil {
		return nil, err
	}
	one := &learning.Run{Size: size, Seed: seed, Seen: e.seen, Loss: report.BTLossMean, BagOfWords: stats.Over(0, 0)}
	taken, pairs := l.subsets.take(size, seed)
	one.Pairs, one.Prompts = pairs, len(taken)
	for _, r := range report.Rulers {
		if r.Name == eval.BagOfWords {
			one.BagOfWords = r.Accuracy
		}
	}
	numbers := stats.NewPrompts()
	var prompt []int32
	var right []float64
	for _, row := range scored.rows {
		prompt, right = append(prompt, numbers.Of(row.Prompt)), append(right, row.Right())
	}
	one.Right, one.Of = stats.ByPrompt(prompt, right), stats.CountByPrompt(prompt)
	return one, nil
}
