package audit

import (
	"math"

	"laurel/eval/stats"
	"laurel/labels"
)

// Principle is a principle of the constitution with the weight of its vote.
type Principle struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
}

// PrincipleVotes is how the votes under a principle went.
type PrincipleVotes struct {
	Principle
	Votes      int                       `json:"votes"`   // asked for
	Decided    int                       `json:"decided"` // for a side
	Reasons    map[labels.Abstention]int `json:"reasons"` // of the others
	Confidence stats.Value               `json:"confidence_mean"`
	// WithVerdict is how often a vote for a side is that of the verdict, and
	// WithGold that of the gold.
	WithVerdict stats.Share `json:"with_verdict"`
	WithGold    stats.Share `json:"with_gold"`
	Flipped     stats.Share `json:"flipped"` // as in PositionBias
}

type principleCount struct {
	weight                float64
	votes, decided        int
	reasons               map[labels.Abstention]int
	confidence            float64
	withVerdict, withGold stats.Trials
}

// principleCounts keep the order in which principles are first voted on.
type principleCounts struct {
	names []string
	by    map[string]*principleCount
}

func (c *principleCounts) of(name string) *principleCount {
	p := c.by[name]
	if p == nil {
		p = &principleCount{weight: math.NaN(), reasons: map[labels.Abstention]int{}}
		c.by[name] = p
		c.names = append(c.names, name)
	}
	return p
}

func (c *principleCounts) add(prompt int32, l *labels.Label, gold *labels.Gold) {
	for _, v := range l.Votes {
		p := c.of(v.Principle)
		if math.IsNaN(p.weight) {
			p.weight = v.Weight
		}
		p.votes++
		if v.Side == labels.Neither {
			p.reasons[v.Reason]++
			continue
		}
		p.decided++
		p.confidence += v.Confidence
		if l.Side != labels.Neither {
			p.withVerdict.Add(prompt, stats.Indicator(v.Side == l.Side), 1)
		}
		if gold != nil && gold.Side != labels.Neither {
			p.withGold.Add(prompt, stats.Indicator(v.Side == gold.Side), 1)
		}
	}
}

// report lists the constitution's principles, voted on or not, then others.
// Without a constitution a principle's weight is that of its first vote.
func (c *principleCounts) report(constitution []Principle, position []PositionBias) []PrincipleVotes {
	for _, p := range constitution {
		c.of(p.Name)
	}
	weight := map[string]float64{}
	var order []string
	for _, p := range constitution {
		order, weight[p.Name] = append(order, p.Name), p.Weight
	}
	for _, name := range c.names {
		if _, given := weight[name]; !given {
			order, weight[name] = append(order, name), c.by[name].weight
		}
	}
	flipped := map[string]stats.Share{}
	for _, p := range position {
		if p.Judge == "" {
			flipped[p.Principle] = p.Flipped
		}
	}
	out := make([]PrincipleVotes, len(order))
	for i, name := range order {
		p := c.by[name]
		out[i] = PrincipleVotes{
			Principle: Principle{name, weight[name]}, Votes: p.votes, Decided: p.decided, Reasons: p.reasons,
			Confidence: stats.Over(p.confidence, float64(p.decided)), WithVerdict: p.withVerdict.Share(), WithGold: p.withGold.Share(),
			Flipped: flipped[name],
		}
	}
	return out
}
