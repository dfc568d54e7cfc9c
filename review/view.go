package review

import (
	"maps"
	"slices"

	"laurel/labels"
)

// view is what a page is told: how far its annotator has come, and the
// comparison to be answered.
type view struct {
	Annotator string `json:"annotator"`
	Total     int    `json:"total"`
	Answered  int    `json:"answered"`
	Skipped   int    `json:"skipped"`
	Lines     int    `json:"lines"` // what undo must name
	CanUndo   bool   `json:"can_undo"`
	Item      *item  `json:"item"` // null where all are answered
}

// item is a comparison as the page shows it.
type item struct {
	Item    int    `json:"item"`
	Number  int    `json:"number"` // in the annotator's order
	Version int    `json:"version"`
	Did     string `json:"did"`    // what was done with it; empty where nothing
	Choice  string `json:"choice"` // left, right or tie of an answer
	Note    string `json:"note"`
	Prompt  []Turn `json:"prompt"`
	Tools   string `json:"tools"`
	Left    []Turn `json:"left"`
	Right   []Turn `json:"right"`
	Same    bool   `json:"same"` // the responses are one
}

// next is the comparison that an annotator should answer: the first in their order
// that they have not met, and then what they skipped, longest ago first.
func (b *Book) next(annotator string) view {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.person(annotator)
	for _, i := range p.order {
		if did := p.said[i].Did; did != Answered && did != Skipped {
			return b.view(annotator, p, i)
		}
	}
	for _, i := range p.done {
		if p.said[i].Did == Skipped {
			return b.view(annotator, p, i)
		}
	}
	return b.view(annotator, p, -1)
}

// show is one comparison, whatever was done with it.
func (b *Book) show(annotator string, at int) view {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view(annotator, b.person(annotator), at)
}

func (b *Book) view(annotator string, p *person, at int) view {
	v := view{Annotator: annotator, Total: len(b.sheets), Lines: p.lines, CanUndo: len(p.done) > 0}
	for _, i := range p.done {
		if p.said[i].Did == Skipped {
			v.Skipped++
		} else {
			v.Answered++
		}
	}
	if at >= 0 {
		v.Item = b.item(annotator, p, at)
	}
	return v
}

func (b *Book) item(annotator string, p *person, at int) *item {
	s, said := &b.sheets[at], p.said[at]
	left := leftFor(s, b.seed, annotator)
	out := &item{Item: at, Number: p.number[at], Version: said.Version, Did: said.Did, Note: said.Note, Prompt: s.prompt, Tools: s.tools, Left: s.a, Right: s.b, Same: s.identical}
	if left == labels.SideB {
		out.Left, out.Right = s.b, s.a
	}
	if said.Did == Answered {
		out.Choice = map[labels.Side]string{left: "left", other(left): "right", labels.Neither: "tie"}[said.Side]
	}
	return out
}

// Progress is how far an annotator has come.
type Progress struct {
	Name     string
	Answered int
	Skipped  int
}

// Annotators are those who have said something here, by name.
func (b *Book) Annotators() []Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Progress{}
	for _, name := range slices.Sorted(maps.Keys(b.people)) {
		if p := b.people[name]; p.lines > 0 {
			v := b.view(name, p, -1)
			out = append(out, Progress{name, v.Answered, v.Skipped})
		}
	}
	return out
}
