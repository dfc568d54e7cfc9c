package feedback

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"laurel/feedback/chat"

	"go.yaml.in/yaml/v3"
)

// Config is everything that decides a label run but its files.
type Config struct {
	Constitution  string        `yaml:"constitution"` // a shipped one's name, or a file
	Principles    []string      `yaml:"principles"`   // names, where not all are wanted
	Judges        []JudgeConfig `yaml:"judges"`
	Position      string        `yaml:"position"` // agree | average | off
	MinConfidence float64       `yaml:"min_confidence"`
	MinVoteShare  float64       `yaml:"min_vote_share"`
	MinJudges     int           `yaml:"min_judges"` // that agree; 0: all
	InFlight      int           `yaml:"in_flight"`  // requests under way at a time, at each server
	Seed          int64         `yaml:"seed"`
	Budget        BudgetConfig  `yaml:"budget"`
	Data          DataConfig    `yaml:"data"`
}

// BudgetConfig limits what all runs on a store may spend together.
type BudgetConfig struct {
	MaxCost     float64 `yaml:"max_cost"`     // dollars; 0: no limit
	MaxRequests int     `yaml:"max_requests"` // 0: no limit
}

// DataConfig says how the comparisons are read.
type DataConfig struct {
	Columns  map[string]string `yaml:"columns"` // field to column, where the file's names differ
	OnBadRow string            `yaml:"on_bad_row"`
}

// JudgeConfig is one judge: its kind and, under the kind's name, that kind's
// own keys.
type JudgeConfig struct {
	Name   string  `yaml:"name"` // in verdicts and reports; its kind where the file is silent
	Kind   string  `yaml:"kind"` // heuristic | openai | reward
	Weight float64 `yaml:"weight"`

	Heuristic *HeuristicConfig `yaml:"heuristic,omitempty"`
	Reward    *RewardConfig    `yaml:"reward,omitempty"`
	OpenAI    *OpenAIConfig    `yaml:"openai,omitempty"`
}

// Default is what a run does where its file is silent. It has no judge.
func Default() Config {
	return Config{
		Constitution: "rlaif", Principles: []string{}, Judges: []JudgeConfig{},
		Position: PositionAgree, MinConfidence: 0.6, MinVoteShare: 0.5, InFlight: 8, Seed: 42,
		Data: DataConfig{Columns: map[string]string{}, OnBadRow: "fail"},
	}
}

// UnmarshalYAML fills in what a judge's entry does not say.
func (j *JudgeConfig) UnmarshalYAML(node *yaml.Node) error {
	type plain JudgeConfig
	filled := plain{Weight: 1}
	if valueOf(node, "reward") != nil {
		reward := DefaultReward()
		filled.Reward = &reward
	}
	if valueOf(node, "openai") != nil {
		openai := DefaultOpenAI()
		filled.OpenAI = &openai
	}
	if valueOf(node, "heuristic") != nil {
		heuristic := DefaultHeuristic()
		filled.Heuristic = &heuristic
	}
	if err := node.Decode(&filled); err != nil {
		return err
	}
	*j = JudgeConfig(filled)
	if j.Name == "" {
		j.Name = j.Kind
	}
	return nil
}

// Chat is how a judge's server is reached: with as many requests at a time as
// the judge's in_flight says, or else the run's.
func (c Config) Chat(j OpenAIConfig) chat.Config { return j.chatOf(c.InFlight) }

// GracePeriod is the longest that a judge's replies under way are waited for
// when the run is interrupted.
func (c Config) GracePeriod() (longest time.Duration) {
	for _, j := range c.Judges {
		if j.OpenAI != nil {
			longest = max(longest, j.OpenAI.GracePeriod)
		}
	}
	return longest
}

// rewardQuestions are open at a time where a reward model judges: their texts
// are scored together.
const rewardQuestions = 256

// OpenQuestions is how many questions are open at a time: of servers twice the
// requests that may be under way, so that those who wait to try again leave no
// place empty.
func (c Config) OpenQuestions() int {
	n := 0
	for _, j := range c.Judges {
		switch {
		case j.OpenAI != nil:
			n += 2 * c.Chat(*j.OpenAI).InFlight
		case j.Reward != nil:
			n += rewardQuestions
		}
	}
	return max(n, c.InFlight)
}

// Policy is the part that aggregates.
func (c Config) Policy() Policy {
	return Policy{Position: c.Position, MinConfidence: c.MinConfidence, MinVoteShare: c.MinVoteShare, MinJudges: c.MinJudges}
}

// Validate names every key whose value makes no sense.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	check(c.Constitution != "", "constitution", `""`, "the name of a shipped one, or a file")
	check(slices.Contains([]string{PositionAgree, PositionAverage, PositionOff}, c.Position), "position", c.Position, "agree, average or off")
	check(c.MinConfidence >= 0 && c.MinConfidence <= 1, "min_confidence", c.MinConfidence, "0 to 1")
	check(c.MinVoteShare >= 0 && c.MinVoteShare <= 1, "min_vote_share", c.MinVoteShare, "0 to 1")
	check(c.MinJudges >= 0 && c.MinJudges <= len(c.Judges), "min_judges", c.MinJudges, fmt.Sprintf("0 (all) to the number of judges, %d", len(c.Judges)))
	check(c.InFlight >= 1, "in_flight", c.InFlight, "at least 1")
	problems = append(problems, c.Budget.Validate(), c.Data.Validate())
	return errors.Join(append(problems, c.checkJudges()...)...)
}

// Validate names what is no limit.
func (b BudgetConfig) Validate() error {
	var problems []error
	if !(b.MaxCost >= 0) || math.IsInf(b.MaxCost, 1) {
		problems = append(problems, fmt.Errorf("budget.max_cost is %v, want dollars, 0 for no limit", b.MaxCost))
	}
	if b.MaxRequests < 0 {
		problems = append(problems, fmt.Errorf("budget.max_requests is %v, want 0 for no limit, or more", b.MaxRequests))
	}
	return errors.Join(problems...)
}

// Validate checks what is done about bad rows.
func (d DataConfig) Validate() error {
	if d.OnBadRow != "fail" && d.OnBadRow != "skip" {
		return fmt.Errorf("data.on_bad_row is %v, want fail or skip", d.OnBadRow)
	}
	return nil
}

func (c Config) checkJudges() []error {
	if len(c.Judges) == 0 {
		return []error{errors.New("judges is empty: name at least one, or use --judge heuristic")}
	}
	var problems []error
	names, asked := map[string]bool{}, map[string]bool{}
	for i, j := range c.Judges {
		if err := j.Validate(); err != nil {
			problems = append(problems, under(fmt.Sprintf("judges.%d.", i), err))
		}
		if err := j.missing(i); err != nil {
			problems = append(problems, err)
		}
		if names[j.Name] {
			problems = append(problems, fmt.Errorf("judges.%d.name is %q, which another judge has: give each a name of its own", i, j.Name))
		}
		names[j.Name] = true
		if j.OpenAI == nil {
			continue
		}
		if err := j.OpenAI.CheckBudget(c.Budget.MaxCost); err != nil {
			problems = append(problems, fmt.Errorf("judges.%d.openai: %w", i, err))
		}
		if asked[j.OpenAI.judgeFingerprint()] { // each would get the answers of the other
			problems = append(problems, fmt.Errorf("judges.%d.openai has the model, mode and sampling of another judge: give it another, or another seed", i))
		}
		asked[j.OpenAI.judgeFingerprint()] = true
	}
	return problems
}

// Validate checks the judge and the keys of its kind.
func (j JudgeConfig) Validate() error {
	var problems []error
	if !(j.Weight > 0) || math.IsInf(j.Weight, 1) {
		problems = append(problems, fmt.Errorf("weight is %v, want more than 0", j.Weight))
	}
	switch j.Kind {
	case "heuristic":
		if !strings.HasPrefix(j.Name, "heuristic") { // so that no output hides what it is
			problems = append(problems, fmt.Errorf("name is %q: the name of a heuristic judge must begin with heuristic", j.Name))
		}
	case "openai", "reward":
	default:
		problems = append(problems, fmt.Errorf("kind is %q, want heuristic, openai or reward", j.Kind))
	}
	section := func(kind string, given bool, check func() error) {
		switch {
		case given && j.Kind != kind:
			problems = append(problems, fmt.Errorf("%s has keys, and kind is %q", kind, j.Kind))
		case given:
			if err := check(); err != nil {
				problems = append(problems, under(kind+".", err))
			}
		}
	}
	section("heuristic", j.Heuristic != nil, func() error { return j.Heuristic.Validate() })
	section("openai", j.OpenAI != nil, func() error { return j.OpenAI.Validate() })
	section("reward", j.Reward != nil, func() error { return j.Reward.Validate() })
	return errors.Join(problems...)
}

// missing says what a judge that is only named by its kind wants besides, as it
// is written on the command line.
func (j JudgeConfig) missing(place int) error {
	section := fmt.Sprintf("judges.%d.%s", place, j.Kind)
	var want string
	switch {
	case j.Kind == "openai" && j.OpenAI == nil:
		want = fmt.Sprintf("--set %s.base_url=http://localhost:8000/v1 --set %s.model=MODEL", section, section)
	case j.Kind == "reward" && j.Reward == nil:
		want = fmt.Sprintf("--set %s.model=RUN_DIR", section)
	default:
		return nil
	}
	return fmt.Errorf("%s is missing, whose keys say what the judge is: add %s", section, want)
}

// under puts the path of a section before each of its problems.
func under(path string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", path, err)
	}
	var problems []error
	for _, problem := range joined.Unwrap() {
		problems = append(problems, under(path, problem))
	}
	return errors.Join(problems...)
}
