package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// pair checks a row and makes a pair of it.
func (s *shape) pair(r *row) (Pair, *problem) {
	p, swapped, bad := s.texts(r)
	if bad != nil {
		return p, bad
	}
	if bad := s.responses(p, swapped); bad != nil {
		return p, bad
	}
	if bad := s.numbers(r, &p, swapped); bad != nil {
		return p, bad
	}
	return p, s.labels(r, &p)
}

// texts reads prompt, chosen and rejected. Labels decide which is which;
// swapped says that response_b is the chosen one.
func (s *shape) texts(r *row) (p Pair, swapped bool, bad *problem) {
	p.Prompt, p.Chosen, p.Rejected, bad = s.dialogue(r)
	if bad != nil || !s.labelled {
		return p, false, bad
	}
	if swapped, bad = s.winner(r); swapped {
		p.Chosen, p.Rejected = p.Rejected, p.Chosen
	}
	return p, swapped, bad
}

// winner reads the label: whether b won.
func (s *shape) winner(r *row) (b bool, bad *problem) {
	label, name := &r[fieldLabel], s.names[fieldLabel]
	switch label.kind {
	case cellMissing:
		return false, &problem{ReasonMissingField, name, "the field is missing"}
	case cellText:
	default:
		return false, &problem{ReasonLabel, name, label.describe() + " where a, b or tie should be"}
	}
	switch strings.ToLower(strings.TrimSpace(label.text)) {
	case "a":
		return false, nil
	case "b":
		return true, nil
	case "tie":
		return false, &problem{ReasonTie, name, "a tie: neither response is preferred, so there is no pair"}
	}
	return false, &problem{ReasonLabel, name, fmt.Sprintf("%q where a, b or tie should be", clip([]byte(label.text), 20))}
}

// responses checks that both end with the assistant's words, and that they
// differ.
func (s *shape) responses(p Pair, swapped bool) *problem {
	a, b := s.sides()
	if swapped {
		a, b = b, a
	}
	if bad := response(p.Chosen, s.names[a]); bad != nil {
		return bad
	}
	if bad := response(p.Rejected, s.names[b]); bad != nil {
		return bad
	}
	if p.Chosen.equal(p.Rejected) {
		return &problem{ReasonIdentical, s.names[b], fmt.Sprintf("equals %s: nothing is preferred", s.names[a])}
	}
	return nil
}

func response(t Text, column string) *problem {
	if m := t.Messages; len(m) > 0 && m[len(m)-1].Role != "assistant" {
		return &problem{ReasonLastTurn, column, fmt.Sprintf("ends with a %s turn; a response must end with the assistant's", m[len(m)-1].Role)}
	}
	if t.blank() {
		return &problem{ReasonEmptyResponse, column, "the response is empty or only white space"}
	}
	return nil
}

// numbers reads confidence, margin and vote share.
func (s *shape) numbers(r *row, p *Pair, swapped bool) (bad *problem) {
	if p.VoteShare, bad = s.share(r, fieldVoteShare); bad != nil {
		return bad
	}
	sure := 1.0
	if s.labelled && s.has(fieldVoteShareA) {
		share, bad := s.share(r, fieldVoteShareA)
		if bad != nil {
			return bad
		}
		if swapped {
			share = 1 - share
		}
		if p.VoteShare = share; !math.IsNaN(share) {
			sure = share
		}
	}
	if p.Confidence, bad = s.number(r, fieldConfidence, sure); bad != nil {
		return bad
	}
	if bad := outsideUnit(p.Confidence, s.names[fieldConfidence]); bad != nil {
		return bad
	}
	return s.margin(r, p)
}

// share reads a share of votes in [0, 1], NaN where there is none.
func (s *shape) share(r *row, f field) (float64, *problem) {
	share, bad := s.number(r, f, math.NaN())
	if bad == nil && r[f].kind == cellNumber && !(share >= 0 && share <= 1) {
		bad = &problem{ReasonVoteShare, s.names[f], fmt.Sprintf("%v is no share of votes: it must be in [0, 1]", share)}
	}
	return share, bad
}

func (s *shape) margin(r *row, p *Pair) (bad *problem) {
	if p.Margin, bad = s.number(r, fieldMargin, 0); bad != nil {
		return bad
	}
	name := s.names[fieldMargin]
	if s.has(fieldScoreChosen) && s.has(fieldScoreRejected) && r[fieldMargin].kind != cellNumber {
		name = s.names[fieldScoreChosen]
		if p.Margin, bad = s.scoreDifference(r); bad != nil {
			return bad
		}
	}
	if math.IsNaN(p.Margin) || math.IsInf(p.Margin, 0) {
		return &problem{ReasonMargin, name, fmt.Sprintf("the margin is %v: it must be finite", p.Margin)}
	}
	return nil
}

// scoreDifference is 0 where a score is null.
func (s *shape) scoreDifference(r *row) (float64, *problem) {
	chosen, bad := s.number(r, fieldScoreChosen, 0)
	if bad != nil {
		return 0, bad
	}
	rejected, bad := s.number(r, fieldScoreRejected, 0)
	if bad != nil {
		return 0, bad
	}
	if r[fieldScoreChosen].kind != cellNumber || r[fieldScoreRejected].kind != cellNumber {
		return 0, nil
	}
	return chosen - rejected, nil
}

// number reads a number; null and missing give otherwise.
func (s *shape) number(r *row, f field, otherwise float64) (float64, *problem) {
	switch c := &r[f]; c.kind {
	case cellMissing, cellNull:
		return otherwise, nil
	case cellNumber:
		return c.num, nil
	default:
		what := c.describe()
		if c.kind == cellText {
			what = fmt.Sprintf("the text %q", clip([]byte(c.text), 20))
		}
		return 0, &problem{ReasonWrongType, s.names[f], what + " where a number should be"}
	}
}

func outsideUnit(confidence float64, column string) *problem {
	switch {
	case math.IsNaN(confidence), math.IsInf(confidence, 0):
		return &problem{ReasonConfidenceNaN, column, fmt.Sprintf("the confidence is %v: it must be a number in [0, 1]", confidence)}
	case confidence < 0:
		return &problem{ReasonConfidenceBelow, column, fmt.Sprintf("the confidence %v is negative: it must be in [0, 1]", confidence)}
	case confidence > 1:
		hint := ""
		if confidence > 2 && confidence <= 100 {
			hint = "; it looks like a percentage: divide the column by 100"
		}
		return &problem{ReasonConfidenceOver, column, fmt.Sprintf("the confidence %v is over 1: it must be in [0, 1]%s", confidence, hint)}
	}
	return nil
}

// labels reads subset and id.
func (s *shape) labels(r *row, p *Pair) (bad *problem) {
	if p.Subset, bad = s.label(r, fieldSubset); bad != nil {
		return bad
	}
	p.ID, bad = s.label(r, fieldID)
	return bad
}

func (s *shape) label(r *row, f field) (string, *problem) {
	switch c := &r[f]; c.kind {
	case cellMissing, cellNull:
		return "", nil
	case cellText:
		return c.text, characters(c.text, s.names[f])
	case cellNumber:
		if c.text != "" {
			return c.text, nil
		}
		return strconv.FormatFloat(c.num, 'f', -1, 64), nil
	default:
		return "", &problem{ReasonWrongType, s.names[f], c.describe() + " where text should be"}
	}
}

// blank reports whether there is nothing but white space.
func (t Text) blank() bool {
	if strings.TrimSpace(t.Plain) != "" {
		return false
	}
	for _, m := range t.Messages {
		if strings.TrimSpace(m.Content) != "" {
			return false
		}
	}
	return true
}

func (t Text) equal(other Text) bool {
	if t.Plain != other.Plain || len(t.Messages) != len(other.Messages) {
		return false
	}
	for i, m := range t.Messages {
		if m != other.Messages[i] {
			return false
		}
	}
	return true
}
