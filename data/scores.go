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
	skip, err := cfg.skips()
	if err != nil {
		return nil, err
	}
	src, err := openSource(file)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	s, err := findScores(src, cfg.Columns)
	if err != nil {
		return nil, err
	}
	var rows []Scored
	var r row
	for {
		place, bad, err := src.next(&r)
		if err == io.EOF {
			return rows, someKept(counts)
		}
		if err != nil {
			return nil, err
		}
		scored := Scored{Row: place}
		if bad == nil {
			bad = s.scored(&r, &scored)
		}
		if bad == nil {
			counts.keep()
			rows = append(rows, scored)
			continue
		}
		counts.skip(bad.reason)
		if !skip {
			return nil, fmt.Errorf("%w; mend it, or set data.on_bad_row: skip to leave such rows out", bad.at(file, src.unit(), place))
		}
	}
}

func someKept(counts *Counts) error {
	switch {
	case counts.Read == 0:
		return errNoRows
	case counts.Kept == 0:
		return fmt.Errorf("%w: %d (%s)", ErrAllSkipped, counts.Read, counts.reasons())
	}
	return nil
}

// findScores finds the columns; texts are read only for their lengths, and to
// know which rows are of one prompt.
func findScores(src source, mapping map[string]string) (*shape, error) {
	n, err := resolve(mapping, append([]field{fieldRewardChosen, fieldRewardRejected, fieldLenChosen, fieldLenRejected}, pairFields...), src)
	if err != nil {
		return nil, err
	}
	if err := missingColumns(n, []field{fieldRewardChosen, fieldRewardRejected}, src, "reward_chosen and reward_rejected, as laurel score writes them for pairs"); err != nil {
		return nil, err
	}
	s := &shape{names: n}
	s.drop(fieldResponseA, fieldResponseB, fieldLabel, fieldVoteShareA, fieldVoteShare, fieldMargin, fieldScoreChosen, fieldScoreRejected)
	_, chosen := findColumn(src, n[fieldChosen])
	_, rejected := findColumn(src, n[fieldRejected])
	if n[fieldLenChosen] != "" || !chosen || !rejected {
		s.drop(fieldChosen, fieldRejected)
	}
	if err := s.types(src); err != nil {
		return nil, err
	}
	return s, src.choose(s.names)
}

func (s *shape) scored(r *row, out *Scored) (bad *problem) {
	if out.RewardChosen, bad = s.reward(r, fieldRewardChosen); bad != nil {
		return bad
	}
	if out.RewardRejected, bad = s.reward(r, fieldRewardRejected); bad != nil {
		return bad
	}
	if out.Confidence, bad = s.number(r, fieldConfidence, 1); bad != nil {
		return bad
	}
	if bad := outsideUnit(out.Confidence, s.names[fieldConfidence]); bad != nil {
		return bad
	}
	var labels Pair
	if bad := s.labels(r, &labels); bad != nil {
		return bad
	}
	out.ID, out.Subset = labels.ID, labels.Subset
	return s.lengths(r, out)
}

func (s *shape) reward(r *row, f field) (float64, *problem) {
	reward, bad := s.number(r, f, math.NaN())
	switch {
	case bad != nil:
	case r[f].kind != cellNumber:
		bad = &problem{ReasonReward, s.names[f], "the reward is null"}
	case math.IsNaN(reward) || math.IsInf(reward, 0):
		bad = &problem{ReasonReward, s.names[f], fmt.Sprintf("the reward is %v: it must be finite", reward)}
	}
	return reward, bad
}

func (s *shape) lengths(r *row, out *Scored) (bad *problem) {
	if s.has(fieldChosen) {
		prompt, chosen, rejected, bad := s.dialogue(r)
		out.Prompt = PromptKey(prompt)
		out.LenChosen, out.LenRejected = float64(chosen.Chars()), float64(rejected.Chars())
		return bad
	}
	if c := &r[fieldPrompt]; c.kind == cellText {
		out.Prompt = PromptKey(Text{Plain: c.text})
	}
	if out.LenChosen, bad = s.number(r, fieldLenChosen, -1); bad != nil {
		return bad
	}
	out.LenRejected, bad = s.number(r, fieldLenRejected, -1)
	return bad
}
