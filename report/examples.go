package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"laurel/eval"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// example is a pair as the runs ranked it.
type example struct {
	pair    *eval.Evaluated // of the first run that has it
	margins []*float64      // a run each; nil where it has not evaluated the pair
}

// examples adds the list to browse, where pairs are known.
func (r *Report) examples(most int) {
	all := r.gather()
	if len(all) == 0 {
		return
	}
	note := "Every evaluated pair. Surprise is what the label tells against the model: the divergence KL(confidence, σ(margin)) in nats, the larger over the runs."
	if len(all) > most {
		slices.SortStableFunc(all, func(a, b *example) int { return cmp.Compare(b.surprise(), a.surprise()) })
		note += fmt.Sprintf(" Of %d pairs these are the %d that surprise most; --examples gives more.", len(all), most)
		all = all[:most]
	}
	b := &draw.Browse{Texts: []string{"prompt", "chosen", "rejected"}, Facets: []string{"ranked", "subset"}, Sorts: r.sorts()}
	for _, e := range all {
		b.Items = append(b.Items, r.item(e))
	}
	r.add(draw.Section{Title: "Examples", Note: note, Browse: b})
}

// sorts name the orders; their values are item's.
func (r *Report) sorts() []draw.BrowseSort {
	out := []draw.BrowseSort{{Name: "most surprising first", By: 0, Down: true}, {Name: "least confident label first", By: 1},
		{Name: "most confident label first", By: 1, Down: true}, {Name: "chosen much longer first", By: 2, Down: true}, {Name: "rejected much longer first", By: 2}}
	for i, run := range r.runs {
		of := ""
		if r.several() {
			of = " of " + run.Name
		}
		out = append(out, draw.BrowseSort{Name: "lowest margin" + of + " first", By: 3 + i}, draw.BrowseSort{Name: "highest margin" + of + " first", By: 3 + i, Down: true})
	}
	if r.several() {
		out = append(out, draw.BrowseSort{Name: "margins furthest apart first", By: 3 + len(r.runs), Down: true})
	}
	return out
}

func (r *Report) item(e *example) draw.BrowseItem {
	p := e.pair
	surprise, length := e.surprise(), float64(p.LenChosen-p.LenRejected)
	item := draw.BrowseItem{Title: r.titleOf(e), Facets: []string{e.outcome(), p.Subset}, Values: append([]*float64{&surprise, &p.Confidence, &length}, e.margins...),
		Note: fmt.Sprintf("rewards: chosen %v, rejected %v; the label's confidence %v", stats.Value(p.Ranked.Chosen), stats.Value(p.Ranked.Rejected), stats.Value(p.Confidence))}
	if p.Subset != "" {
		item.Note += "; subset " + draw.Label(p.Subset, 60)
	}
	if p.At != "" {
		item.Note += "; " + p.At
	}
	if r.several() {
		item.Values = append(item.Values, e.apart())
	}
	if p.Key != "" {
		for _, text := range []string{p.PromptText, p.ChosenText, p.RejectedText} {
			item.Texts = append(item.Texts, draw.Passage{Text: text}.Shown())
		}
	}
	return item
}

func (r *Report) titleOf(e *example) string {
	var parts []string
	for i, m := range e.margins {
		of := ""
		if r.several() {
			of = " of " + r.runs[i].Name
		}
		if m != nil {
			parts = append(parts, fmt.Sprintf("margin%s %v", of, stats.Value(*m)))
		}
	}
	title := strings.Join(parts, ", ")
	if e.pair.ID != "" {
		title += ", " + draw.Label(e.pair.ID, 80)
	}
	return strings.ToUpper(title[:1]) + title[1:]
}

// outcome is what the example is filtered by.
func (e *example) outcome() string {
	kinds := map[string]bool{}
	for _, m := range e.margins {
		if m != nil {
			kinds[outcomeOf(*m)] = true
		}
	}
	if len(kinds) > 1 {
		return "the runs disagree"
	}
	for kind := range kinds {
		return kind
	}
	return ""
}

func outcomeOf(margin float64) string {
	switch {
	case margin > 0:
		return "right"
	case margin < 0:
		return "wrong"
	}
	return "tie"
}

// surprise is KL(c, p) = c log(c/p) + (1-c) log((1-c)/(1-p)), p = σ(margin), the
// larger over the runs. c log c is 0 at 0.
func (e *example) surprise() float64 {
	most := 0.0
	c := e.pair.Confidence
	entropy := func(x float64) float64 {
		if x == 0 {
			return 0
		}
		return x * math.Log(x)
	}
	for _, m := range e.margins {
		if m != nil {
			most = max(most, entropy(c)+entropy(1-c)+c*stats.Softplus(-*m)+(1-c)*stats.Softplus(*m))
		}
	}
	return most
}

// apart is how far the runs' margins lie apart; nil where fewer than two have it.
func (e *example) apart() *float64 {
	low, high, n := math.Inf(1), math.Inf(-1), 0
	for _, m := range e.margins {
		if m != nil {
			low, high, n = min(low, *m), max(high, *m), n+1
		}
	}
	if n < 2 {
		return nil
	}
	span := high - low
	return &span
}

// gather joins the runs' pairs by their texts. Pairs whose texts are not known are
// the run's own.
func (r *Report) gather() (all []*example) {
	at := map[string]*example{}
	for i, run := range r.runs {
		times := map[string]int{} // a pair may be there twice
		for k := range run.Pairs {
			p := &run.Pairs[k]
			key := fmt.Sprintf("%s %d", p.Key, times[p.Key])
			times[p.Key]++
			e := at[key]
			if e == nil || p.Key == "" {
				e = &example{pair: p, margins: make([]*float64, len(r.runs))}
				all = append(all, e)
				at[key] = e
			}
			e.margins[i] = &p.Margin
		}
	}
	return all
}
