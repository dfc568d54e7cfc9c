package demo

import (
	"fmt"
	"math"
)

// ShortcutReport says how far rules that read nothing get on a set of pairs.
type ShortcutReport struct {
	Pairs           int
	Longer, Shorter float64 // accuracy of always taking the longer, the shorter response; ties half
	Keyword         string  // the best word or bigram
	KeywordFavours  string  // the side that holds it: "chosen" or "rejected"
	KeywordAccuracy float64 // of the rule; pairs where it is in both or neither count half
}

// Shortcuts measures the length rules, in characters, and the best rule of the
// form "the response that holds this word (or bigram) is the better one", or
// the worse one. Among equals the keyword first in the alphabet is named.
func Shortcuts(pairs []Pair) ShortcutReport {
	report := ShortcutReport{Pairs: len(pairs)}
	if len(pairs) == 0 {
		return report
	}
	lead, longer := make(map[string]int), 0
	for _, p := range pairs {
		longer += sign(len([]rune(p.Chosen)) - len([]rune(p.Rejected)))
		for keyword, side := range keywordDifference(keywords(p.Chosen), keywords(p.Rejected)) {
			lead[keyword] += side
		}
	}
	n := float64(len(pairs))
	report.Longer = 0.5 + float64(longer)/(2*n)
	report.Shorter = 1 - report.Longer
	for keyword, ahead := range lead {
		accuracy := 0.5 + math.Abs(float64(ahead))/(2*n)
		if accuracy < report.KeywordAccuracy || accuracy == report.KeywordAccuracy && keyword > report.Keyword {
			continue
		}
		report.Keyword, report.KeywordAccuracy, report.KeywordFavours = keyword, accuracy, "chosen"
		if ahead < 0 {
			report.KeywordFavours = "rejected"
		}
	}
	return report
}

func sign(n int) int {
	return min(1, max(-1, n))
}

func (r ShortcutReport) String() string {
	return fmt.Sprintf("%4d pairs: always longer %.3f, always shorter %.3f, best keyword %.3f (%q, %s)",
		r.Pairs, r.Longer, r.Shorter, r.KeywordAccuracy, r.Keyword, r.KeywordFavours)
}
