package audit

import (
	"cmp"
	"fmt"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/labels"
)

// Disputed is a comparison to look at: its label is not gold's, or its votes do
// not agree.
type Disputed struct {
	ID         string      `json:"id"`
	Label      labels.Side `json:"label"`      // empty: abstained
	Gold       labels.Side `json:"gold"`       // empty: none, or a tie
	Confidence stats.Value `json:"confidence"` // of the label
	ForA       float64     `json:"weight_a"`   // of the votes for a
	ForB       float64     `json:"weight_b"`

	order int // of appearance
	texts []draw.Passage
}

// maxDisputed bounds the report, which holds their texts.
const maxDisputed = 10

// disputes keep the most disputed comparisons with their texts, and of others
// nothing.
type disputes struct {
	seen               int
	againstGold, split []Disputed
}

func (d *disputes) add(l *labels.Label, gold *labels.Gold) {
	d.seen++
	one := Disputed{ID: l.ID, Label: l.Side, Confidence: stats.Value(l.Confidence), order: d.seen}
	for _, v := range l.Votes {
		switch v.Side {
		case labels.SideA:
			one.ForA += v.Weight
		case labels.SideB:
			one.ForB += v.Weight
		}
	}
	if gold != nil {
		one.Gold = gold.Side
	}
	if one.Label != labels.Neither && one.Gold != labels.Neither && one.Label != one.Gold {
		d.againstGold = keepMost(d.againstGold, one, l, func(x Disputed) float64 { return float64(x.Confidence) })
	}
	if one.split() > 0 {
		d.split = keepMost(d.split, one, l, Disputed.split)
	}
}

// split is the share of the weight of votes that is for the side of less: one
// half where they are even.
func (d Disputed) split() float64 {
	return float64(stats.Over(min(d.ForA, d.ForB), d.ForA+d.ForB))
}

// keepMost keeps the first maxDisputed by measure, of equal ones the earliest.
func keepMost(kept []Disputed, one Disputed, l *labels.Label, measure func(Disputed) float64) []Disputed {
	at, _ := slices.BinarySearchFunc(kept, one, func(x, y Disputed) int {
		return cmp.Or(cmp.Compare(measure(y), measure(x)), cmp.Compare(x.order, y.order))
	})
	if at == maxDisputed {
		return kept
	}
	one.texts = []draw.Passage{{Name: "prompt", Text: draw.Words(l.Prompt)},
		{Name: one.named("response a", labels.SideA), Text: draw.Words(l.A)}, {Name: one.named("response b", labels.SideB), Text: draw.Words(l.B)}}
	kept = slices.Insert(kept, at, one)
	return kept[:min(len(kept), maxDisputed)]
}

// named says what label and gold make of a response.
func (d Disputed) named(response string, side labels.Side) string {
	if d.Label == side {
		response += ", the label"
	}
	if d.Gold == side {
		response += ", gold"
	}
	return response
}

// disputedSections show the comparisons with their texts.
func (r *Report) disputedSections() (out []draw.Section) {
	for _, s := range []struct {
		title, note string
		disputed    []Disputed
	}{
		{"Labels against gold", "The most confident labels for the side that gold does not name. Gold is wrong at times: read both.", r.AgainstGold},
		{"Split votes", "Comparisons whose votes are the least of one mind.", r.SplitVotes},
	} {
		if len(s.disputed) == 0 {
			continue
		}
		section := draw.Section{Title: s.title, Note: s.note}
		for _, d := range s.disputed {
			section.Examples = append(section.Examples, draw.Example{Title: draw.Label(d.ID, 80), Note: d.verdict(), Texts: d.texts})
		}
		out = append(out, section)
	}
	return out
}

func (d Disputed) verdict() string {
	said := "abstained"
	if d.Label != labels.Neither {
		said = fmt.Sprintf("label %s, confidence %v", d.Label, d.Confidence)
	}
	if d.Gold != labels.Neither {
		said += fmt.Sprintf("; gold %s", d.Gold)
	}
	return fmt.Sprintf("%s; weight of the votes: a %v, b %v", said, stats.Value(d.ForA), stats.Value(d.ForB))
}
