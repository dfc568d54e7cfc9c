package audit

import (
	"math"

	"laurel/data"
	"laurel/labels"
)

// GoldMatch says which rows met: labels and gold are joined by id, and where
// that fails by the texts, either way round.
type GoldMatch struct {
	GoldRows      int `json:"gold_rows"`
	Matched       int `json:"matched"`        // labels with gold
	ByText        int `json:"by_text"`        // of them, not by id
	Swapped       int `json:"swapped"`        // of them, the responses the other way round
	TextsDiffer   int `json:"texts_differ"`   // labels whose id has gold of other texts: not matched by it
	LabelsWithout int `json:"labels_without"` // labels without gold
	GoldWithout   int `json:"gold_without"`   // gold rows without a label
}

// GoldIndex finds the gold of a label.
type GoldIndex struct {
	rows   []labels.Gold
	byID   map[string]int
	byText map[data.TextKey]int
	used   []bool
	match  GoldMatch
}

// IndexGold readies rows of gold, of which the first of equal texts counts.
func IndexGold(rows []labels.Gold) *GoldIndex {
	g := &GoldIndex{rows: rows, byID: map[string]int{}, byText: map[data.TextKey]int{}, used: make([]bool, len(rows))}
	for i, row := range rows {
		if row.ID != "" {
			g.byID[row.ID] = i
		}
		if row.Text != (data.TextKey{}) {
			if _, there := g.byText[row.Text]; !there { // the first of equal texts
				g.byText[row.Text] = i
			}
		}
	}
	g.match.GoldRows = len(rows)
	return g
}

// Of is the gold of a comparison, as of its own a and b; nil where there is
// none.
func (g *GoldIndex) Of(c *data.Comparison) *labels.Gold {
	text := data.KeyOf(c.Prompt, c.A, c.B)
	at, swapped, ok := g.byItsID(c.ID, text)
	if !ok {
		if at, swapped, ok = g.byItsText(c, text); ok {
			g.match.ByText++
		}
	}
	if !ok {
		g.match.LabelsWithout++
		return nil
	}
	g.match.Matched++
	g.used[at] = true
	row := g.rows[at]
	if swapped {
		g.match.Swapped++
		row = turned(row)
	}
	return &row
}

// byItsID refuses a row of the id whose texts are others.
func (g *GoldIndex) byItsID(id string, text data.TextKey) (at int, swapped, ok bool) {
	at, ok = g.byID[id]
	if !ok {
		return 0, false, false
	}
	switch row := g.rows[at]; {
	case row.Text == (data.TextKey{}), row.Text == text:
		return at, false, true
	case row.Swapped == text:
		return at, true, true
	}
	g.match.TextsDiffer++
	return 0, false, false
}

func (g *GoldIndex) byItsText(c *data.Comparison, text data.TextKey) (at int, swapped, ok bool) {
	if at, ok = g.byText[text]; ok {
		return at, false, true
	}
	at, ok = g.byText[data.KeyOf(c.Prompt, c.B, c.A)]
	return at, true, ok
}

// Matched is how the rows met, once all labels were looked up.
func (g *GoldIndex) Matched() GoldMatch {
	m := g.match
	for _, used := range g.used {
		if !used {
			m.GoldWithout++
		}
	}
	return m
}

// turned is gold for the responses the other way round.
func turned(g labels.Gold) labels.Gold {
	g.Side, g.AI = otherSide(g.Side), otherSide(g.AI)
	g.VoteShareA = 1 - g.VoteShareA
	g.Votes[0], g.Votes[1] = g.Votes[1], g.Votes[0]
	g.Text, g.Swapped = g.Swapped, g.Text
	return g
}

func otherSide(s labels.Side) labels.Side {
	switch s {
	case labels.SideA:
		return labels.SideB
	case labels.SideB:
		return labels.SideA
	}
	return labels.Neither
}

// clarity says how sure the gold itself is, where it counts votes.
func clarity(g *labels.Gold) string {
	share := math.Max(g.VoteShareA, 1-g.VoteShareA)
	switch {
	case g.Side == labels.Neither:
		return "tie"
	case math.IsNaN(share):
		return "votes not known"
	case share == 1:
		return "unanimous"
	case share >= 0.9:
		return "share of votes 0.9 or more"
	case share >= 2.0/3-1e-9:
		return "share of votes 2/3 or more"
	}
	return "share of votes below 2/3"
}
