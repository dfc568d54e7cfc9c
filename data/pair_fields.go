package data

import "fmt"

// pairFields are what a pair is read from: two responses of which the file
// says which is chosen, or two and a label.
type pairFields struct {
	prompt, chosen, rejected               *Field
	responseA, responseB, label            *Field
	voteShareA                             *Field
	confidence, margin, voteShare          *Field
	subset, id, scoreChosen, scoreRejected *Field

	context *ContextFields

	Dialogue      // of the fields that the file has
	labelled bool // response_a, response_b and a label
}

func newPairFields() *pairFields {
	return &pairFields{
		prompt:        &Field{Name: "prompt", Optional: true},
		chosen:        &Field{Name: "chosen"},
		rejected:      &Field{Name: "rejected"},
		responseA:     &Field{Name: "response_a"},
		responseB:     &Field{Name: "response_b"},
		label:         &Field{Name: "label", Holds: HoldsSide},
		voteShareA:    &Field{Name: "vote_share_a", Holds: HoldsNumber, Optional: true},
		confidence:    &Field{Name: "confidence", Holds: HoldsNumber, Optional: true},
		margin:        &Field{Name: "margin", Holds: HoldsNumber, Optional: true},
		voteShare:     &Field{Name: "vote_share", Holds: HoldsNumber, Optional: true},
		subset:        &Field{Name: "subset", Holds: HoldsName, Optional: true},
		id:            &Field{Name: "id", Holds: HoldsName, Optional: true},
		context:       NewContextFields(),
		scoreChosen:   &Field{Name: "score_chosen", Holds: HoldsNumber, Mapped: true},
		scoreRejected: &Field{Name: "score_rejected", Holds: HoldsNumber, Mapped: true},
	}
}

func (p *pairFields) all() []*Field {
	return append([]*Field{p.prompt, p.chosen, p.rejected, p.responseA, p.responseB, p.label, p.voteShareA,
		p.confidence, p.margin, p.voteShare, p.subset, p.id, p.scoreChosen, p.scoreRejected}, p.context.Fields()...)
}

// find finds the columns of a file of pairs, and all that is wrong with them.
func (p *pairFields) find(src Source, mapping map[string]string) ([]*Field, error) {
	fields := p.all()
	if err := Resolve(fields, mapping, src); err != nil {
		return nil, err
	}
	p.choose(p.chosen.Column == "" && p.rejected.Column == "" && (p.responseA.Column != "" || p.responseB.Column != ""))
	need := []*Field{p.chosen, p.rejected}
	if p.labelled {
		need = []*Field{p.prompt, p.responseA, p.responseB, p.label}
	}
	if err := Require(need, src, "pairs are chosen and rejected, or prompt, response_a, response_b and label"); err != nil {
		return nil, err
	}
	if err := CheckTypes(fields, src); err != nil {
		return nil, err
	}
	return fields, p.Alike()
}

// choose keeps the fields of one of the two layouts.
func (p *pairFields) choose(labelled bool) {
	p.labelled, p.Dialogue = labelled, Dialogue{p.prompt, p.chosen, p.rejected, p.context}
	if labelled {
		p.Dialogue = Dialogue{p.prompt, p.responseA, p.responseB, p.context}
		Drop(p.chosen, p.rejected)
		return
	}
	Drop(p.responseA, p.responseB, p.label, p.voteShareA)
}

// String names the format, for reports.
func (p *pairFields) String() string {
	if p.labelled {
		return fmt.Sprintf("labelled comparisons (response_a/response_b/label), %s", responsesFormat(&p.Dialogue))
	}
	return p.Dialogue.String()
}
