package inspect

import (
	"slices"

	"laurel/data"
	"laurel/data/tokenizer"
)

// With measures with a tokenizer, and cuts to maxLength (0: nothing is cut).
func With(t *tokenizer.Tokenizer, maxLength int) Tokens {
	alike := func(p data.Pair, side tokenizer.Side) (bool, error) {
		chosen, rejected, err := t.EncodePair(p, maxLength, side)
		return slices.Equal(chosen.IDs, rejected.IDs), err
	}
	return Tokens{
		MaxLength: maxLength,
		Lengths: func(p data.Pair) (n Lengths, err error) {
			if n.Prompt, err = t.Count(p.Prompt); err != nil {
				return n, err
			}
			chosen, rejected, err := t.EncodePair(p, 0, tokenizer.Left)
			n.Chosen, n.Rejected = len(chosen.IDs), len(rejected.IDs)
			return n, err
		},
		Alike: func(p data.Pair) (right, left bool, err error) {
			if right, err = alike(p, tokenizer.Right); err != nil {
				return false, false, err
			}
			left, err = alike(p, tokenizer.Left)
			return right, left, err
		},
	}
}
