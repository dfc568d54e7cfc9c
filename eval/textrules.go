package eval

import (
	"fmt"
	"iter"

	"laurel/data"
	"laurel/eval/surface"
)

// TextRules are the rules that need the pairs' texts: more-markdown,
// more-hedges, prompt-overlap and bag-of-words. The texts come from the files
// that the rows were read from; training yields the pairs that the model was
// trained on, and is nil where they are not known. Where a row's pair is not
// found again there are no such rules, and note says so.
func TextRules(rows []Row, texts, training iter.Seq2[data.Pair, error]) (rules []Rule, note string, err error) {
	counted := []Rule{
		{Name: "more-markdown", Says: "the response with more marks of markdown: list items, headings, bold, code, quotes, tables"},
		{Name: "more-hedges", Says: "the response with more words and phrases that hold back"},
		{Name: "prompt-overlap", Says: "the response with more of the prompt's words"},
	}
	bag, pairs := newVocabulary(), make([]bagPair, 0, len(rows))
	for pair, err := range matched(rows, texts) {
		if err != nil {
			return nil, "", fmt.Errorf("rulers: texts of the pairs: %w", err)
		}
		for k, difference := range []float64{
			surface.Of(pair.Chosen)[surface.Marks] - surface.Of(pair.Rejected)[surface.Marks],
			surface.Hedges(pair.Chosen) - surface.Hedges(pair.Rejected),
			surface.Overlap(pair.Prompt, pair.Chosen) - surface.Overlap(pair.Prompt, pair.Rejected),
		} {
			counted[k].Margin = append(counted[k].Margin, difference)
		}
		pairs = append(pairs, bag.pair(&pair))
	}
	if len(pairs) < len(rows) {
		return nil, fmt.Sprintf("rulers: the texts of %d of the %d pairs were not found: rulers are of lengths alone", len(rows)-len(pairs), len(rows)), nil
	}
	words, err := bag.rule(pairs, training)
	if err != nil {
		return nil, "", err
	}
	return append(counted, words), "", nil
}

// matched yields the pair of each row, in the rows' order, as far as it is found
// at its place.
func matched(rows []Row, texts iter.Seq2[data.Pair, error]) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		next, place := 0, 0
		for pair, err := range texts {
			if err != nil {
				yield(pair, err)
				return
			}
			if next == len(rows) {
				return
			}
			if rows[next].Place == place {
				if rows[next].ranked().is(&pair) && !yield(pair, nil) {
					return
				}
				next++
			}
			place++
		}
	}
}
