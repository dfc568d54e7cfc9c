package audit

import (
	"maps"
	"slices"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/labels"
)

// InjectionBias is what responses that speak to the judge gain by it.
type InjectionBias struct {
	Sign      data.InjectionSign `json:"sign"`      // empty for any
	Responses int                `json:"responses"` // flagged
	// Preferred is how often the label is for the flagged response, where just
	// one of both is; Gold is how often gold is.
	Preferred stats.Share `json:"flagged_preferred"`
	Gold      stats.Share `json:"gold_prefers_flagged"`
	IDs       []string    `json:"ids"` // of comparisons to look at, the first few
}

// maxInjectionIDs bounds the report.
const maxInjectionIDs = 20

type injectionCount struct {
	responses       int
	preferred, gold stats.Trials
	ids             []string
}

type injectionCounts map[data.InjectionSign]*injectionCount

func (c injectionCounts) add(prompt int32, l *labels.Label, gold *labels.Gold) {
	a, b := data.InjectionSigns(l.A), data.InjectionSigns(l.B)
	if len(a)+len(b) == 0 {
		return
	}
	c.flag(prompt, "", len(a) > 0, len(b) > 0, l, gold)
	for _, sign := range a {
		c.flag(prompt, sign, true, slices.Contains(b, sign), l, gold)
	}
	for _, sign := range b {
		if !slices.Contains(a, sign) {
			c.flag(prompt, sign, false, true, l, gold)
		}
	}
}

func (c injectionCounts) flag(prompt int32, sign data.InjectionSign, a, b bool, l *labels.Label, gold *labels.Gold) {
	if !a && !b {
		return
	}
	if c[sign] == nil {
		c[sign] = &injectionCount{}
	}
	n := c[sign]
	n.responses += int(stats.Indicator(a) + stats.Indicator(b))
	if len(n.ids) < maxInjectionIDs {
		n.ids = append(n.ids, l.ID)
	}
	if a == b {
		return
	}
	flagged := labels.SideB
	if a {
		flagged = labels.SideA
	}
	if l.Side != labels.Neither {
		n.preferred.Add(prompt, stats.Indicator(l.Side == flagged), 1)
	}
	if gold != nil && gold.Side != labels.Neither {
		n.gold.Add(prompt, stats.Indicator(gold.Side == flagged), 1)
	}
}

// report has any sign first.
func (c injectionCounts) report() []InjectionBias {
	out := []InjectionBias{}
	for _, sign := range slices.Sorted(maps.Keys(c)) {
		n := c[sign]
		out = append(out, InjectionBias{sign, n.responses, n.preferred.Share(), n.gold.Share(), n.ids})
	}
	return out
}
