package sweep

import (
	"laurel/eval/stats"
	"laurel/labels"
)

// Decides is what a principle alone decides: of the labels as they were, those that
// without it are for the other side, or none.
type Decides struct {
	Labels stats.Share `json:"share"`
	Flips  int         `json:"flips"` // without it, the other side
	Ties   int         `json:"ties"`  // without it, even votes, or no vote at all
	// Below counts labels that without it are below a threshold, or that fewer
	// judges share than must.
	Below     int          `json:"below_threshold"`
	Alone     int          `json:"alone"`          // no other principle decides them too
	Agreement *stats.Share `json:"gold,omitempty"` // of the labels that it decides
}

// Deciding counts the labels by how many principles each decide them.
type Deciding struct {
	None    stats.Share `json:"none"` // without any one principle the label is the same
	One     stats.Share `json:"one"`
	Several stats.Share `json:"several"`
}

// decided says of each comparison which principles decide it, by their number.
func (s *Set) decided(without [][]outcome) [][]int {
	out := make([][]int, len(s.rows))
	for i := range s.rows {
		side := s.rows[i].base.side
		if side == labels.Neither {
			continue
		}
		for p := range without {
			if without[p][i].side != side {
				out[i] = append(out[i], p)
			}
		}
	}
	return out
}

// decides is what the principle decides; without has the outcomes without it.
func (s *Set) decides(principle int, without []outcome, decided [][]int) Decides {
	var d Decides
	var share, agree stats.Trials
	for i := range s.rows {
		r := &s.rows[i]
		if r.base.side == labels.Neither {
			continue
		}
		is := without[i].side != r.base.side
		share.Add(r.prompt, stats.Indicator(is), 1)
		if !is {
			continue
		}
		d.count(without[i])
		if len(decided[i]) == 1 {
			d.Alone++
		}
		if r.gold != labels.Neither {
			agree.Add(r.prompt, stats.Indicator(r.base.side == r.gold), 1)
		}
	}
	d.Labels = share.Share()
	if s.gold {
		of := agree.Share()
		d.Agreement = &of
	}
	return d
}

func (d *Decides) count(without outcome) {
	switch {
	case without.side != labels.Neither:
		d.Flips++
	case without.reason == labels.AbstainConfidence, without.reason == labels.AbstainVoteShare, without.reason == labels.AbstainJudges:
		d.Below++
	default:
		d.Ties++
	}
}

func (s *Set) deciding(decided [][]int) Deciding {
	var by [3]stats.Trials
	for i := range s.rows {
		if s.rows[i].base.side == labels.Neither {
			continue
		}
		for n := range by {
			by[n].Add(s.rows[i].prompt, stats.Indicator(min(len(decided[i]), 2) == n), 1)
		}
	}
	return Deciding{by[0].Share(), by[1].Share(), by[2].Share()}
}

// Decision is a comparison with what decides it.
type Decision struct {
	ID         string                 `json:"id"`
	Label      labels.Side            `json:"label"`      // empty: abstained
	Confidence stats.Value            `json:"confidence"` // null: no votes for a side
	Reason     labels.Abstention      `json:"reason,omitempty"`
	DecidedBy  []string               `json:"decided_by"`
	Says       map[string]labels.Side `json:"principles"` // what the judges' votes under each come to
}

// decision is that of a comparison.
func (s *Set) decision(i int, decided []int) Decision {
	r := &s.rows[i]
	d := Decision{ID: r.id, Label: r.base.side, Confidence: stats.Value(r.base.confidence), Reason: r.base.reason, DecidedBy: []string{}, Says: map[string]labels.Side{}}
	names := s.names()
	for _, p := range decided {
		d.DecidedBy = append(d.DecidedBy, names[p])
	}
	if len(r.votes) > 0 {
		for p, name := range names {
			d.Says[name] = sideOf(s.say(r, p))
		}
	}
	return d
}

func sideOf(say float64) labels.Side {
	switch {
	case say > 0:
		return labels.SideA
	case say < 0:
		return labels.SideB
	}
	return labels.Neither
}
