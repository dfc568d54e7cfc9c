package triage

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"laurel/data"
	"laurel/eval/stats"
)

// Source reads the pairs from the beginning, the same at every call.
type Source func() iter.Seq2[data.Pair, error]

// scanned is what is known of every pair once the files have been read: some 300
// bytes each, and the shingles in a file.
type scanned struct {
	id, file, unit           []string
	row                      []int
	confidence               []float64
	prompt, chosen, rejected []uint64        // hashes but for case and white space; 0: no prompt
	set                      []uint64        // of the sets of shingles, whichever response is chosen
	pairBands                [][bands]uint64 // of prompt and both responses
	promptBands              [][bands]uint64 // of each different prompt
	promptAt                 []int32         // the pair's among these; -1: no prompt
	firstOf                  []int32         // the first pair of each different prompt
	known                    map[uint64]int32
	chat, plain              bool
	shingles                 *setFile
	made                     int // ids that the files do not have, or not once
}

// one is what a worker makes of a pair.
type one struct {
	pair                     data.Pair // without its texts
	prompt, chosen, rejected uint64
	sets                     [3][]uint64
	set                      uint64
	pairBands, promptBands   [bands]uint64
	chat                     bool
}

// scanning hashes pairs. Shingles of a prompt count apart from those of responses.
func scanning(m *minHash) func() func(data.Pair) one {
	return func() func(data.Pair) one {
		return func(p data.Pair) one {
			o := one{chosen: p.Chosen.FoldedKey(), rejected: p.Rejected.FoldedKey(), chat: p.Chosen.Messages != nil,
				sets: [3][]uint64{shingles(p.Prompt), shingles(p.Chosen), shingles(p.Rejected)}}
			if data.PromptKey(p.Prompt) != 0 {
				o.prompt = max(1, p.Prompt.FoldedKey())
			}
			apart := make([]uint64, len(o.sets[0]))
			for i, x := range o.sets[0] {
				apart[i] = spread(x + 1)
			}
			o.pairBands, o.promptBands = banded(m.signature(apart, o.sets[1], o.sets[2])), banded(m.signature(o.sets[0]))
			o.set = spread(ofWords(o.sets[0])) + ofWords(o.sets[1]) + ofWords(o.sets[2])
			p.Prompt, p.Chosen, p.Rejected = data.Text{}, data.Text{}, data.Text{}
			o.pair = p
			return o
		}
	}
}

// scan reads the pairs once; scratch is a folder for the shingles.
func scan(ctx context.Context, source Source, scratch string) (s *scanned, err error) {
	s = &scanned{known: map[uint64]int32{}}
	if s.shingles, err = newSetFile(scratch); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for o, err := range data.InOrder(ctx, source(), runtime.GOMAXPROCS(0), scanning(newMinHash())) {
		if err == nil {
			err = s.add(o, ids)
		}
		if err != nil {
			s.shingles.close()
			return nil, err
		}
	}
	return s, s.shingles.written()
}

func (s *scanned) add(o one, ids map[string]bool) error {
	p := o.pair
	id := p.ID
	if id == "" || ids[id] {
		s.made++
		for id, k := fmt.Sprintf("%s:%s:%d", p.File, p.Unit, p.Row), 2; ; k++ {
			if !ids[id] {
				p.ID = id
				break
			}
			id = fmt.Sprintf("%s:%s:%d#%d", p.File, p.Unit, p.Row, k)
		}
		id = p.ID
	}
	ids[id] = true
	at := int32(-1)
	if o.prompt != 0 {
		known, again := s.known[o.prompt]
		if at = known; !again {
			at = int32(len(s.promptBands))
			s.known[o.prompt] = at
			s.promptBands, s.firstOf = append(s.promptBands, o.promptBands), append(s.firstOf, int32(len(s.id)))
		}
	}
	s.id, s.file, s.unit, s.row = append(s.id, id), append(s.file, p.File), append(s.unit, p.Unit), append(s.row, p.Row)
	s.confidence = append(s.confidence, p.Confidence)
	s.prompt, s.chosen, s.rejected = append(s.prompt, o.prompt), append(s.chosen, o.chosen), append(s.rejected, o.rejected)
	s.set, s.pairBands, s.promptAt = append(s.set, o.set), append(s.pairBands, o.pairBands), append(s.promptAt, at)
	s.chat, s.plain = s.chat || o.chat, s.plain || !o.chat
	return s.shingles.add(o.sets)
}

func (s *scanned) n() int { return len(s.id) }

// clusters numbers the prompts, of which those alike have one number: united says
// which. A pair without a prompt is one by itself.
func (s *scanned) clusters(united *union) (of []int32, n int) {
	numbers := stats.NewPrompts()
	of = make([]int32, s.n())
	for i, at := range s.promptAt {
		key := uint64(0)
		if at >= 0 {
			root, _ := united.root(at)
			key = uint64(root) + 1
		}
		of[i] = numbers.Of(key)
	}
	return of, int(numbers.N)
}
