package sweep

import (
	"context"
	"fmt"
	"io"
	"math"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/labels"
)

// Model is how a reward model does on the labels, by what each principle decides and
// says. Equal rewards count one half.
type Model struct {
	Name       string           `json:"name"`
	Rewarded   int              `json:"comparisons"` // of which both responses have a reward
	Without    int              `json:"without_reward"`
	Labels     stats.Share      `json:"labels"` // for the response of more reward
	Gold       *stats.Share     `json:"gold,omitempty"`
	Principles []ModelPrinciple `json:"principles"`
}

// ModelPrinciple is how the model does by one principle.
type ModelPrinciple struct {
	Name    string      `json:"name"`
	Decided stats.Share `json:"decided"` // on the labels that the principle decides
	Others  stats.Share `json:"others"`  // on the other labels
	// Less is the accuracy on the labels it decides less that on the others.
	Less   stats.Difference `json:"decided_minus_others"`
	Follow stats.Share      `json:"follows"` // the principle's side, where it names one
	SaidA  stats.Share      `json:"follows_a"`
	SaidB  stats.Share      `json:"follows_b"`
	// Overruled is how often the model sides with the principle where the label is
	// for the other side.
	Overruled stats.Share `json:"follows_overruled"`
}

// prefers is 1 where the rewards are for the side, one half where they are equal.
func (r *row) prefers(side labels.Side) float64 {
	margin := r.margin
	if side == labels.SideB {
		margin = -margin
	}
	switch {
	case margin > 0:
		return 1
	case margin == 0:
		return 0.5
	}
	return 0
}

func (s *Set) model(name string, decided [][]int) *Model {
	m := &Model{Name: name}
	var all, gold stats.Trials
	for i := range s.rows {
		r := &s.rows[i]
		switch {
		case len(r.votes) == 0:
			continue
		case math.IsNaN(r.margin):
			m.Without++
			continue
		}
		m.Rewarded++
		if r.base.side != labels.Neither {
			all.Add(r.prompt, r.prefers(r.base.side), 1)
		}
		if r.gold != labels.Neither {
			gold.Add(r.prompt, r.prefers(r.gold), 1)
		}
	}
	m.Labels = all.Share()
	if s.gold {
		of := gold.Share()
		m.Gold = &of
	}
	for p := range s.constitution.Principles {
		m.Principles = append(m.Principles, s.modelPrinciple(p, decided))
	}
	return m
}

func (s *Set) modelPrinciple(p int, decided [][]int) ModelPrinciple {
	var on, off, follow, a, b, overruled stats.Trials
	var less stats.RatioDifference
	for i := range s.rows {
		r := &s.rows[i]
		if len(r.votes) == 0 || math.IsNaN(r.margin) {
			continue
		}
		if r.base.side != labels.Neither {
			right, is := r.prefers(r.base.side), 0.0
			for _, q := range decided[i] {
				is = max(is, stats.Indicator(q == p))
			}
			on.Add(r.prompt, is*right, is)
			off.Add(r.prompt, (1-is)*right, 1-is)
			less.Add(r.prompt, is*right, is, (1-is)*right, 1-is)
		}
		side := sideOf(s.say(r, p))
		if side == labels.Neither {
			continue
		}
		agrees := r.prefers(side)
		follow.Add(r.prompt, agrees, 1)
		a.Add(r.prompt, agrees, stats.Indicator(side == labels.SideA))
		b.Add(r.prompt, agrees, stats.Indicator(side == labels.SideB))
		overruled.Add(r.prompt, agrees, stats.Indicator(r.base.side != labels.Neither && r.base.side != side))
	}
	return ModelPrinciple{s.names()[p], on.Share(), off.Share(), less.Difference(), follow.Share(), a.Share(), b.Share(), overruled.Share()}
}

// rewardBatch is how many comparisons are scored together.
const rewardBatch = 256

// Score gives every comparison the rewards of its responses. done hears how many
// comparisons are scored.
func (s *Set) Score(ctx context.Context, score func(context.Context, []data.Completion) ([]data.Score, error), done func(comparisons int)) error {
	var batch []data.Completion
	var rows []int
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		scores, err := score(ctx, batch)
		if err != nil {
			return err
		}
		for k, at := range rows {
			if a, b := scores[2*k], scores[2*k+1]; a.Valid && b.Valid {
				s.rows[at].margin = float64(a.Reward) - float64(b.Reward)
			}
		}
		batch, rows = batch[:0], rows[:0]
		return nil
	}
	at := -1
	for c, err := range s.run.Comparisons(nil) {
		if err != nil {
			return err
		}
		if at++; c.Identical() {
			continue
		}
		batch = append(batch, data.Completion{Prompt: c.Prompt, Response: c.A}, data.Completion{Prompt: c.Prompt, Response: c.B})
		if rows = append(rows, at); len(rows) < rewardBatch {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		done(at + 1)
	}
	return flush()
}

// ReadScores gives the comparisons the rewards of a file that laurel score wrote: of
// pairs (reward_chosen, reward_rejected), or of a prompt and a response a row
// (reward). A response is known by its prompt and text. It is an error where no
// comparison has both rewards.
func (s *Set) ReadScores(file string) error {
	rewards, err := readRewards(file)
	if err != nil {
		return err
	}
	at, found := -1, 0
	for c, err := range s.run.Comparisons(nil) {
		if err != nil {
			return err
		}
		at++
		a, hasA := rewards[data.KeyOf(c.Prompt, c.A, data.Text{})]
		b, hasB := rewards[data.KeyOf(c.Prompt, c.B, data.Text{})]
		if hasA && hasB && !math.IsNaN(a-b) {
			s.rows[at].margin = a - b
			found++
		}
	}
	if found == 0 {
		return fmt.Errorf("%s has rewards of both responses of none of the %d comparisons: score the labels' pairs.parquet, or prompts and responses of the same texts", file, len(s.rows))
	}
	return nil
}

func readRewards(file string) (map[data.TextKey]float64, error) {
	table, err := data.OpenTable(file, nil)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	names := []string{"reward"}
	if table.Pairs() {
		names = []string{"reward_chosen", "reward_rejected"}
	}
	var numbers [][]float64
	for _, name := range names {
		column, err := data.ReadNumbers(file, name)
		if err != nil {
			return nil, fmt.Errorf("%w; laurel score writes it", err)
		}
		numbers = append(numbers, column)
	}
	out := map[data.TextKey]float64{}
	for at := 0; ; at++ {
		record, err := table.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for k, c := range record.Completions {
			if at < len(numbers[k]) {
				out[data.KeyOf(c.Prompt, c.Response, data.Text{})] = numbers[k][at]
			}
		}
	}
}
