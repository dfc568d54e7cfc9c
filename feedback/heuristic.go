package feedback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"laurel/data"
)

// HeuristicConfig chooses the rules of the heuristic judge.
type HeuristicConfig struct {
	Rules string  `yaml:"rules"` // all, or article for the article's two rules alone
	Noise float64 `yaml:"noise"` // standard deviation of the normal noise on each response's score
}

// DefaultHeuristic is all rules with the article's noise.
func DefaultHeuristic() HeuristicConfig { return HeuristicConfig{Rules: "all", Noise: 0.1} }

// Validate names every key whose value makes no sense.
func (c HeuristicConfig) Validate() error {
	var problems []error
	if c.Rules != "all" && c.Rules != "article" {
		problems = append(problems, fmt.Errorf("rules is %q, want all or article", c.Rules))
	}
	if !(c.Noise >= 0) || math.IsInf(c.Noise, 0) {
		problems = append(problems, fmt.Errorf("noise is %v, want 0 or more", c.Noise))
	}
	return errors.Join(problems...)
}

// Heuristic is a judge without a model, for demos and tests: it scores each
// response by rules on its surface (heuristic_rules.go), adds noise that the
// seed and the question decide, and is the surer the farther the scores lie
// apart:
//
//	confidence = min(0.95, 0.5 + 0.5·|score of first − score of second|)
//
// It knows nothing of what a response says, and calls itself heuristic.
type Heuristic struct {
	name   string
	config HeuristicConfig
	seed   uint64
}

// NewHeuristic is a judge of that name; the seed decides its noise.
func NewHeuristic(name string, config HeuristicConfig, seed uint64) (*Heuristic, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("judge %s: %w", name, err)
	}
	return &Heuristic{name, config, seed}, nil
}

// Name is the judge's name.
func (h *Heuristic) Name() string { return h.name }

// Fingerprint names rules, noise and seed.
func (h *Heuristic) Fingerprint() string {
	return fmt.Sprintf("heuristic-1 rules=%s noise=%v seed=%d", h.config.Rules, h.config.Noise, h.seed)
}

// Ask scores both responses.
func (h *Heuristic) Ask(_ context.Context, q Question) (Answer, error) {
	first, second := h.score(q, q.First(), q.Second()), h.score(q, q.Second(), q.First())
	noise := h.noise(q)
	difference := first.sum() + noise[0] - second.sum() - noise[1]
	answer := Answer{Outcome: Preferred, Model: "heuristic (no model)", Rationale: fmt.Sprintf("heuristic: first %v; second %v", first, second)}
	switch confidence := min(0.95, 0.5+0.5*math.Abs(difference)); {
	case difference > 0:
		answer.First = confidence
	case difference < 0:
		answer.First = 1 - confidence
	default:
		answer.Outcome, answer.First = Tie, 0.5
	}
	return answer, nil
}

// noise draws for the two responses as shown; the two orders of a comparison
// draw independently, and equal questions alike.
func (h *Heuristic) noise(q Question) [2]float64 {
	sum := sha256.New()
	for _, part := range []string{q.Principle.Name, Transcript(q.Comparison.Prompt), Transcript(q.First()), Transcript(q.Second())} {
		binary.Write(sum, binary.LittleEndian, int64(len(part)))
		sum.Write([]byte(part))
	}
	random := rand.New(rand.NewPCG(h.seed, binary.LittleEndian.Uint64(sum.Sum(nil))))
	return [2]float64{h.config.Noise * random.NormFloat64(), h.config.Noise * random.NormFloat64()}
}

// scored are the rules that applied to a response, by name.
type scored []struct {
	rule   string
	points float64
}

func (s scored) sum() float64 {
	sum := 0.5
	for _, r := range s {
		sum += r.points
	}
	return sum
}

func (s scored) String() string {
	if len(s) == 0 {
		return "nothing"
	}
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = fmt.Sprintf("%s %+.2f", r.rule, r.points)
	}
	return strings.Join(parts, ", ")
}

// score applies the rules to one response beside the other.
func (h *Heuristic) score(q Question, response, other data.Text) (out scored) {
	about := subject{prompt: Transcript(q.Comparison.Prompt), response: Transcript(response), other: Transcript(other)}
	topics := q.Principle.topics()
	for _, r := range heuristicRules {
		if h.config.Rules == "article" && !r.article {
			continue
		}
		if r.topic != "" && !slices.Contains(topics, r.topic) {
			continue
		}
		if points := r.points(about); points != 0 {
			out = append(out, struct {
				rule   string
				points float64
			}{r.name, points})
		}
	}
	return out
}
