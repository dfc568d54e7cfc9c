package model

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data/batches"
)

// Ensemble scores with several models of one tokenizer (Coste et al. 2024,
// arXiv:2310.02743). Each member's offset is taken off its rewards: a
// Bradley–Terry loss does not see a constant added to every reward, so that
// members agree on differences alone.
type Ensemble struct {
	members []*Scorer
	offsets []float32
}

// Member is one model of an ensemble; Offset is taken off each of its rewards.
type Member struct {
	Model  *Model
	Offset float32
}

// NewEnsemble compiles nothing yet; one model with offset 0 is scored as a
// Scorer does it.
func NewEnsemble(backend Backend, members ...Member) (*Ensemble, error) {
	e := &Ensemble{}
	for _, m := range members {
		s, err := NewScorer(backend, m.Model)
		if err != nil {
			return nil, err
		}
		e.members, e.offsets = append(e.members, s), append(e.offsets, m.Offset)
	}
	return e, nil
}

// SharePrefixes has every member score as Scorer.SharePrefixes says.
func (e *Ensemble) SharePrefixes() error {
	for _, s := range e.members {
		if err := s.SharePrefixes(); err != nil {
			return err
		}
	}
	return nil
}

// SetBatch has every member score as Scorer.SetBatch says.
func (e *Ensemble) SetBatch(ids int) {
	for _, s := range e.members {
		s.SetBatch(ids)
	}
}

// SetCompute has every member score as Scorer.SetCompute says.
func (e *Ensemble) SetCompute(dtype dtypes.DType) {
	for _, s := range e.members {
		s.SetCompute(dtype)
	}
}

// Prepare has every member compile as Scorer.Prepare says.
func (e *Ensemble) Prepare(least, most int) {
	for _, s := range e.members {
		s.Prepare(least, most)
	}
}

// Wait waits until no member compiles any more.
func (e *Ensemble) Wait() {
	for _, s := range e.members {
		s.Wait()
	}
}

// Place is that of the first member, as Scorer.Place gives it.
func (e *Ensemble) Place(ids int) (Place, error) { return e.members[0].Place(ids) }

// Score gives the mean reward of each sequence.
func (e *Ensemble) Score(ctx context.Context, sequences [][]int32, done func(n int)) ([]float32, error) {
	mean, _, err := e.ScoreWithStd(ctx, sequences, done)
	return mean, err
}

// ScoreWithStd gives the mean reward of each sequence and the standard deviation
// between the members, √(Σ(r−mean)²/n).
func (e *Ensemble) ScoreWithStd(ctx context.Context, sequences [][]int32, done func(n int)) (mean, std []float32, err error) {
	sums, squares := make([]float64, len(sequences)), make([]float64, len(sequences))
	all := make([][]float32, len(e.members))
	for i, s := range e.members {
		if all[i], err = s.Score(ctx, sequences, func(n int) {
			if done != nil {
				done((i*len(sequences) + n) / len(e.members))
			}
		}); err != nil {
			return nil, nil, err
		}
		for j, r := range all[i] {
			sums[j] += float64(r) - float64(e.offsets[i])
		}
	}
	n := float64(len(e.members))
	for i := range all {
		for j, r := range all[i] {
			d := float64(r) - float64(e.offsets[i]) - sums[j]/n
			squares[j] += d * d
		}
	}
	mean, std = make([]float32, len(sequences)), make([]float32, len(sequences))
	for j := range sequences {
		mean[j], std[j] = float32(sums[j]/n), float32(math.Sqrt(squares[j]/n))
	}
	return mean, std, nil
}

// storeChunk is how many pairs are read and scored at a time: enough to fill
// batches of like lengths, few enough for memory to stay bounded.
const storeChunk = 4096

// ScoreStore gives the rewards of every pair of a store, in its order.
func (e *Ensemble) ScoreStore(ctx context.Context, store *batches.Store, done func(pairs int)) (chosen, rejected []float32, err error) {
	for first := 0; first < store.Len(); first += storeChunk {
		last := min(first+storeChunk, store.Len())
		var sequences [][]int32
		for row := first; row < last; row++ {
			c, r, err := store.IDs(row)
			if err != nil {
				return nil, nil, err
			}
			sequences = append(sequences, c, r)
		}
		rewards, err := e.Score(ctx, sequences, func(n int) {
			if done != nil {
				done(first + n/2)
			}
		})
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i < len(rewards); i += 2 {
			chosen, rejected = append(chosen, rewards[i]), append(rejected, rewards[i+1])
		}
	}
	return chosen, rejected, nil
}

// Average makes the model the mean of itself and others, tensor by tensor
// (Ramé et al. 2024, arXiv:2401.12187). next gives the others one by one, so
// that two models at most are in memory, and nil after the last.
func (m *Model) Average(next func() (*Model, error)) error {
	for n := 2; ; n++ {
		other, err := next()
		if other == nil || err != nil {
			return err
		}
		for _, t := range m.Config.weights {
			if err := m.mix(other, t, 1/float64(n)); err != nil {
				return fmt.Errorf("tensor %s: %w", t.name, err)
			}
		}
	}
}

// mix moves a tensor towards another model's by a share of the way.
func (m *Model) mix(other *Model, t weight, share float64) error {
	mine, err := m.values("/" + t.name)
	if err != nil {
		return err
	}
	theirs, err := other.values("/" + t.name)
	if err != nil {
		return err
	}
	for i, v := range theirs {
		mine[i] = float32(float64(mine[i]) + (float64(v)-float64(mine[i]))*share)
	}
	return m.Store.GetVariable("/" + t.name).SetValue(tensors.FromFlatDataAndDimensions(mine, t.shape...))
}

// DiffersFrom names the first key of config.json that two models compute
// differently by, "" where there is none.
func (c *Config) DiffersFrom(other *Config) string {
	if c.ModelType != other.ModelType {
		return fmt.Sprintf("model_type: %s and %s", c.ModelType, other.ModelType)
	}
	if c.Recorded.Head != other.Recorded.Head {
		return "the score head (laurel.head)"
	}
	for _, name := range sortedKeys(c.keys) {
		if !isHarmless(name) && string(c.keys[name]) != string(other.keys[name]) {
			return fmt.Sprintf("%s: %s and %s", name, c.keys[name], other.keys[name])
		}
	}
	for i, t := range c.weights {
		if i >= len(other.weights) || other.weights[i].name != t.name || fmt.Sprint(other.weights[i].shape) != fmt.Sprint(t.shape) {
			return "tensor " + t.name
		}
	}
	return ""
}
