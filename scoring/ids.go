package scoring

import (
	"context"

	"laurel/data"
	"laurel/model"
)

// ScoreIDs gives the score of each sequence of ids, as Encode gives them; none
// may be empty. A reward that is no finite number is a Reason.
func (s *Scorer) ScoreIDs(ctx context.Context, sequences [][]int32) ([]data.Score, error) {
	rewards, std, err := s.ensemble.ScoreWithStd(ctx, sequences, nil)
	if err != nil {
		return nil, err
	}
	scores := make([]data.Score, len(sequences))
	for i, reward := range rewards {
		score := data.Score{Reward: reward, Std: std[i], Lower: reward - float32(s.lowerBy())*std[i], Tokens: len(sequences[i])}
		if score.Valid = finite(reward, score.Lower); !score.Valid {
			score.Reason = string(data.ReasonReward)
		}
		scores[i] = score
	}
	return scores, nil
}

// SetBatch makes batches hold about so many ids (model.Scorer.SetBatch).
func (s *Scorer) SetBatch(ids int) { s.ensemble.SetBatch(ids) }

// SetDType sets the type of matrix products, float32 or bfloat16; all else is
// float32 either way. Call it before anything is scored.
func (s *Scorer) SetDType(name string) error {
	dtype, err := model.ParseDType(name)
	if err == nil {
		s.ensemble.SetCompute(dtype)
	}
	return err
}

// Place is where a sequence is scored.
type Place = model.Place

// Place is that of a sequence of so many ids (model.Scorer.Place).
func (s *Scorer) Place(ids int) (Place, error) { return s.ensemble.Place(ids) }

// Lengths are lengths of sequences up to MaxLength, shortest first, each the longest that
// lies in rows of one shape: scoring one of each compiles all that there is to compile.
func (s *Scorer) Lengths() ([]int, error) {
	var lengths []int
	for ids := 1; ids <= s.MaxLength; {
		place, err := s.Place(ids)
		if err != nil {
			return nil, err
		}
		lengths, ids = append(lengths, min(place.Length, s.MaxLength)), place.Length+1
	}
	return lengths, nil
}
