package scoring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"laurel/data"
	"laurel/data/batches"
	"laurel/data/tokenizer"
	"laurel/model"
)

// Scorer is a model that computes: on a backend, alone or as an ensemble.
type Scorer struct {
	*Model
	ensemble *model.Ensemble
}

// UseDevices makes the model, or all members, compute on n devices.
func (m *Model) UseDevices(backend model.Backend, n int) error {
	if m.members == nil {
		return m.Model.UseDevices(backend, n)
	}
	for _, member := range m.members.models {
		if err := member.Model.UseDevices(backend, n); err != nil {
			return err
		}
	}
	return nil
}

// Scorer readies the model, or all members, on a backend. It compiles nothing
// yet; each shape is compiled at its first use.
func (m *Model) Scorer(backend model.Backend) (*Scorer, error) {
	members := []model.Member{{Model: m.Model}}
	if m.members != nil {
		members = m.members.models
	}
	return m.scorerOf(backend, members...)
}

func (m *Model) scorerOf(backend model.Backend, members ...model.Member) (*Scorer, error) {
	e, err := model.NewEnsemble(backend, members...)
	if err != nil {
		return nil, err
	}
	return &Scorer{Model: m, ensemble: e}, nil
}

// SharePrefixes has texts that begin alike, as responses to one prompt do, scored
// with their beginning computed once. A reward then depends on its neighbours, by
// rounding (2e-5). It is an error for an encoder.
func (s *Scorer) SharePrefixes() error { return s.ensemble.SharePrefixes() }

// Tokens that a completion is taken to have at least, on average, and bytes of a file that
// make one at most.
const (
	fewTokens = 32
	manyBytes = 8
)

// Prepare compiles, while the caller goes on, what scoring groups of so many rows of a table
// needs, where the size of the file tells. Set what is to be set before it.
func (s *Scorer) Prepare(table *data.Table, groupRows int) {
	completions, least := min(groupRows, math.MaxInt32), math.MaxInt
	if rows := table.NumRows(); rows >= 0 {
		completions = min(completions, int(rows))
	} else if info, err := os.Stat(table.File()); err == nil {
		least = int(info.Size() / manyBytes)
	}
	if table.Pairs() {
		completions *= 2
	}
	s.ensemble.Prepare(min(least, completions*fewTokens), completions*s.MaxLength)
}

// Close waits for what is being compiled, and frees the tokenizer.
func (s *Scorer) Close() error {
	s.ensemble.Wait()
	return s.Model.Close()
}

// Score gives the outcome of each completion, in order. What lies in a text
// itself is a Reason in its score, not an error.
func (s *Scorer) Score(ctx context.Context, completions []data.Completion) ([]data.Score, error) {
	scores, sequences, err := s.encodeAll(completions)
	if err != nil {
		return nil, err
	}
	var good [][]int32
	for i := range scores {
		if scores[i].Reason == "" {
			good = append(good, sequences[i])
		}
	}
	scored, err := s.ScoreIDs(ctx, good)
	if err != nil {
		return nil, err
	}
	for i := range scores {
		if scores[i].Reason == "" {
			scored[0].Truncated = scores[i].Truncated
			scores[i], scored = scored[0], scored[1:]
		}
	}
	return scores, nil
}

// finite tells whether numbers are some: weights that are damaged, or too large
// for float32 sums, give NaN or infinite rewards.
func finite(values ...float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// encodeError is that of one of several completions.
type encodeError struct {
	at  int
	err error
}

func (e *encodeError) Error() string { return fmt.Sprintf("completion %d: %v", e.at, e.err) }
func (e *encodeError) Unwrap() error { return e.err }

// encodeAll encodes on every CPU; a score without a Reason has its ids.
func (s *Scorer) encodeAll(completions []data.Completion) ([]data.Score, [][]int32, error) {
	scores, sequences := make([]data.Score, len(completions)), make([][]int32, len(completions))
	group := errgroup.Group{}
	group.SetLimit(runtime.NumCPU())
	for i, completion := range completions {
		group.Go(func() error {
			tokens, err := s.Encode(completion)
			reason, mine := reasonOf(err)
			switch {
			case mine:
				scores[i].Reason = reason
			case err != nil:
				return &encodeError{i, err}
			default:
				sequences[i] = tokens.IDs
				scores[i].Tokens, scores[i].Truncated = len(tokens.IDs), tokens.Cut > 0
			}
			return nil
		})
	}
	return scores, sequences, group.Wait()
}

// reasonOf is the reason in a score that an error of Encode comes to, where it
// lies in the text.
func reasonOf(err error) (reason string, ok bool) {
	switch {
	case errors.Is(err, tokenizer.ErrText):
		return err.Error(), true
	case errors.Is(err, ErrNoTokens):
		return "no_tokens", true
	}
	if bad := (*data.RowError)(nil); errors.As(err, &bad) {
		return string(bad.Reason), true
	}
	return "", false
}

// Rewards gives the reward of each completion and fails at the first that
// cannot have one.
func (s *Scorer) Rewards(ctx context.Context, completions []data.Completion) ([]float64, error) {
	var sequences [][]int32
	for _, completion := range completions {
		tokens, err := s.Encode(completion)
		if err != nil {
			return nil, err
		}
		sequences = append(sequences, tokens.IDs)
	}
	scores, err := s.ensemble.Score(ctx, sequences, nil)
	if err != nil {
		return nil, err
	}
	rewards := make([]float64, len(scores))
	for i, score := range scores {
		if !finite(score) {
			return nil, fmt.Errorf("completion %d: the reward is %v: the weights of %s are damaged or too large for float32; laurel verify tells more", i, score, s.Dir)
		}
		rewards[i] = float64(score)
	}
	return rewards, nil
}

// ScoreStore gives the rewards of every pair of a store, in its order. done
// hears how many pairs are scored.
func (s *Scorer) ScoreStore(ctx context.Context, store *batches.Store, done func(pairs int)) (chosen, rejected []float32, err error) {
	return s.ensemble.ScoreStore(ctx, store, done)
}
