package feedback

import (
	"errors"
	"fmt"

	"laurel/feedback/chat"
)

// GenerateConfig is everything that decides a generate run but its files.
type GenerateConfig struct {
	Chat         chat.Config   `yaml:"chat"`         // how responses are asked for
	Models       []ModelConfig `yaml:"models"`       // who writes them, in turns; none: chat.model
	Temperatures []float64     `yaml:"temperatures"` // in turns; none: chat.temperature
	Systems      []string      `yaml:"systems"`      // system messages, in turns; "" is none
	N            int           `yaml:"n"`            // responses a prompt
	// Repeats has a prompt that stands several times in the files be one each time;
	// else the first stands for all.
	Repeats        bool         `yaml:"repeats,omitempty"`
	PairsPerPrompt int          `yaml:"pairs_per_prompt"`
	Seed           int64        `yaml:"seed"` // of the pairs that are drawn, and their sides
	Budget         BudgetConfig `yaml:"budget"`
	Data           DataConfig   `yaml:"data"`
}

// ModelConfig is a model beside others: what is empty is chat's. With an address
// of its own it has no other's key.
type ModelConfig struct {
	Model     string      `yaml:"model"`
	BaseURL   string      `yaml:"base_url"`
	APIKeyEnv string      `yaml:"api_key_env"`
	Price     *chat.Price `yaml:"price,omitempty"`
}

// DefaultGenerate is what a run does where its file is silent. Its chat has no
// address.
func DefaultGenerate() GenerateConfig {
	c := GenerateConfig{Chat: chat.Default(), Models: []ModelConfig{}, Temperatures: []float64{}, Systems: []string{}, N: 4, Seed: 42,
		Data: DataConfig{Columns: map[string]string{}, OnBadRow: "fail"}}
	temperature, seed := 1.0, int64(42)
	c.Chat.Temperature, c.Chat.Seed = &temperature, &seed
	return c
}

// Writers are the chats of the models, in their order.
func (c GenerateConfig) Writers() []chat.Config {
	if len(c.Models) == 0 {
		return []chat.Config{c.Chat}
	}
	var writers []chat.Config
	for _, m := range c.Models {
		w := c.Chat
		w.Model = m.Model
		if m.BaseURL != "" {
			w.BaseURL, w.APIKeyEnv, w.Price = m.BaseURL, "", nil
		}
		if m.APIKeyEnv != "" {
			w.APIKeyEnv = m.APIKeyEnv
		}
		if m.Price != nil {
			w.Price = m.Price
		}
		writers = append(writers, w)
	}
	return writers
}

// variant is who writes a prompt's response of some number, and how.
type variant struct {
	writer int         // of Writers
	chat   chat.Config // with the temperature and the seed of this response
	system string      // "" for none
	again  int         // responses before it that ask for the same, seed included
	k      int         // the response's number
}

// variants are those of the N responses: models take turns first, then
// temperatures, then system messages. Response k has chat.seed + k, where there
// is a seed: that of all prompts, which forPrompt makes one of its own.
func (c GenerateConfig) variants() []variant {
	writers, asked := c.Writers(), map[string]int{}
	out := make([]variant, c.N)
	for k := range out {
		v := variant{writer: k % len(writers), k: k}
		v.chat = writers[v.writer]
		turn := k / len(writers)
		if n := len(c.Temperatures); n > 0 {
			temperature := c.Temperatures[turn%n]
			v.chat.Temperature = &temperature
			turn /= n
		}
		if n := len(c.Systems); n > 0 {
			v.system = c.Systems[turn%n]
		}
		if c.Chat.Seed != nil {
			seed := *c.Chat.Seed + int64(k)
			v.chat.Seed = &seed
		}
		same := v.chat.Fingerprint() + "\x00" + v.system
		v.again, asked[same] = asked[same], asked[same]+1
		out[k] = v
	}
	return out
}

// Validate names every key whose value makes no sense.
func (c GenerateConfig) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	check(c.N >= 1, "n", c.N, "at least 1")
	check(c.PairsPerPrompt >= 0, "pairs_per_prompt", c.PairsPerPrompt, "0 (all) or more")
	for i, t := range c.Temperatures {
		check(t >= 0 && t <= 2, fmt.Sprintf("temperatures.%d", i), t, "0 to 2")
	}
	for i, writer := range c.Writers() {
		where := "chat."
		if len(c.Models) > 0 {
			where = fmt.Sprintf("models.%d: ", i)
		}
		if err := errors.Join(writer.Validate(), writer.CheckBudget(c.Budget.MaxCost)); err != nil {
			problems = append(problems, under(where, err))
		}
	}
	if len(problems) == 0 {
		problems = append(problems, c.greedyTwice())
	}
	return errors.Join(append(problems, c.Budget.Validate(), c.Data.Validate())...)
}

// greedyTwice refuses to ask at temperature 0 for what would be the same text.
func (c GenerateConfig) greedyTwice() error {
	type greedy struct {
		writer int
		system string
	}
	before := map[greedy]int{}
	for k, v := range c.variants() {
		if v.chat.Temperature == nil || *v.chat.Temperature > 0 {
			continue
		}
		one := greedy{v.writer, v.system}
		if first, asked := before[one]; asked {
			return fmt.Errorf("responses %d and %d of a prompt would be the same: both are %s at temperature 0: give a temperature above 0, or more models, temperatures or systems, or a smaller n", first, k, v.chat.Model)
		}
		before[one] = k
	}
	return nil
}
