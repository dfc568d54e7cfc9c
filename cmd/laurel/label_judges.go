package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/feedback"
	"laurel/feedback/chat"
	"laurel/model"
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
			weighted.Clamp = c.OpenAI.Clamp
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
	sum := sha256.New()
	if err := hashModel(ctx, dir, sum, l.log); err != nil {
		return nil, err
	}
	weights := hex.EncodeToString(sum.Sum(nil))
	if l.reaggregate || l.dry {
		return feedback.NewReward(name, weights, c, nil), nil
	}
	backend, _, err := openBackend(c.Backend, l.log)
	if err != nil {
		return nil, err
	}
	o, err := openModel(ctx, c.Model, c.Revision, c.MaxLength, l.log)
	if err != nil {
		return nil, err
	}
	out.tokenizers = append(out.tokenizers, o.tokenizer)
	o.warnPadding(l.log)
	scorer, err := o.ensemble(backend)
	if err != nil {
		return nil, err
	}
	return feedback.NewReward(name, weights, c, o.rewards(scorer)), nil
}

// rewards encodes completions and scores them.
func (o *opened) rewards(scorer *model.Ensemble) feedback.ScoreFunc {
	return func(ctx context.Context, completions []data.Completion) ([]float64, error) {
		var sequences [][]int32
		for _, completion := range completions {
			tokens, err := o.tokenizer.EncodeCompletion(completion, o.maxLength, o.side)
			if err == nil {
				err = o.checkIDs(tokens.IDs)
			}
			if err != nil {
				return nil, err
			}
			sequences = append(sequences, tokens.IDs)
		}
		scores, err := scorer.Score(ctx, sequences, nil)
		if err != nil {
			return nil, err
		}
		rewards := make([]float64, len(scores))
		for i, score := range scores {
			rewards[i] = float64(score)
		}
		return rewards, nil
	}
}

// hashModel adds everything that decides a model's rewards: its files, those
// of the base of an adapter, those of the members of an ensemble.
func hashModel(ctx context.Context, dir string, sum hash.Hash, log io.Writer) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if ext := filepath.Ext(name); entry.IsDir() || ext != ".safetensors" && ext != ".json" || slices.Contains(notOfTheModel, name) {
			continue
		}
		if err := hashFile(filepath.Join(dir, name), name, sum); err != nil {
			return err
		}
	}
	if model.IsAdapter(dir) {
		base, err := adapterBaseDir(ctx, dir, log)
		if err != nil {
			return err
		}
		return hashModel(ctx, base, sum, log)
	}
	if !isEnsemble(dir) {
		return nil
	}
	config, err := readEnsemble(dir)
	if err != nil {
		return err
	}
	for _, one := range config.Members {
		member, err := modelDir(ctx, memberRef(dir, one.Model), "main", log)
		if err != nil {
			return err
		}
		if err := hashModel(ctx, member, sum, log); err != nil {
			return err
		}
	}
	return nil
}

// notOfTheModel lie beside the weights of a checkpoint and decide no reward.
var notOfTheModel = []string{"optimizer.safetensors", "trainer_state.json"}

func hashFile(path, name string, sum hash.Hash) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Fprintf(sum, "%s\x00", name)
	_, err = io.Copy(sum, file)
	return err
}
