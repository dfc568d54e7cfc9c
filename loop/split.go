package loop

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"

	"laurel/data"
)

// Split deals the prompts out: some are held out, each round has others, and no
// prompt is in two parts. Prompts of equal texts are one: the first stands for all.
type Split struct {
	HeldOut  int // different prompts
	PerRound int
	Unused   int // of no round
	// Digest stands for all prompts, in their order, and where each went.
	Digest string

	part  map[data.TextKey]int    // HeldOutPart, a round's number, or unused
	first map[data.TextKey]string // id of the first of equal texts
}

// HeldOutPart is the part of the prompts that no round trains on; a round's part is
// its number.
const HeldOutPart = 0

const unused = -1

// NewSplit reads all prompts. Their order is drawn by the seed; the first
// ceil(held_out · prompts) are held out, the next prompts_per_round are the first
// round's, and so on.
func NewSplit(prompts iter.Seq2[data.Prompt, error], c Config) (*Split, error) {
	s := &Split{part: map[data.TextKey]int{}, first: map[data.TextKey]string{}}
	var keys []data.TextKey
	sum := sha256.New()
	for p, err := range prompts {
		if err != nil {
			return nil, err
		}
		key := p.Key()
		if _, known := s.part[key]; !known {
			s.part[key], s.first[key] = unused, p.ID
			keys = append(keys, key)
		}
		fmt.Fprintf(sum, "%q %x\n", p.ID, key)
	}
	s.HeldOut = int(math.Ceil(c.HeldOut * float64(len(keys))))
	left := len(keys) - s.HeldOut
	s.PerRound = c.PromptsPerRound
	if s.PerRound == 0 {
		s.PerRound = left / c.Rounds
	}
	if s.PerRound == 0 || s.PerRound*c.Rounds > left {
		return nil, fmt.Errorf("%d different prompts less %d held out are %d, too few for %d rounds of %d (held_out, rounds, prompts_per_round)",
			len(keys), s.HeldOut, left, c.Rounds, max(s.PerRound, 1))
	}
	s.Unused = left - s.PerRound*c.Rounds
	random := rand.New(rand.NewPCG(uint64(c.Seed), uint64(len(keys))))
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for i, key := range keys[:len(keys)-s.Unused] {
		s.part[key] = HeldOutPart
		if i >= s.HeldOut {
			s.part[key] = 1 + (i-s.HeldOut)/s.PerRound
		}
	}
	sum.Write(binary.LittleEndian.AppendUint64(nil, uint64(c.Seed)))
	fmt.Fprint(sum, s.HeldOut, s.PerRound)
	s.Digest = hex.EncodeToString(sum.Sum(nil))
	return s, nil
}

// Has tells whether a prompt is of a part, as the first of its text.
func (s *Split) Has(part int, p data.Prompt) bool {
	key := p.Key()
	return s.part[key] == part && s.first[key] == p.ID
}

// promptRow is a prompt as Write has it, and data.ReadPrompts reads it.
type promptRow struct {
	ID     string         `json:"id"`
	Prompt []data.Message `json:"prompt"`
	Subset string         `json:"subset,omitempty"`
	Tools  data.JSONText  `json:"tools,omitempty"`
	Kwargs data.JSONText  `json:"chat_template_kwargs,omitempty"`
}

// Write writes the prompts of a part as JSON lines, aside first, and counts them.
func (s *Split) Write(path string, part int, prompts iter.Seq2[data.Prompt, error]) (n int, err error) {
	err = data.WriteAside(path, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		for p, err := range prompts {
			if err != nil {
				return err
			}
			if !s.Has(part, p) {
				continue
			}
			n++
			if err := lines.Encode(promptRow{p.ID, p.Messages, p.Subset, data.JSONText(p.Context.Tools), data.JSONText(p.Context.TemplateKwargs)}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
