package data

import "iter"

// Seen finds which pairs of a first set a second one has too: their prompt with
// both responses, in either order, or the prompt alone; white space and case aside.
type Seen struct {
	keys           []seenKeys // of the first set, by place
	pairs, prompts map[uint64]bool
}

// seenKeys are a pair's; prompt is 0 where it has none.
type seenKeys struct{ pair, prompt uint64 }

func seenKeysOf(p *Pair) seenKeys {
	prompt, a, b := p.Prompt.FoldedKey(), p.Chosen.FoldedKey(), p.Rejected.FoldedKey()
	keys := seenKeys{pair: mix(mix(prompt+mix(min(a, b))) + max(a, b))}
	for range p.Prompt.Folded() {
		keys.prompt = prompt
		break
	}
	return keys
}

// First passes the pairs of the first set on, and notes them.
func (s *Seen) First(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		s.keys, s.pairs, s.prompts = nil, map[uint64]bool{}, map[uint64]bool{}
		for p, err := range pairs {
			if err == nil {
				keys := seenKeysOf(&p)
				s.keys, s.pairs[keys.pair], s.prompts[keys.prompt] = append(s.keys, keys), false, false
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Second passes the pairs of the second set on, and marks what they have of the
// first, which has been read by then.
func (s *Seen) Second(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for p, err := range pairs {
			if err == nil {
				keys := seenKeysOf(&p)
				mark(s.pairs, keys.pair)
				if keys.prompt != 0 {
					mark(s.prompts, keys.prompt)
				}
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func mark(noted map[uint64]bool, key uint64) {
	if _, of := noted[key]; of {
		noted[key] = true
	}
}

// At tells of the pair at a place of the first set, from 0, whether the second has
// it, and whether it has its prompt.
func (s *Seen) At(place int) (pair, prompt bool) {
	if place >= len(s.keys) {
		return false, false
	}
	keys := s.keys[place]
	return s.pairs[keys.pair], s.prompts[keys.prompt]
}
