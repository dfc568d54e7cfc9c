package model

import (
	"encoding/json"
	"fmt"
	"math"
)

// Norm is what OpenRLHF's reward models do to a reward when they do not train,
// by normalize_reward, mean and std of config.json: (r − mean)/std (RewardModel of
// openrlhf/models/model.py, 2026-08). Its trainer writes mean and std of its last
// evaluation (rm_trainer.py), and always normalize_reward false: there, whoever
// loads the model asks for it (--reward.normalize_enable, off by default).
type Norm struct {
	On        bool
	Mean, Std float32
	Given     bool // whether the config has mean or std, whatever On
}

// norm reads the keys. One of mean and std alone is refused where they count:
// OpenRLHF takes a std alone for none, and stops at a mean alone.
func (r *configReader) norm() Norm {
	mean, std := r.number("mean", 0), r.number("std", 1)
	n := Norm{On: r.flag("normalize_reward", false), Mean: float32(mean), Std: float32(std), Given: r.given("mean") || r.given("std")}
	if !n.On {
		return n
	}
	if math.IsInf(float64(n.Mean), 0) {
		r.refuse("mean", fmt.Sprintf("is %v, which float32 does not hold, and normalize_reward is true", mean))
	}
	if !(n.Std > 0) || math.IsInf(float64(n.Std), 0) {
		r.refuse("std", fmt.Sprintf("is %v, want more than 0 as normalize_reward is true", std))
	}
	if r.given("mean") != r.given("std") {
		r.refuse("normalize_reward", "is true, and only one of mean and std is given")
	}
	return n
}

func (n Norm) apply(reward float32) float32 {
	if !n.On {
		return reward
	}
	return (reward - n.Mean) / n.Std
}

// String says what becomes of the rewards; "" where the config has no such key.
func (n Norm) String() string {
	switch {
	case n.On:
		return fmt.Sprintf("rewards are (r − mean)/std with mean %v and std %v, as config.json's normalize_reward asks", n.Mean, n.Std)
	case n.Given:
		return fmt.Sprintf("config.json has mean %v and std %v, which are not applied: normalize_reward is not true (OpenRLHF writes it so, and applies them under --reward.normalize_enable alone: set it to true for the same)", n.Mean, n.Std)
	}
	return ""
}

// ForgetNorm drops the keys, and tells whether there were any: training changes
// the rewards that mean and std were measured on.
func (c *Config) ForgetNorm() bool {
	given := c.Norm != Norm{Std: 1}
	c.Norm = Norm{Std: 1}
	for _, key := range []string{"mean", "std", "normalize_reward"} {
		delete(c.keys, key)
	}
	return given
}

// OfferNorm has config.json name the head and hold mean and std of the rewards as
// OpenRLHF reads them, which applies them under --reward.normalize_enable. Rewards
// here stay as they are; a config that has rewards normalized already keeps its mean
// and std, which belong to the reward. False for what OpenRLHF does not load: an
// encoder, or a head that transformers does not have either.
func (c *Config) OfferNorm(mean, std float64) bool {
	if !c.family.about().causal || !c.Recorded.Head.Own() {
		return false
	}
	c.keys["value_head_prefix"] = json.RawMessage(`"score"`)
	c.valueHead = ""
	if c.Norm.On {
		return true
	}
	c.Norm = Norm{Mean: float32(mean), Std: float32(std), Given: true}
	for key, value := range map[string]any{"mean": mean, "std": std, "normalize_reward": false} {
		raw, _ := json.Marshal(value) // finite numbers and a bool have no error
		c.keys[key] = raw
	}
	return true
}

// valueHead is the tensor of the head that value_head_prefix names, "" for
// transformers' own name. OpenRLHF's head is a linear layer without a bias, as
// a decoder's is.
func (r *configReader) valueHead(f family) string {
	prefix := r.text("value_head_prefix", "")
	if prefix == "" || f == nil {
		return ""
	}
	if !f.about().causal {
		r.refuse("value_head_prefix", fmt.Sprintf("is %q: such a head is read on decoders only", prefix))
	}
	if prefix == "score" {
		return ""
	}
	return prefix + ".weight"
}
