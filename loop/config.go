// Package loop strings the steps of reinforcement learning from AI feedback
// together, round after round: responses, labels, people's answers, a reward model,
// what it is worth on prompts held out. It decides which prompts a round has, which
// step is next, what a changed input makes stale, and says what changed from round
// to round. The steps themselves are functions that the command brings along.
package loop

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback"
)

// Where a later round's model starts, and on what it trains.
const (
	Base = "base" // train.model, as the first round's
	Last = "last" // the reward model of the round before; the pairs of this round alone
	All  = "all"  // the pairs of all rounds
)

// Config is everything that decides a loop, or one of its rounds. Each of the
// sections generate, label and train holds what the file of the command of that name
// does, but its budget and its training files.
type Config struct {
	Prompts         []string                `yaml:"prompts"`           // files
	HeldOut         float64                 `yaml:"held_out"`          // share of the different prompts
	PromptsPerRound int                     `yaml:"prompts_per_round"` // different ones; 0: an equal part of all that are not held out
	Rounds          int                     `yaml:"rounds"`
	Start           string                  `yaml:"start"`    // base | last
	TrainOn         string                  `yaml:"train_on"` // all | last
	Gold            string                  `yaml:"gold"`     // file, as label --gold; "": none
	BestOf          int                     `yaml:"best_of"`  // responses that best-of-n looks at; 0: all
	Review          Review                  `yaml:"review"`
	Seed            int64                   `yaml:"seed"` // of the order in which prompts are dealt out
	Budget          feedback.BudgetConfig   `yaml:"budget"`
	Generate        feedback.GenerateConfig `yaml:"generate"`
	Label           feedback.Config         `yaml:"label"`
	Train           configs.Config          `yaml:"train"`
	Eval            Eval                    `yaml:"eval"`
	// Overrides are settings of single rounds, section.key=value, by the round's
	// number.
	Overrides map[int][]string `yaml:"overrides"`
}

// Review says which comparisons people are asked about, and what their answers count.
type Review struct {
	Fraction        float64 `yaml:"fraction"` // of a round's comparisons; 0: none
	HumanConfidence float64 `yaml:"human_confidence"`
}

// Eval says what a round's model is measured on.
type Eval struct {
	Data      []string          `yaml:"data"` // files of pairs; none: the responses to the prompts held out, as the judges label them
	Columns   map[string]string `yaml:"columns"`
	OnBadRow  string            `yaml:"on_bad_row"`
	MaxLength int               `yaml:"max_length"` // 0: as in training
	Judge     bool              `yaml:"judge"`      // the judges label the responses to the prompts held out
}

// Default is what a loop does where its file is silent.
func Default() Config {
	return Config{Prompts: []string{}, HeldOut: 0.1, Rounds: 2, Start: Base, TrainOn: All, Review: Review{0.1, 0.95}, Seed: 42,
		Generate: feedback.DefaultGenerate(), Label: feedback.Default(), Train: configs.Default(),
		Eval: Eval{Data: []string{}, Columns: map[string]string{}, OnBadRow: "fail", Judge: true}, Overrides: map[int][]string{}}
}

// Load reads a loop's file and the settings over it, and gives the configuration of
// each round: the file, then the round's overrides, then the settings.
func Load(path string, settings []string) ([]Config, error) {
	whole, err := configs.LoadOver(path, settings, Default())
	if err != nil {
		return nil, err
	}
	rounds := make([]Config, whole.Rounds)
	for i := range rounds {
		if rounds[i], err = configs.LoadOver(path, slices.Concat(whole.Overrides[i+1], settings), Default()); err != nil {
			return nil, fmt.Errorf("round %d, with overrides.%d: %w", i+1, i+1, err)
		}
	}
	return rounds, nil
}

// Validate names every key whose value makes no sense.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	check(len(c.Prompts) > 0, "prompts", "empty", "at least one file of prompts")
	check(c.HeldOut > 0 && c.HeldOut < 1, "held_out", c.HeldOut, "a share between 0 and 1")
	check(c.PromptsPerRound >= 0, "prompts_per_round", c.PromptsPerRound, "0 (an equal part) or more")
	check(c.Rounds >= 1, "rounds", c.Rounds, "at least 1")
	check(c.Start == Base || c.Start == Last, "start", c.Start, "base or last")
	check(c.TrainOn == All || c.TrainOn == Last, "train_on", c.TrainOn, "all or last")
	check(c.BestOf >= 0 && c.BestOf <= c.Generate.N, "best_of", c.BestOf, fmt.Sprintf("0 (all) to generate.n, %d", c.Generate.N))
	check(c.Review.Fraction >= 0 && c.Review.Fraction <= 1, "review.fraction", c.Review.Fraction, "0 (none) to 1")
	check(c.Review.HumanConfidence > 0.5 && c.Review.HumanConfidence <= 1, "review.human_confidence", c.Review.HumanConfidence, "above 0.5 and at most 1")
	check(c.Generate.N >= 2, "generate.n", c.Generate.N, "at least 2: labels compare responses")
	check(c.Eval.OnBadRow == "fail" || c.Eval.OnBadRow == "skip", "eval.on_bad_row", c.Eval.OnBadRow, "fail or skip")
	check(c.Eval.MaxLength >= 0, "eval.max_length", c.Eval.MaxLength, "0 (as in training) or more")
	check(c.Eval.Judge || len(c.Eval.Data) > 0, "eval.judge", c.Eval.Judge, "true where eval.data has no files: there is nothing else to measure on")
	return errors.Join(append(problems, c.Budget.Validate(), c.checkSections(), c.checkOverrides())...)
}

// checkSections asks the sections, each with the loop's budget, and refuses what the
// loop fills in.
func (c Config) checkSections() error {
	var problems []error
	under := func(section string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s.%s", section, strings.ReplaceAll(err.Error(), "\n", "\n"+section+".")))
		}
	}
	for section, budget := range map[string]feedback.BudgetConfig{"generate": c.Generate.Budget, "label": c.Label.Budget} {
		if budget != (feedback.BudgetConfig{}) {
			problems = append(problems, fmt.Errorf("%s.budget is given: the loop has one budget for all that it asks, budget.max_cost and budget.max_requests", section))
		}
	}
	c.Generate.Budget, c.Label.Budget = c.Budget, c.Budget
	under("generate", c.Generate.Validate())
	under("label", c.Label.Validate())
	if len(c.Train.Data.Train) > 0 {
		problems = append(problems, fmt.Errorf("train.data.train is %s: the loop trains on what it labels", strings.Join(c.Train.Data.Train, ", ")))
	}
	c.Train.Data.Train = []string{"labels"}
	under("train", c.Train.Validate())
	return errors.Join(problems...)
}

// sections are what a round may have otherwise than the others.
var sections = []string{"generate", "label", "train", "eval"}

func (c Config) checkOverrides() error {
	var problems []error
	for round, settings := range c.Overrides {
		if round < 1 {
			problems = append(problems, fmt.Errorf("overrides.%d: rounds are numbered from 1", round))
		}
		for _, setting := range settings {
			key, _, _ := strings.Cut(setting, "=")
			section, _, inside := strings.Cut(key, ".")
			if !inside || !slices.Contains(sections, section) {
				problems = append(problems, fmt.Errorf("overrides.%d has %s: want section.key=value, of %s", round, setting, data.List(sections)))
			}
		}
	}
	return errors.Join(problems...)
}
