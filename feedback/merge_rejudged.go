package feedback

import (
	"fmt"

	"laurel/data"
	"laurel/labels"
)

// rejudged are the labels of judges asked anew, by id.
func (m *Merging) rejudged() (map[string]labels.Label, error) {
	anew := map[string]labels.Label{}
	for _, all := range m.Rejudged {
		for l, err := range all {
			if err != nil {
				return nil, err
			}
			if first, again := anew[l.ID]; again {
				return nil, fmt.Errorf("%s row %d: the comparison %q was judged again in %s too: merge one of the two", l.File, l.Row, data.Clip(l.ID, 40), first.File)
			}
			anew[l.ID] = l
		}
	}
	return anew, nil
}

// replace is a label with the verdict of a judge asked anew, and what both cost.
func (r *Rejudged) replace(l, by labels.Label) (labels.Label, error) {
	if data.KeyOf(l.Prompt, l.A, l.B) != data.KeyOf(by.Prompt, by.A, by.B) {
		return l, fmt.Errorf("%s row %d: the texts of %q are not those of this id in the labels", by.File, by.Row, data.Clip(l.ID, 40))
	}
	r.Judged++
	merged := l
	merged.Requests, merged.Cost = l.Requests+by.Requests, l.Cost+by.Cost
	merged.PromptTokens, merged.CompletionTokens = l.PromptTokens+by.PromptTokens, l.CompletionTokens+by.CompletionTokens
	if by.Reason == labels.AbstainFailed || by.Reason == labels.AbstainUnparseable {
		r.Unanswered++
		return merged, nil
	}
	merged.Verdict, merged.Judge, merged.AFirst, merged.BFirst = by.Verdict, by.Judge, by.AFirst, by.BFirst
	switch {
	case l.Side == by.Side && l.Side == labels.Neither:
		r.StillOpen++
	case l.Side == by.Side:
		r.Confirmed++
	case l.Side == labels.Neither:
		r.Decided++
	case by.Side == labels.Neither:
		r.Withdrawn++
	default:
		r.Overturned++
	}
	return merged, nil
}
