package audit

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"laurel/eval/stats"
	"laurel/labels"
)

// SelfPreference is how often a judge votes for a response of its own model's
// family, where just one of both is.
type SelfPreference struct {
	Judge    string           `json:"judge"`
	Family   string           `json:"family"`
	Own      stats.Share      `json:"own_preferred"` // of its votes for a side
	Gold     stats.Share      `json:"gold_prefers_own"`
	OverGold stats.Difference `json:"over_gold"` // judge minus gold, by comparison, where both name a side
}

// families are words by which names of models go together.
func families() []string {
	return []string{"gpt", "davinci", "claude", "llama", "alpaca", "vicuna", "mistral", "mixtral", "qwen", "gemma", "gemini", "palm",
		"phi", "deepseek", "yi", "falcon", "command", "olmo", "tulu", "zephyr", "wizardlm", "koala", "dolly", "bloom", "cerebras", "opt", "pythia"}
}

// family is the model's: the known word that its name begins with, or has
// within, else the letters that it begins with.
func family(model string) string {
	name := strings.ToLower(model[strings.LastIndex(model, "/")+1:])
	words := strings.FieldsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' })
	for _, word := range words {
		for _, known := range families() {
			if word == known || strings.HasPrefix(word, known) && len(known) > 3 {
				return cmp.Or(map[string]string{"davinci": "gpt"}[known], known)
			}
		}
	}
	if strings.Contains(name, "gpt") {
		return "gpt"
	}
	if len(words) == 0 {
		return name
	}
	return words[0]
}

type selfCount struct {
	own, gold stats.Trials
	overGold  stats.Differences
}

// selfCounts are by judge.
type selfCounts map[string]*selfCount

// add takes the votes of one comparison; models are the judges'.
func (c selfCounts) add(prompt int32, l *labels.Label, models map[string]string, gold *labels.Gold) {
	if l.ModelA == "" || l.ModelB == "" {
		return
	}
	type votes struct{ own, n float64 }
	here := map[string]*votes{}
	ownSide := map[string]labels.Side{}
	for _, v := range l.Votes {
		own := family(cmp.Or(models[v.Judge], v.Judge))
		isA, isB := family(l.ModelA) == own, family(l.ModelB) == own
		if isA == isB || v.Side == labels.Neither {
			continue
		}
		ownSide[v.Judge] = labels.SideB
		if isA {
			ownSide[v.Judge] = labels.SideA
		}
		if here[v.Judge] == nil {
			here[v.Judge] = &votes{}
		}
		here[v.Judge].n++
		here[v.Judge].own += stats.Indicator(v.Side == ownSide[v.Judge])
	}
	for judge, v := range here {
		if c[judge] == nil {
			c[judge] = &selfCount{}
		}
		c[judge].own.Add(prompt, v.own, v.n)
		if gold != nil && gold.Side != labels.Neither {
			goldOwn := stats.Indicator(gold.Side == ownSide[judge])
			c[judge].gold.Add(prompt, goldOwn, 1)
			c[judge].overGold.Add(prompt, v.own/v.n-goldOwn)
		}
	}
}

func (c selfCounts) report(models map[string]string) []SelfPreference {
	out := []SelfPreference{}
	for _, judge := range slices.Sorted(maps.Keys(c)) {
		n := c[judge]
		out = append(out, SelfPreference{judge, family(cmp.Or(models[judge], judge)), n.own.Share(), n.gold.Share(), n.overGold.Mean()})
	}
	return out
}
