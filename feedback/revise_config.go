package feedback

import (
	"errors"
	"fmt"

	"laurel/feedback/chat"
)

// ReviseConfig is everything that decides a revise run but its files.
type ReviseConfig struct {
	Constitution string       `yaml:"constitution"` // a shipped one's name, or a file
	Principles   []string     `yaml:"principles"`   // names, where not all are wanted
	Chat         chat.Config  `yaml:"chat"`         // the model that answers, criticises and revises
	Rounds       int          `yaml:"rounds"`
	PerRound     int          `yaml:"principles_per_round"`
	Order        string       `yaml:"order"` // sequence | sample
	Seed         int64        `yaml:"seed"`
	Pairs        bool         `yaml:"pairs"` // also write the last revision and the first answer as pairs
	Budget       BudgetConfig `yaml:"budget"`
	Data         DataConfig   `yaml:"data"`
}

// DefaultRevise is what a run does where its file is silent. Its chat has no
// address.
func DefaultRevise() ReviseConfig {
	return ReviseConfig{
		Constitution: "rlaif", Principles: []string{}, Chat: chat.Default(), Rounds: 1, PerRound: 1, Order: OrderSequence, Seed: 42,
		Data: DataConfig{Columns: map[string]string{}, OnBadRow: "fail"},
	}
}

// Validate names every key whose value makes no sense.
func (c ReviseConfig) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	check(c.Constitution != "", "constitution", `""`, "the name of a shipped one, or a file")
	check(c.Rounds >= 1, "rounds", c.Rounds, "at least 1")
	check(c.PerRound >= 1, "principles_per_round", c.PerRound, "at least 1")
	check(c.Order == OrderSequence || c.Order == OrderSample, "order", c.Order, "sequence or sample")
	if err := c.Chat.Validate(); err != nil {
		problems = append(problems, under("chat.", err))
	}
	return errors.Join(append(problems, c.Budget.Validate(), c.Data.Validate())...)
}

// Fits checks that a round has no more principles than the constitution.
func (c ReviseConfig) Fits(constitution *Constitution) error {
	if n := len(constitution.Principles); c.PerRound > n {
		return fmt.Errorf("principles_per_round is %d, and constitution %s has %d principles to choose from", c.PerRound, constitution.Name, n)
	}
	return constitution.ForRevision()
}
