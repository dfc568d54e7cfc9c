package feedback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"

	"laurel/data"
)

// RewardConfig names a trained reward model as a judge.
type RewardConfig struct {
	Model       string  `yaml:"model"`       // run directory, Hugging Face directory or hub name
	Revision    string  `yaml:"revision"`    // of a hub name
	MaxLength   int     `yaml:"max_length"`  // tokens; 0: as in training
	Temperature float64 `yaml:"temperature"` // of the sigmoid; 0: the one stored with the model, else 1
	Backend     string  `yaml:"backend"`     // auto | cuda | cpu | go | xla:/path/plugin.so
}

// DefaultReward is a judge of which only the model is to be named.
func DefaultReward() RewardConfig {
	return RewardConfig{Revision: "main", Backend: "auto"}
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
	if !(c.Temperature >= 0) || math.IsInf(c.Temperature, 1) {
		problems = append(problems, fmt.Errorf("temperature is %v, want more than 0, or 0 for the one stored with the model", c.Temperature))
	}
	return errors.Join(problems...)
}

// ScoreFunc gives the rewards of completions.
type ScoreFunc func(context.Context, []data.Completion) ([]float64, error)

// Reward is a reward model as a judge: the probability that a response is the
// better one is σ(Δr/T), Bradley and Terry's, whatever the principle and the
// order. Texts that are asked about while others are scored are scored together.
type Reward struct {
	name, fingerprint string
	temperature       float64
	score             ScoreFunc

	mu      sync.Mutex
	rewards map[string]*textReward // scored and awaited
	waiting []*textReward          // to be scored next
	scoring bool
}

// textReward is the reward of a text, or why there is none, once scored is
// closed.
type textReward struct {
	key        string
	completion *data.Completion // nil once scored
	scored     chan struct{}
	reward     float64
	err        error
}

// NewReward makes a judge of a scorer. model is what the weights are, such as
// their hash; a temperature of 0 is 1.
func NewReward(name, model string, c RewardConfig, score ScoreFunc) *Reward {
	c.Temperature = cmp.Or(c.Temperature, 1)
	return &Reward{name: name, fingerprint: fmt.Sprintf("reward model %s, max_length %d, temperature %v", model, c.MaxLength, c.Temperature),
		temperature: c.Temperature, score: score, rewards: map[string]*textReward{}}
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

// both waits until both are scored, cancelled or not, so that nobody scores
// once all questions have returned.
func (r *Reward) both(ctx context.Context, q Question) (first, second float64, err error) {
	r.mu.Lock()
	one, two := r.of(q.Comparison.Prompt, q.First()), r.of(q.Comparison.Prompt, q.Second())
	if len(r.waiting) > 0 && !r.scoring {
		r.scoring = true
		go r.scoreWaiting(ctx)
	}
	r.mu.Unlock()
	<-one.scored
	<-two.scored
	if one.err != nil {
		return 0, 0, one.err
	}
	return one.reward, two.reward, two.err
}

// rewardsKept are those of the comparisons under way, which every principle
// and order asks for again.
const rewardsKept = 4096

// of finds the reward of a response, or has it scored.
func (r *Reward) of(prompt, response data.Text) *textReward {
	key := textsKey(prompt, response)
	if known := r.rewards[key]; known != nil {
		return known
	}
	if len(r.rewards) > rewardsKept {
		maps.DeleteFunc(r.rewards, func(_ string, t *textReward) bool { return t.completion == nil })
	}
	t := &textReward{key: key, completion: &data.Completion{Prompt: prompt, Response: response}, scored: make(chan struct{})}
	r.rewards[key], r.waiting = t, append(r.waiting, t)
	return t
}

// scoreWaiting scores what waits until nothing does.
func (r *Reward) scoreWaiting(ctx context.Context) {
	for {
		r.mu.Lock()
		batch := r.waiting
		r.waiting, r.scoring = nil, len(batch) > 0
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		completions := make([]data.Completion, len(batch))
		for i, t := range batch {
			completions[i] = *t.completion
		}
		scores, err := r.score(ctx, completions)
		r.mu.Lock()
		for i, t := range batch {
			if t.completion, t.err = nil, err; err == nil {
				t.reward, t.err = scores[i], r.finite(scores[i])
			}
			if t.err != nil {
				delete(r.rewards, t.key) // so that who asks again has it scored again
			}
			close(t.scored)
		}
		r.mu.Unlock()
	}
}

func (r *Reward) finite(score float64) error {
	if math.IsNaN(score) || math.IsInf(score, 0) {
		return fmt.Errorf("judge %s: the reward of a response is %v", r.name, score)
	}
	return nil
}
