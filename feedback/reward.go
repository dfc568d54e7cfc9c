package feedback

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"laurel/data"
)

// RewardConfig names a trained reward model as a judge.
type RewardConfig struct {
	Model       string  `yaml:"model"`       // run directory, Hugging Face directory or hub name
	Revision    string  `yaml:"revision"`    // of a hub name
	MaxLength   int     `yaml:"max_length"`  // tokens; 0: as in training
	Temperature float64 `yaml:"temperature"` // of the sigmoid; fitted where the model is calibrated
	Backend     string  `yaml:"backend"`     // auto | cuda | cpu | go | xla:/path/plugin.so
}

// DefaultReward is a judge of which only the model is to be named.
func DefaultReward() RewardConfig {
	return RewardConfig{Revision: "main", Temperature: 1, Backend: "auto"}
}

// Validate names every value that cannot be.
func (c RewardConfig) Validate() error {
	var problems []error
	if c.Model == "" {
		problems = append(problems, errors.New("model is empty, want a run directory, a Hugging Face directory or a hub name"))
	}
	if c.MaxLength < 0 {
		problems = append(problems, fmt.Errorf("max_length is %d, want 0 (as in training) or more", c.MaxLength))
	}
	if !(c.Temperature > 0) || math.IsInf(c.Temperature, 1) {
		problems = append(problems, fmt.Errorf("temperature is %v, want more than 0", c.Temperature))
	}
	return errors.Join(problems...)
}

// ScoreFunc gives the rewards of completions.
type ScoreFunc func(context.Context, []data.Completion) ([]float64, error)

// Reward is a reward model as a judge: the probability that a response is the
// better one is σ(Δr/T), Bradley and Terry's, whatever the principle and the
// order.
type Reward struct {
	name, fingerprint string
	temperature       float64
	score             ScoreFunc

	mu      sync.Mutex // of rewards, and one score at a time
	rewards map[string]float64
}

// NewReward makes a judge of a scorer. model is what the weights are, such as
// their hash.
func NewReward(name, model string, c RewardConfig, score ScoreFunc) *Reward {
	return &Reward{name: name, fingerprint: fmt.Sprintf("reward model %s, max_length %d, temperature %v", model, c.MaxLength, c.Temperature),
		temperature: c.Temperature, score: score, rewards: map[string]float64{}}
}

// Name is the judge's name.
func (r *Reward) Name() string { return r.name }

// Fingerprint names the weights, the cut and the temperature.
func (r *Reward) Fingerprint() string { return r.fingerprint }

// Ask compares the rewards of both responses.
func (r *Reward) Ask(ctx context.Context, q Question) (Answer, error) {
	first, second, err := r.both(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Outcome: Preferred, First: 1 / (1 + math.Exp(-(first-second)/r.temperature)),
		Rationale: fmt.Sprintf("rewards %.4f and %.4f", first, second)}, nil
}

// rewardsKept are those of the comparisons under way, which every principle
// and order asks for again.
const rewardsKept = 4096

func (r *Reward) both(ctx context.Context, q Question) (first, second float64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rewards) > rewardsKept {
		clear(r.rewards)
	}
	prompt := q.Comparison.Prompt
	one, two := textsKey(prompt, q.First()), textsKey(prompt, q.Second())
	_, knownOne := r.rewards[one]
	_, knownTwo := r.rewards[two]
	if !knownOne || !knownTwo {
		scores, err := r.score(ctx, []data.Completion{{Prompt: prompt, Response: q.First()}, {Prompt: prompt, Response: q.Second()}})
		if err != nil {
			return 0, 0, err
		}
		for _, score := range scores {
			if math.IsNaN(score) || math.IsInf(score, 0) {
				return 0, 0, fmt.Errorf("judge %s: the reward of a response is %v", r.name, score)
			}
		}
		r.rewards[one], r.rewards[two] = scores[0], scores[1]
	}
	return r.rewards[one], r.rewards[two], nil
}
