package main

import (
	"context"
	"errors"
	"fmt"

	"laurel/data/tokenizer"
	"laurel/feedback"
	"laurel/feedback/chat"
)

// openJudges are the judges of a run, and what must be closed after it.
type openJudges struct {
	store      *feedback.Store // nil in a dry run
	budget     *chat.Budget    // of all judges together
	judges     []feedback.WeightedJudge
	tokenizers []*tokenizer.Tokenizer
	costs      []*feedback.JudgeCost // of the judges, in their order
}

func (j *openJudges) close() error {
	var problems []error
	for _, t := range j.tokenizers {
		problems = append(problems, t.Close())
	}
	return errors.Join(problems...)
}

// openJudges makes the judges that the config names. Where nothing is asked
// they need neither model nor key.
func (l *labelling) openJudges(ctx context.Context, store *feedback.Store) (*openJudges, error) {
	out := &openJudges{store: store, budget: openBudget(l.config.Budget, store)}
	for i, c := range l.config.Judges {
		judge, err := l.openJudge(ctx, c, out)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("judges.%d: %w", i, err), out.close())
		}
		weighted := feedback.WeightedJudge{Judge: judge, Weight: c.Weight}
		if c.OpenAI != nil {
			weighted.Clamp, weighted.Unstated = c.OpenAI.Clamp, c.OpenAI.UnstatedConfidence
		}
		out.judges = append(out.judges, weighted)
	}
	return out, nil
}

func (l *labelling) openJudge(ctx context.Context, c feedback.JudgeConfig, out *openJudges) (feedback.Judge, error) {
	if c.Kind == "openai" {
		return l.openOpenAI(c.Name, *c.OpenAI, out)
	}
	out.costs = append(out.costs, feedback.NewJudgeCost(c.Name))
	switch c.Kind {
	case "heuristic":
		rules := feedback.DefaultHeuristic()
		if c.Heuristic != nil {
			rules = *c.Heuristic
		}
		return feedback.NewHeuristic(c.Name, rules, uint64(l.config.Seed))
	case "reward":
		return l.openReward(ctx, c.Name, *c.Reward, out)
	}
	return nil, fmt.Errorf("kind is %q", c.Kind) // the config was checked
}

// openReward loads a reward model, or where nothing is asked only tells which
// it is.
func (l *labelling) openReward(ctx context.Context, name string, c feedback.RewardConfig, out *openJudges) (feedback.Judge, error) {
	dir, err := modelDir(ctx, c.Model, c.Revision, l.log)
	if err != nil {
		return nil, err
	}
	weights, err := modelHash(ctx, dir, l.log)
	if err != nil {
		return nil, err
	}
	if c.Temperature == 0 {
		if c.Temperature, err = temperatureFor(dir, "judge "+name, l.log); err != nil {
			return nil, err
		}
	}
	if l.keptOnly() || l.dry {
		return feedback.NewReward(name, weights, c, nil), nil
	}
	backend, _, err := l.backends.open(c.Backend, l.log)
	if err != nil {
		return nil, err
	}
	scorer, err := openScorer(ctx, dir, "main", c.MaxLength, backend, 1, l.log)
	if err != nil {
		return nil, err
	}
	out.tokenizers = append(out.tokenizers, scorer.Tokenizer)
	return feedback.NewReward(name, weights, c, scorer.Rewards), nil
}
