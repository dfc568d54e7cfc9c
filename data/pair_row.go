package data

import (
	"fmt"
	"math"
	"strings"
)

// pair checks a row and makes a pair of it.
func (p *pairFields) pair() (out Pair, bad *Problem) {
	out, swapped, bad := p.texts()
	if bad != nil {
		return out, bad
	}
	if bad := p.responses(out, swapped); bad != nil {
		return out, bad
	}
	if bad := p.numbers(&out, swapped); bad != nil {
		return out, bad
	}
	return out, Words(Word{p.subset, &out.Subset}, Word{p.id, &out.ID})
}

// texts reads prompt, chosen and rejected. Labels decide which is which;
// swapped says that response_b is the chosen one.
func (p *pairFields) texts() (out Pair, swapped bool, bad *Problem) {
	out.Prompt, out.Chosen, out.Rejected, bad = p.Read()
	if bad != nil || !p.labelled {
		return out, false, bad
	}
	if swapped, bad = winner(p.label); swapped {
		out.Chosen, out.Rejected = out.Rejected, out.Chosen
	}
	return out, swapped, bad
}

// winner reads the label: whether b won.
func winner(label *Field) (b bool, bad *Problem) {
	switch side, given, bad := label.Side(); {
	case bad != nil:
		return false, bad
	case label.Cell.Kind == CellMissing:
		return false, label.Problem(ReasonMissingField, "the field is missing")
	case !given:
		return false, label.Problem(ReasonLabel, "null where a, b or tie should be")
	case side == "tie":
		return false, label.Problem(ReasonTie, "a tie: neither response is preferred, so there is no pair")
	default:
		return side == "b", nil
	}
}

// responses checks that both end with the assistant's words, and that they
// differ.
func (p *pairFields) responses(of Pair, swapped bool) *Problem {
	a, b := p.A, p.B
	if swapped {
		a, b = b, a
	}
	if bad := response(of.Chosen, a.Column); bad != nil {
		return bad
	}
	if bad := response(of.Rejected, b.Column); bad != nil {
		return bad
	}
	if of.Chosen.equal(of.Rejected) {
		return b.Problem(ReasonIdentical, "equals %s: nothing is preferred", a.Column)
	}
	return nil
}

func response(t Text, column string) *Problem {
	if m := t.Messages; len(m) > 0 && m[len(m)-1].Role != "assistant" {
		return &Problem{ReasonLastTurn, column, fmt.Sprintf("ends with a %s turn; a response must end with the assistant's", m[len(m)-1].Role)}
	}
	if m := t.Messages; t.blank() || len(m) > 0 && !m[len(m)-1].Says() {
		return &Problem{ReasonEmptyResponse, column, "the response is empty or only white space"}
	}
	return nil
}

// numbers reads confidence, margin and vote share.
func (p *pairFields) numbers(out *Pair, swapped bool) (bad *Problem) {
	if out.VoteShare, bad = p.voteShare.Share(); bad != nil {
		return bad
	}
	sure := 1.0
	if p.labelled && p.voteShareA.There() {
		share, bad := p.voteShareA.Share()
		if bad != nil {
			return bad
		}
		if swapped {
			share = 1 - share
		}
		if out.VoteShare = share; !math.IsNaN(share) {
			sure = share
		}
	}
	if out.Confidence, bad = p.confidence.Number(sure); bad != nil {
		return bad
	}
	if bad := outsideUnit(out.Confidence, p.confidence.Column); bad != nil {
		return bad
	}
	return p.readMargin(out)
}

func (p *pairFields) readMargin(out *Pair) (bad *Problem) {
	if out.Margin, bad = p.margin.Number(0); bad != nil {
		return bad
	}
	from := p.margin
	if p.scoreChosen.There() && p.scoreRejected.There() && p.margin.Cell.Kind != CellNumber {
		from = p.scoreChosen
		if out.Margin, bad = p.scoreDifference(); bad != nil {
			return bad
		}
	}
	if math.IsNaN(out.Margin) || math.IsInf(out.Margin, 0) {
		return from.Problem(ReasonMargin, "the margin is %v: it must be finite", out.Margin)
	}
	switch {
	case out.Margin < 0:
		p.below++
	case out.Margin == 0 && from == p.scoreChosen:
		p.level++
	}
	return nil
}

// inverted says how many rows have numbers that contradict which response is
// chosen, "" where none has.
func (p *pairFields) inverted() string {
	if p.below+p.level == 0 {
		return ""
	}
	said := fmt.Sprintf("%d rows have a margin below 0", p.below)
	if p.scoreChosen.There() && p.scoreRejected.There() {
		said = fmt.Sprintf("%s is below %s in %d rows (a margin below 0), equal or null in %d", p.scoreChosen.Column, p.scoreRejected.Column, p.below, p.level)
	}
	return said + ": which response is chosen goes by the columns all the same"
}

// scoreDifference is 0 where a score is null.
func (p *pairFields) scoreDifference() (float64, *Problem) {
	chosen, bad := p.scoreChosen.Number(0)
	if bad != nil {
		return 0, bad
	}
	rejected, bad := p.scoreRejected.Number(0)
	if bad != nil {
		return 0, bad
	}
	if p.scoreChosen.Cell.Kind != CellNumber || p.scoreRejected.Cell.Kind != CellNumber {
		return 0, nil
	}
	return chosen - rejected, nil
}

func outsideUnit(confidence float64, column string) *Problem {
	switch {
	case math.IsNaN(confidence), math.IsInf(confidence, 0):
		return &Problem{ReasonConfidenceNaN, column, fmt.Sprintf("the confidence is %v: it must be a number in [0, 1]", confidence)}
	case confidence < 0:
		return &Problem{ReasonConfidenceBelow, column, fmt.Sprintf("the confidence %v is negative: it must be in [0, 1]", confidence)}
	case confidence > 1:
		hint := ""
		if confidence > 2 && confidence <= 100 {
			hint = "; it looks like a percentage: divide the column by 100"
		}
		return &Problem{ReasonConfidenceOver, column, fmt.Sprintf("the confidence %v is over 1: it must be in [0, 1]%s", confidence, hint)}
	}
	return nil
}

// blank reports whether there is nothing but white space.
func (t Text) blank() bool {
	if strings.TrimSpace(t.Plain) != "" {
		return false
	}
	for _, m := range t.Messages {
		if m.Says() {
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
