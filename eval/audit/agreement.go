package audit

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/labels"
)

// Agreement is how labels fare against gold.
type Agreement struct {
	GoldMatch
	Outcomes GoldTable `json:"outcomes"`
	// Agreement is of the labels whose gold names a side; with gold ties counted
	// one half, of all labels with gold.
	Agreement         stats.Share    `json:"agreement"`
	AgreementTiesHalf stats.Share    `json:"agreement_ties_half"`
	Coverage          stats.Share    `json:"coverage"` // not abstained, of the comparisons with gold
	ByConfidence      []Agreeing     `json:"by_confidence"`
	ByKind            []Agreeing     `json:"by_gold_kind"`
	ByClarity         []Agreeing     `json:"by_gold_clarity"`
	BySubset          []Agreeing     `json:"by_subset"`
	MoreSubsets       int            `json:"more_subsets"` // smaller ones, left out
	Calibration       *Recalibration `json:"calibration"`  // null where too few labels have gold
	Risk              RiskCoverage   `json:"risk_coverage"`
}

// GoldTable counts comparisons by verdict (labelled a, labelled b, abstained)
// and by gold (a, b, tie).
type GoldTable struct {
	A         [3]int `json:"labelled_a"`
	B         [3]int `json:"labelled_b"`
	Abstained [3]int `json:"abstained"`
}

// Agreeing is the agreement within a group of comparisons.
type Agreeing struct {
	Group     string      `json:"group"`
	Matched   int         `json:"matched"`   // comparisons with gold
	Abstained int         `json:"abstained"` // of them
	GoldTies  int         `json:"gold_ties"` // of those labelled
	Agreement stats.Share `json:"agreement"` // of the others
}

const (
	confidenceWidth = 0.05 // of the bins of agreement by confidence
	maxGoldSubsets  = 50
)

// agreementCount gathers labels with their gold, one after another.
type agreementCount struct {
	table                          GoldTable
	decided, labelled, covered     stats.Trials
	confidence, kind, tell, subset map[string]*agreeingCount
	judged                         []groupedLabel
	abstained                      []place // of those abstained from though gold names a side
}

type agreeingCount struct {
	matched, abstained, ties int
	decided                  stats.Trials
}

func newAgreementCount() *agreementCount {
	group := func() map[string]*agreeingCount { return map[string]*agreeingCount{} }
	return &agreementCount{confidence: group(), kind: group(), tell: group(), subset: group()}
}

func (a *agreementCount) add(prompt int32, l *labels.Label, gold *labels.Gold) {
	row := &a.table.Abstained
	switch l.Side {
	case labels.SideA:
		row = &a.table.A
	case labels.SideB:
		row = &a.table.B
	}
	row[category(gold.Side)]++
	a.group(prompt, a.kind, cmp.Or(gold.Kind, "not said"), l, gold)
	a.group(prompt, a.tell, clarity(gold), l, gold)
	a.group(prompt, a.subset, cmp.Or(l.Subset, "none"), l, gold)
	at := place{prompt, data.PromptKey(l.Prompt)}
	a.covered.Add(prompt, stats.Indicator(l.Side != labels.Neither), 1)
	switch {
	case l.Side == labels.Neither && gold.Side != labels.Neither:
		a.abstained = append(a.abstained, at)
	case l.Side != labels.Neither && gold.Side != labels.Neither:
		right := l.Side == gold.Side
		a.decided.Add(prompt, stats.Indicator(right), 1)
		a.labelled.Add(prompt, stats.Indicator(right), 1)
		a.judged = append(a.judged, groupedLabel{judged{l.Confidence, right}, at})
	case l.Side != labels.Neither:
		a.labelled.Add(prompt, 0.5, 1)
	}
	if l.Side != labels.Neither {
		a.group(prompt, a.confidence, confidenceBin(l.Confidence), l, gold)
	}
}

// category is that of a side in tables: a, b, neither.
func category(s labels.Side) int {
	switch s {
	case labels.SideA:
		return 0
	case labels.SideB:
		return 1
	}
	return 2
}

func (a *agreementCount) group(prompt int32, groups map[string]*agreeingCount, name string, l *labels.Label, gold *labels.Gold) {
	g := groups[name]
	if g == nil {
		g = &agreeingCount{}
		groups[name] = g
	}
	g.matched++
	switch {
	case l.Side == labels.Neither:
		g.abstained++
	case gold.Side == labels.Neither:
		g.ties++
	default:
		g.decided.Add(prompt, stats.Indicator(l.Side == gold.Side), 1)
	}
}

// confidenceBin names bins of equal width, the last one closed.
func confidenceBin(c float64) string {
	bins := int(math.Round(1 / confidenceWidth))
	k := stats.BinOf(c, bins)
	return fmt.Sprintf("%.2f to %.2f", float64(k)/float64(bins), float64(k+1)/float64(bins))
}

func (a *agreementCount) report(cfg Config, match GoldMatch) *Agreement {
	out := &Agreement{
		GoldMatch: match, Outcomes: a.table,
		Agreement: a.decided.Share(), AgreementTiesHalf: a.labelled.Share(), Coverage: a.covered.Share(),
		ByConfidence: byName(a.confidence), ByKind: byName(a.kind), ByClarity: byName(a.tell),
		Calibration: recalibrate(a.judged, cfg.Bins, cfg.Seed),
		Risk:        riskCoverage(a.judged, a.abstained, cfg.Precision, cfg.Seed),
	}
	out.BySubset = byName(a.subset)
	slices.SortStableFunc(out.BySubset, func(x, y Agreeing) int { return cmp.Compare(y.Matched, x.Matched) })
	if more := len(out.BySubset) - maxGoldSubsets; more > 0 {
		out.BySubset, out.MoreSubsets = out.BySubset[:maxGoldSubsets], more
	}
	return out
}

func byName(groups map[string]*agreeingCount) []Agreeing {
	out := []Agreeing{}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		out = append(out, Agreeing{name, g.matched, g.abstained, g.ties, g.decided.Share()})
	}
	return out
}
