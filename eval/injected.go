package eval

import (
	"slices"

	"laurel/data"
)

// InjectionBias is what responses that speak to the judge gain by it.
type InjectionBias struct {
	Kind      data.Injection `json:"kind"`      // empty for any
	Responses int            `json:"responses"` // flagged
	// Preferred is how often the label is for the flagged response, where just
	// one of both is; Gold is how often gold is.
	Preferred Share    `json:"flagged_preferred"`
	Gold      Share    `json:"gold_prefers_flagged"`
	IDs       []string `json:"ids"` // of comparisons to look at, the first few
}

// maxInjectionIDs bounds the report.
const maxInjectionIDs = 20

type injectionCount struct {
	responses       int
	preferred, gold trials
	ids             []string
}

type injectionCounts map[data.Injection]*injectionCount

func (c injectionCounts) add(l *data.Label, gold *data.Gold) {
	a, b := data.Injections(l.A), data.Injections(l.B)
	if len(a)+len(b) == 0 {
		return
	}
	c.flag("", len(a) > 0, len(b) > 0, l, gold)
	for _, kind := range kinds() {
		c.flag(kind, slices.Contains(a, kind), slices.Contains(b, kind), l, gold)
	}
}

func kinds() []data.Injection {
	return []data.Injection{data.InjectsVerdict, data.InjectsOrders, data.InjectsJudge, data.InjectsMarkers}
}

func (c injectionCounts) flag(kind data.Injection, a, b bool, l *data.Label, gold *data.Gold) {
	if !a && !b {
		return
	}
	if c[kind] == nil {
		c[kind] = &injectionCount{}
	}
	n := c[kind]
	n.responses += int(yes(a) + yes(b))
	if len(n.ids) < maxInjectionIDs {
		n.ids = append(n.ids, l.ID)
	}
	if a == b {
		return
	}
	flagged := data.SideB
	if a {
		flagged = data.SideA
	}
	if l.Side != data.Neither {
		n.preferred.add(yes(l.Side == flagged), 1)
	}
	if gold != nil && gold.Side != data.Neither {
		n.gold.add(yes(gold.Side == flagged), 1)
	}
}

// report has any kind first.
func (c injectionCounts) report() []InjectionBias {
	out := []InjectionBias{}
	for _, kind := range append([]data.Injection{""}, kinds()...) {
		if n := c[kind]; n != nil {
			out = append(out, InjectionBias{kind, n.responses, n.preferred.share(), n.gold.share(), n.ids})
		}
	}
	return out
}
