package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"laurel/data"
)

// Config is how to reach a chat model behind an OpenAI-compatible
// /v1/chat/completions, how to sample from it, and how hard to press it.
type Config struct {
	BaseURL           string            `yaml:"base_url"`
	Model             string            `yaml:"model"`
	APIKeyEnv         string            `yaml:"api_key_env"`         // the environment variable with the key; empty: no key
	Headers           map[string]string `yaml:"headers,omitempty"`   // sent with every request; never a key
	Timeout           time.Duration     `yaml:"timeout"`             // of one attempt, to the reply's last byte
	MaxRetries        int               `yaml:"max_retries"`         // after the first attempt
	Backoff           time.Duration     `yaml:"backoff"`             // before the first retry; doubles, up to a minute
	RequestsPerMinute float64           `yaml:"requests_per_minute"` // 0: as many as come
	TokensPerMinute   float64           `yaml:"tokens_per_minute"`   // of the prompt, estimated, and max_tokens; 0: as many as come
	GracePeriod       time.Duration     `yaml:"grace_period"`        // that replies on their way are waited for at Ctrl-C: they are paid for
	InFlight          int               `yaml:"in_flight"`
	Price             *Price            `yaml:"price,omitempty"` // none: unknown, so that no max_cost can be kept
	MaxTokens         int               `yaml:"max_tokens"`
	MaxTokensName     string            `yaml:"max_tokens_name"`       // max_tokens, max_completion_tokens as OpenAI's reasoning models want, or auto
	Temperature       *float64          `yaml:"temperature,omitempty"` // null: not sent
	Seed              *int64            `yaml:"seed,omitempty"`        // none: not sent
	Extra             map[string]any    `yaml:"extra,omitempty"`       // more fields of the request's body
	Tokenizer         string            `yaml:"tokenizer"`             // a directory with a tokenizer.json, to count tokens beforehand; empty: they are estimated
}

// Price is what a model costs, in dollars.
type Price struct {
	PromptPerMillion     float64 `yaml:"prompt_per_million"`
	CompletionPerMillion float64 `yaml:"completion_per_million"`
}

// Of gives the dollars that the tokens cost, 0 where the price is unknown.
func (p *Price) Of(promptTokens, completionTokens int) float64 {
	if p == nil {
		return 0
	}
	return (float64(promptTokens)*p.PromptPerMillion + float64(completionTokens)*p.CompletionPerMillion) / 1e6
}

// The names under which max_tokens is sent. Auto is max_tokens until the server
// refuses it and names the other.
const (
	MaxTokensAuto       = "auto"
	MaxTokens           = "max_tokens"
	MaxCompletionTokens = "max_completion_tokens"
)

// Default is a chat of which only base_url and model are to be named.
func Default() Config {
	greedy := 0.0
	return Config{
		Timeout: 5 * time.Minute, MaxRetries: 6, Backoff: 500 * time.Millisecond, GracePeriod: time.Minute, InFlight: 8,
		MaxTokens: 4096, MaxTokensName: MaxTokensAuto, Temperature: &greedy,
	}
}

// Request asks for a reply to the messages with the config's sampling.
func (c Config) Request(messages []data.Message) Request {
	return Request{Messages: messages, MaxTokens: c.MaxTokens, Temperature: c.Temperature, Seed: c.Seed}
}

// Validate names every value that cannot be.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, key string, value any, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", key, value, want))
		}
	}
	problems = append(problems, checkBaseURL(c.BaseURL), checkHeaders(c.Headers), checkExtra(c.Extra))
	check(c.Model != "", "model", `""`, "the model's name at the server")
	check(!strings.ContainsAny(c.APIKeyEnv, "= \t\n") && !strings.HasPrefix(c.APIKeyEnv, "sk-"), "api_key_env", "no name of an environment variable",
		"such a name, and the key in that variable, never here")
	check(c.Timeout > 0, "timeout", c.Timeout, "more than 0, such as 60s")
	check(c.MaxRetries >= 0, "max_retries", c.MaxRetries, "0 or more")
	check(c.Backoff > 0, "backoff", c.Backoff, "more than 0, such as 500ms")
	check(c.RequestsPerMinute >= 0 && !math.IsInf(c.RequestsPerMinute, 1), "requests_per_minute", c.RequestsPerMinute, "0 (as many as come) or more")
	check(c.TokensPerMinute >= 0 && !math.IsInf(c.TokensPerMinute, 1), "tokens_per_minute", c.TokensPerMinute, "0 (as many as come) or more")
	check(c.GracePeriod >= 0, "grace_period", c.GracePeriod, "0 (nothing is waited for) or more, such as 1m")
	check(c.InFlight >= 1, "in_flight", c.InFlight, "at least 1")
	check(c.MaxTokens >= 1, "max_tokens", c.MaxTokens, "at least 1")
	check(slices.Contains([]string{MaxTokensAuto, MaxTokens, MaxCompletionTokens}, c.MaxTokensName), "max_tokens_name", c.MaxTokensName, "auto, max_tokens or max_completion_tokens")
	if c.Temperature != nil {
		check(*c.Temperature >= 0 && *c.Temperature <= 2, "temperature", *c.Temperature, "0 to 2, or null not to send it")
	}
	if p := c.Price; p != nil {
		check(p.PromptPerMillion >= 0 && !math.IsInf(p.PromptPerMillion, 1), "price.prompt_per_million", p.PromptPerMillion, "dollars, 0 or more")
		check(p.CompletionPerMillion >= 0 && !math.IsInf(p.CompletionPerMillion, 1), "price.completion_per_million", p.CompletionPerMillion, "dollars, 0 or more")
	}
	return errors.Join(problems...)
}

func checkBaseURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("base_url is no http(s) address, want one such as http://localhost:8000/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "": // and say none of it: it may be a key
		return fmt.Errorf("base_url of %s holds a user, query or fragment, want none: a key belongs in the variable that api_key_env names", u.Host)
	}
	return nil
}

func checkHeaders(headers map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch strings.ToLower(name) {
		case "authorization", "proxy-authorization", "api-key", "x-api-key", "cookie":
			return fmt.Errorf("headers.%s would keep a secret in a config: name the key's environment variable in api_key_env", name)
		}
	}
	return nil
}

func checkExtra(extra map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		switch name {
		case "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "seed", "logprobs", "top_logprobs", "stream", "n":
			return fmt.Errorf("extra.%s is not for extra: it has a key of its own or is decided by the mode", name)
		}
	}
	if _, err := json.Marshal(extra); err != nil {
		return fmt.Errorf("extra cannot be written as JSON: %w", err)
	}
	return nil
}

// CheckBudget refuses a limit in dollars where the price is unknown.
func (c Config) CheckBudget(most float64) error {
	if most > 0 && c.Price == nil {
		return fmt.Errorf("the cost is limited to $%g, and %s has no price: give price.prompt_per_million and price.completion_per_million, 0 for a model of your own", most, c.Model)
	}
	return nil
}

// key reads the key's variable.
func (c Config) key() (string, error) {
	if c.APIKeyEnv == "" {
		return "", nil
	}
	key := strings.TrimSpace(os.Getenv(c.APIKeyEnv))
	if key == "" {
		return "", fmt.Errorf("api_key_env names %s, which is not set: export it, or leave api_key_env empty for a server without keys", c.APIKeyEnv)
	}
	return key, nil
}

// endpoint is base_url up to /v1 or what stands for it, with a slash at the
// end: an address without a path gets /v1.
func (c Config) endpoint() string {
	base := strings.TrimRight(c.BaseURL, "/")
	base = strings.TrimRight(strings.TrimSuffix(base, "/chat/completions"), "/")
	if u, err := url.Parse(base); err == nil && u.Path == "" {
		base += "/v1"
	}
	return base + "/"
}

// Fingerprint names what decides a reply besides the messages: where the model
// runs and how hard it is pressed does not.
func (c Config) Fingerprint() string {
	sampling, err := json.Marshal(struct { // map keys are sorted, so that equal configs have equal names
		Model       string         `json:"model"`
		MaxTokens   int            `json:"max_tokens"`
		Temperature *float64       `json:"temperature,omitempty"`
		Seed        *int64         `json:"seed,omitempty"`
		Extra       map[string]any `json:"extra,omitempty"`
	}{c.Model, c.MaxTokens, c.Temperature, c.Seed, c.Extra})
	if err != nil {
		return fmt.Sprintf("model %s, %v", c.Model, err) // extra is checked by Validate
	}
	return string(sampling)
}
