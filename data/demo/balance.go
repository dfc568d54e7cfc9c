package demo

import (
	"strings"
	"unicode"
)

// keywordBalance counts, for each word and bigram, how much more often it
// stood in the chosen response alone than in the rejected one alone.
type keywordBalance struct {
	lead map[string]int
	free int // a lead up to this costs nothing
}

// freeShare of the pairs is the lead a keyword may gain unpunished: as a rule
// on its own it would then be right in (1 + freeShare)/2 of them.
const freeShare = 0.10

func newKeywordBalance(pairs int) *keywordBalance {
	return &keywordBalance{lead: make(map[string]int), free: int(freeShare * float64(pairs))}
}

// cost is what a pair would add to Σ max(0, |lead| − free)².
func (b *keywordBalance) cost(chosen, rejected map[string]bool) int {
	cost := 0
	for keyword, side := range keywordDifference(chosen, rejected) {
		cost += b.excess(b.lead[keyword]+side) - b.excess(b.lead[keyword])
	}
	return cost
}

func (b *keywordBalance) add(chosen, rejected map[string]bool) {
	for keyword, side := range keywordDifference(chosen, rejected) {
		b.lead[keyword] += side
	}
}

func (b *keywordBalance) excess(lead int) int {
	over := max(0, max(lead, -lead)-b.free)
	return over * over
}

// keywordDifference has +1 for what only the chosen response holds and -1 for
// what only the rejected one holds.
func keywordDifference(chosen, rejected map[string]bool) map[string]int {
	difference := make(map[string]int, len(chosen)+len(rejected))
	for keyword := range chosen {
		if !rejected[keyword] {
			difference[keyword] = 1
		}
	}
	for keyword := range rejected {
		if !chosen[keyword] {
			difference[keyword] = -1
		}
	}
	return difference
}

// keywords are the lower-cased words of a text and the pairs of neighbours.
func keywords(text string) map[string]bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '\'' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	found := make(map[string]bool, 2*len(words))
	for i, word := range words {
		found[word] = true
		if i > 0 {
			found[words[i-1]+" "+word] = true
		}
	}
	return found
}

// For each pair so many responses are drafted for either side, and of the
// first so many drafts that fit the planned lengths the best balanced is kept.
const (
	drafts     = 16
	candidates = 12
)

// compose writes the comparison that a plan asks for.
func (w writer) compose(t topic, p planned, balance *keywordBalance) comparison {
	for {
		c, found := w.draft(t, p, balance)
		if found {
			chosen, rejected := p.verdict.order(c)
			balance.add(chosen.keywords, rejected.keywords)
			return c
		}
	}
}

// draft finds the candidate that costs the keyword balance least; none may
// have the planned difference of lengths.
func (w writer) draft(t topic, p planned, balance *keywordBalance) (best comparison, found bool) {
	var high, low [drafts]response
	for i := range drafts {
		high[i], low[i] = w.respond(t, p.high), w.respond(t, p.low)
	}
	bestCost, fitting := 0, 0
	for i := range drafts {
		for j := range drafts {
			chosen, rejected := p.verdict.order(comparison{a: high[i], b: low[j]})
			if !p.fits(len(chosen.text) - len(rejected.text)) {
				continue
			}
			high[i].findKeywords()
			low[j].findKeywords()
			c := comparison{topic: t, a: high[i], b: low[j]}
			chosen, rejected = p.verdict.order(c)
			cost := balance.cost(chosen.keywords, rejected.keywords)
			if fitting == 0 || cost < bestCost {
				best, bestCost = c, cost
			}
			if fitting++; fitting == candidates {
				return best, true
			}
		}
	}
	return best, fitting > 0
}

// fits says whether the characters by which chosen is longer are as planned.
func (p planned) fits(longerBy int) bool {
	off := longerBy - p.longerBy
	return -lengthSlack <= off && off <= lengthSlack
}
