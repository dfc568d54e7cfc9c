package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// Gold is what people, or another judge, make of a comparison.
type Gold struct {
	ID         string  // empty where the file has none
	Text       TextKey // zero where the file has no texts
	Swapped    TextKey // of the same responses the other way round
	Side       Side    // Neither is a tie
	VoteShareA float64 // share of the votes for A; NaN where the file has none
	Kind       string  // human, ai, or empty
	AI         Side    // another judge's label, where HasAI
	HasAI      bool
	// Votes for a, b and tie, one each of the people asked; none where the file
	// does not count them.
	Votes [3]int
}

// TextKey stands for a prompt and two responses, in their order.
type TextKey [16]byte

// KeyOf hashes the texts, roles and lengths included.
func KeyOf(prompt, a, b Text) TextKey {
	h := sha256.New()
	put := func(s string) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		io.WriteString(h, s)
	}
	for _, t := range []Text{prompt, a, b} {
		put(t.Plain)
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(t.Messages))))
		for _, m := range t.Messages {
			put(m.Role)
			put(m.Content)
		}
	}
	return TextKey(h.Sum(nil)[:16])
}

// PromptKey stands for a prompt: 0 for none, and for two prompts alike only
// where they are the same.
func PromptKey(prompt Text) uint64 {
	if prompt.Plain == "" && len(prompt.Messages) == 0 {
		return 0
	}
	key := KeyOf(prompt, Text{}, Text{})
	return max(1, binary.LittleEndian.Uint64(key[:]))
}

var goldFields = []field{fieldID, fieldGold, fieldLabel, fieldPrompt, fieldResponseA, fieldResponseB,
	fieldVoteShareA, fieldGoldKind, fieldAILabel, fieldVotesA, fieldVotesB, fieldVotesTie}

// ReadGold reads a file of gold: gold or label (a, b or tie) with an id, or
// with prompt, response_a and response_b, and where they are there
// vote_share_a, gold_kind, ai_label and votes_a, votes_b, votes_tie. An id
// given twice is a bad row.
func ReadGold(file string, cfg ReadConfig) ([]Gold, Counts, error) {
	r := rowReader{what: "gold", file: file}
	if err := r.open(cfg, findGold); err != nil {
		return nil, Counts{}, r.fail(err)
	}
	defer r.Close()
	var rows []Gold
	seen := map[string]int{}
	for {
		var g Gold
		place, err := r.next(func(row *row) (bad *problem) {
			if g, bad = r.shape.gold(row); bad != nil || g.ID == "" {
				return bad
			}
			if first, again := seen[g.ID]; again {
				return &problem{ReasonDuplicateID, r.shape.names[fieldID], fmt.Sprintf("the id %q was given before, to %s %d", clip([]byte(g.ID), 40), r.src.unit(), first)}
			}
			return nil
		})
		if err == io.EOF {
			return rows, r.Counts(), nil
		}
		if err != nil {
			return nil, r.Counts(), err
		}
		if g.ID != "" {
			seen[g.ID] = place
		}
		rows = append(rows, g)
	}
}

// findGold takes gold for label where the file has both.
func findGold(src source, mapping map[string]string) (shape, error) {
	n, err := resolve(mapping, goldFields, src)
	if err != nil {
		return shape{}, err
	}
	there := func(fields ...field) bool {
		for _, f := range fields {
			if _, ok := findColumn(src, n[f]); !ok {
				return false
			}
		}
		return true
	}
	s := shape{names: n, labelled: true}
	if !there(fieldGold) {
		s.names[fieldGold] = n[fieldLabel]
	}
	s.drop(fieldLabel)
	texts := there(fieldPrompt, fieldResponseA, fieldResponseB)
	if !texts {
		s.drop(fieldPrompt, fieldResponseA, fieldResponseB)
	}
	const layout = "gold is an id, or prompt, response_a and response_b, with gold or label (a, b or tie)"
	need := []field{fieldGold}
	if !texts {
		need = append(need, fieldID)
	}
	if err := missingColumns(s.names, need, src, layout); err != nil {
		return shape{}, err
	}
	return s, s.types(src)
}

func (s *shape) gold(r *row) (g Gold, bad *problem) {
	if g.Side, _, bad = s.goldSide(r, fieldGold); bad != nil {
		return g, bad
	}
	if r[fieldGold].kind == cellNull || r[fieldGold].kind == cellMissing {
		return g, &problem{ReasonLabel, s.names[fieldGold], "no label where a, b or tie should be"}
	}
	if g.AI, g.HasAI, bad = s.goldSide(r, fieldAILabel); bad != nil {
		return g, bad
	}
	if g.ID, bad = s.label(r, fieldID); bad != nil {
		return g, bad
	}
	if g.Kind, bad = s.label(r, fieldGoldKind); bad != nil {
		return g, bad
	}
	if s.has(fieldResponseA) {
		prompt, a, b, bad := s.dialogue(r)
		if bad != nil {
			return g, bad
		}
		g.Text, g.Swapped = KeyOf(prompt, a, b), KeyOf(prompt, b, a)
	} else if g.ID == "" {
		return g, &problem{ReasonNullText, s.names[fieldID], "no id, and the file has no texts to know the comparison by"}
	}
	return g, s.goldVotes(r, &g)
}

// goldSide reads a, b or tie; given is false for null and for no such column.
func (s *shape) goldSide(r *row, f field) (side Side, given bool, bad *problem) {
	c := &r[f]
	switch c.kind {
	case cellMissing, cellNull:
		return Neither, false, nil
	case cellText:
		switch word := strings.ToLower(strings.TrimSpace(c.text)); word {
		case string(SideA), string(SideB):
			return Side(word), true, nil
		case "tie":
			return Neither, true, nil
		}
		return Neither, false, &problem{ReasonLabel, s.names[f], fmt.Sprintf("%q where a, b or tie should be", clip([]byte(c.text), 20))}
	}
	return Neither, false, &problem{ReasonLabel, s.names[f], c.describe() + " where a, b or tie should be"}
}

// goldVotes reads the share of the votes, or takes it from their counts.
func (s *shape) goldVotes(r *row, g *Gold) (bad *problem) {
	if g.VoteShareA, bad = s.share(r, fieldVoteShareA); bad != nil {
		return bad
	}
	sum := 0
	for i, f := range []field{fieldVotesA, fieldVotesB, fieldVotesTie} {
		votes, bad := s.number(r, f, 0)
		if bad != nil {
			return bad
		}
		if votes != math.Trunc(votes) || votes < 0 || votes > 1e9 {
			return &problem{ReasonVoteShare, s.names[f], fmt.Sprintf("%v is no number of votes", votes)}
		}
		g.Votes[i] = int(votes)
		sum += int(votes)
	}
	if math.IsNaN(g.VoteShareA) && sum > 0 {
		g.VoteShareA = (float64(g.Votes[0]) + float64(g.Votes[2])/2) / float64(sum)
	}
	return nil
}
