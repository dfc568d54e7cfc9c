package data

import (
	"fmt"
	"io"
	"math"
)

// Scored is a pair of rewards computed elsewhere.
type Scored struct {
	Row            int // from 0; for JSONL the line, from 1
	ID             string
	Subset         string
	RewardChosen   float64
	RewardRejected float64
	Confidence     float64 // 1 where the file has none
	LenChosen      float64 // characters of the response, or len_chosen; -1 where neither is there
	LenRejected    float64
	Prompt         uint64 // as PromptKey; 0 where the file has none
}

// ReadScores reads reward_chosen and reward_rejected, and where they are
// there confidence, subset, id, the prompt, and the lengths: len_chosen and
// len_rejected, else the characters of the chosen and rejected texts. A reward that is null
// or not finite is a bad row.
func ReadScores(file string, cfg ReadConfig) ([]Scored, Counts, error) {
	var counts Counts
	rows, err := readScores(file, cfg, &counts)
	if err != nil {
		return nil, counts, fmt.Errorf("read scores %s: %w", file, err)
	}
	return rows, counts, nil
}

func readScores(file string, cfg ReadConfig, counts *Counts) ([]Scored, error) {
	skip, err := cfg.Skips()
	if err != nil {
		return nil, err
	}
	src, err := openSource(file)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	fields := newScoredFields()
	if err := fields.find(src, cfg); err != nil {
		return nil, err
	}
	var rows []Scored
	for {
		place, bad, err := src.Next()
		if err == io.EOF {
			return rows, someKept(counts)
		}
		if err != nil {
			return nil, err
		}
		scored := Scored{Row: place}
		if bad == nil {
			bad = fields.read(&scored)
		}
		if bad == nil {
			counts.keep()
			rows = append(rows, scored)
			continue
		}
		counts.skip(bad.Reason)
		if !skip {
			return nil, fmt.Errorf("%w; fix it, or leave such rows out: --on-bad-row skip (train: --set data.on_bad_row=skip)", bad.at(file, src.Unit(), place))
		}
	}
}

func someKept(counts *Counts) error {
	switch {
	case counts.Read == 0:
		return errNoRows
	case counts.Kept == 0:
		return fmt.Errorf("%w: %d (%s)", ErrAllSkipped, counts.Read, counts.Reasons())
	}
	return nil
}

// scoredFields are what a row of scores is read from: those of a pair, and the
// rewards and lengths. What rewards do not need of a pair is not read.
type scoredFields struct {
	*pairFields
	rewardChosen, rewardRejected, lenChosen, lenRejected *Field
}

func newScoredFields() *scoredFields {
	return &scoredFields{
		pairFields:     newPairFields(),
		rewardChosen:   &Field{Name: "reward_chosen", Holds: HoldsNumber},
		rewardRejected: &Field{Name: "reward_rejected", Holds: HoldsNumber},
		lenChosen:      &Field{Name: "len_chosen", Holds: HoldsNumber},
		lenRejected:    &Field{Name: "len_rejected", Holds: HoldsNumber},
	}
}

// find finds the columns; texts are read only for their lengths, and to know
// which rows are of one prompt.
func (s *scoredFields) find(src Source, cfg ReadConfig) error {
	fields := append([]*Field{s.rewardChosen, s.rewardRejected, s.lenChosen, s.lenRejected}, s.all()...)
	if err := Resolve(fields, cfg.Columns, src); err != nil {
		return err
	}
	if err := Require(fields[:2], src, "reward_chosen and reward_rejected, as laurel score writes them for pairs"); err != nil {
		return err
	}
	texts := HasColumns(src, s.chosen, s.rejected)
	s.choose(false)
	s.Promptless = true
	Drop(s.voteShare, s.margin, s.scoreChosen, s.scoreRejected)
	if s.lenChosen.Column != "" || !texts {
		Drop(s.chosen, s.rejected)
	}
	if err := CheckTypes(fields, src); err != nil {
		return err
	}
	if err := s.Alike(); err != nil {
		return err
	}
	return src.Choose(fields)
}

func (s *scoredFields) read(out *Scored) (bad *Problem) {
	if out.RewardChosen, bad = reward(s.rewardChosen); bad != nil {
		return bad
	}
	if out.RewardRejected, bad = reward(s.rewardRejected); bad != nil {
		return bad
	}
	if out.Confidence, bad = s.confidence.Number(1); bad != nil {
		return bad
	}
	if bad := outsideUnit(out.Confidence, s.confidence.Column); bad != nil {
		return bad
	}
	if bad := Words(Word{s.subset, &out.Subset}, Word{s.id, &out.ID}); bad != nil {
		return bad
	}
	return s.lengths(out)
}

func reward(f *Field) (float64, *Problem) {
	reward, bad := f.Number(math.NaN())
	switch {
	case bad != nil:
	case f.Cell.Kind != CellNumber:
		bad = f.Problem(ReasonReward, "the reward is null")
	case math.IsNaN(reward) || math.IsInf(reward, 0):
		bad = f.Problem(ReasonReward, "the reward is %v: it must be finite", reward)
	}
	return reward, bad
}

func (s *scoredFields) lengths(out *Scored) (bad *Problem) {
	if s.chosen.There() {
		prompt, chosen, rejected, bad := s.Read()
		out.Prompt = PromptKey(prompt)
		out.LenChosen, out.LenRejected = float64(chosen.Chars()), float64(rejected.Chars())
		return bad
	}
	if c := &s.prompt.Cell; c.Kind == CellText {
		out.Prompt = PromptKey(Text{Plain: c.Text})
	}
	if out.LenChosen, bad = s.lenChosen.Number(-1); bad != nil {
		return bad
	}
	out.LenRejected, bad = s.lenRejected.Number(-1)
	return bad
}
