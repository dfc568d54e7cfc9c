package labels

import (
	"io"
	"math"

	"laurel/data"
)

// Gold is what people, or another judge, make of a comparison.
type Gold struct {
	ID         string       // empty where the file has none
	Text       data.TextKey // zero where the file has no texts
	Swapped    data.TextKey // of the same responses the other way round
	Side       Side         // Neither is a tie
	VoteShareA float64      // share of the votes for A; NaN where the file has none
	Kind       string       // human, ai, or empty
	AI         Side         // another judge's label, where HasAI
	HasAI      bool
	// Votes for a, b and tie, one each of the people asked; none where the file
	// does not count them.
	Votes [3]int
}

// goldFields are what gold is read from.
type goldFields struct {
	data.Dialogue
	id, gold, label, voteShareA, kind, aiLabel *data.Field
	votes                                      [3]*data.Field // for a, b and tie
}

func newGoldFields() *goldFields {
	votes := func(name string) *data.Field {
		return &data.Field{Name: name, Holds: data.HoldsNumber, Optional: true}
	}
	return &goldFields{
		Dialogue:   data.Dialogue{Prompt: &data.Field{Name: "prompt", Optional: true}, A: &data.Field{Name: "response_a"}, B: &data.Field{Name: "response_b"}},
		id:         &data.Field{Name: "id", Holds: data.HoldsName, Optional: true},
		gold:       &data.Field{Name: "gold", Holds: data.HoldsSide},
		label:      &data.Field{Name: "label", Holds: data.HoldsSide},
		voteShareA: &data.Field{Name: "vote_share_a", Holds: data.HoldsNumber, Optional: true},
		kind:       &data.Field{Name: "gold_kind", Holds: data.HoldsName, Optional: true},
		aiLabel:    &data.Field{Name: "ai_label", Holds: data.HoldsSide, Optional: true},
		votes:      [3]*data.Field{votes("votes_a"), votes("votes_b"), votes("votes_tie")},
	}
}

func (g *goldFields) all() []*data.Field {
	return []*data.Field{g.id, g.gold, g.label, g.Prompt, g.A, g.B, g.voteShareA, g.kind, g.aiLabel, g.votes[0], g.votes[1], g.votes[2]}
}

// ReadGold reads a file of gold: gold or label (a, b or tie) with an id, or
// with prompt, response_a and response_b, and where they are there
// vote_share_a, gold_kind, ai_label and votes_a, votes_b, votes_tie. An id
// given twice is a bad row.
func ReadGold(file string, cfg data.ReadConfig) ([]Gold, data.Counts, error) {
	fields := newGoldFields()
	r, err := data.OpenRows("gold", file, cfg, nil, fields.find)
	if err != nil {
		return nil, data.Counts{}, err
	}
	defer r.Close()
	var rows []Gold
	seen := map[string]int{}
	for {
		var g Gold
		place, err := r.Next(func() (bad *data.Problem) {
			if g, bad = fields.read(); bad != nil || g.ID == "" {
				return bad
			}
			if first, again := seen[g.ID]; again {
				return fields.id.Problem(data.ReasonDuplicateID, "the id %q was given before, to %s %d", data.Clip(g.ID, 40), r.Unit(), first)
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

// find takes gold for label where the file has both.
func (g *goldFields) find(src data.Source, cfg data.ReadConfig) ([]*data.Field, error) {
	fields := g.all()
	if err := data.Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	if !data.HasColumns(src, g.gold) {
		g.gold.Column = g.label.Column
	}
	data.Drop(g.label)
	need := []*data.Field{g.gold}
	if !data.HasColumns(src, g.Fields()...) {
		data.Drop(g.Fields()...)
		need = append(need, g.id)
	}
	if err := data.Require(need, src, "gold is an id, or prompt, response_a and response_b, with gold or label (a, b or tie)"); err != nil {
		return nil, err
	}
	if err := data.CheckTypes(fields, src); err != nil {
		return nil, err
	}
	return fields, g.Alike()
}

func (g *goldFields) read() (out Gold, bad *data.Problem) {
	var given bool
	if out.Side, given, bad = sideOf(g.gold); bad != nil {
		return out, bad
	}
	if !given {
		return out, g.gold.Problem(data.ReasonLabel, "no label where a, b or tie should be")
	}
	if out.AI, out.HasAI, bad = sideOf(g.aiLabel); bad != nil {
		return out, bad
	}
	if bad = data.Words(data.Word{Field: g.id, Into: &out.ID}, data.Word{Field: g.kind, Into: &out.Kind}); bad != nil {
		return out, bad
	}
	if g.A.There() {
		prompt, a, b, bad := g.Read()
		if bad != nil {
			return out, bad
		}
		out.Text, out.Swapped = data.KeyOf(prompt, a, b), data.KeyOf(prompt, b, a)
	} else if out.ID == "" {
		return out, g.id.Problem(data.ReasonNullText, "no id, and the file has no texts to know the comparison by")
	}
	return out, g.readVotes(&out)
}

// sideOf reads a, b or tie; given is false for null and for no such column.
func sideOf(f *data.Field) (side Side, given bool, bad *data.Problem) {
	word, given, bad := f.Side()
	if word == "tie" {
		return Neither, given, bad
	}
	return Side(word), given, bad
}

// readVotes reads the share of the votes, or takes it from their counts.
func (g *goldFields) readVotes(out *Gold) (bad *data.Problem) {
	if out.VoteShareA, bad = g.voteShareA.Share(); bad != nil {
		return bad
	}
	sum := 0
	for i, f := range g.votes {
		votes, bad := f.Number(0)
		if bad != nil {
			return bad
		}
		if votes != math.Trunc(votes) || votes < 0 || votes > 1e9 {
			return f.Problem(data.ReasonVoteShare, "%v is no number of votes", votes)
		}
		out.Votes[i] = int(votes)
		sum += int(votes)
	}
	if math.IsNaN(out.VoteShareA) && sum > 0 {
		out.VoteShareA = (float64(out.Votes[0]) + float64(out.Votes[2])/2) / float64(sum)
	}
	return nil
}
