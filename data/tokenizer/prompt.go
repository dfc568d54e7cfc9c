package tokenizer

import "laurel/data"

// PromptIDs counts the ids at the beginning of sequences of one prompt, as
// EncodePair gives them, that are the prompt's own in each: those of the prompt
// alone, special tokens before it included. A response may draw the prompt's last
// letters into its first token, which is the prompt's no more. It is 0 where the prompt alone does not encode, as templates that want an answer do
// not render it.
func (t *Tokenizer) PromptIDs(prompt data.Text, side Side, sequences ...data.Tokens) int {
	alone, err := t.encodeTurn(prompt, data.Text{}, 0, Left)
	if err != nil {
		return 0
	}
	ids := alone.IDs
	if hasSuffix(ids, t.suffix) {
		ids = ids[:len(ids)-len(t.suffix)]
	}
	count := len(ids)
	for _, s := range sequences {
		if s.Cut == 0 || side == Right {
			count = min(count, data.SharedPrefix(ids, s.IDs))
			continue
		}
		kept := min(t.leading(s.IDs), data.SharedPrefix(ids, s.IDs)) // the cut is behind them
		count = min(count, kept+data.SharedPrefix(ids[min(kept+s.Cut, len(ids)):], s.IDs[kept:]))
	}
	return count
}

// leading is the number of special tokens that a sequence begins with, and that
// no cut takes.
func (t *Tokenizer) leading(ids []int32) int {
	if len(t.prefix) > 0 {
		return len(t.prefix)
	}
	if bos, ok := t.BOSID(); ok && hasPrefix(ids, []int32{bos}) {
		return 1
	}
	return 0
}
