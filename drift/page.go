package drift

import (
	"fmt"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// shownUnlike bounds the page; drift.json has more.
const shownUnlike = 20

// WriteHTML writes one self-contained page.
func (r *Report) WriteHTML(path string, facts ...draw.Fact) error {
	p := draw.Page{Title: "Drift between two data sets", Of: "reference " + r.Reference.File + " · data " + r.Data.File, Warnings: r.Warnings,
		Headline: r.headline(), Sections: r.sections(), Definitions: definitions()}
	unlike := draw.Section{Title: "The most unlike prompts", Note: "Those whose nearest prompt of the reference is the least similar. drift.json has more."}
	for _, u := range r.Most[:min(len(r.Most), shownUnlike)] {
		e := draw.Example{Title: fmt.Sprintf("Row %d", u.Row), Note: fmt.Sprintf("similarity %v", u.Similarity), Texts: []draw.Passage{{Name: "Prompt", Text: u.Prompt}}}
		if u.NearestRow >= 0 {
			e.Texts = append(e.Texts, draw.Passage{Name: fmt.Sprintf("Nearest of the reference, row %d", u.NearestRow), Text: u.Nearest})
		}
		unlike.Examples = append(unlike.Examples, e)
	}
	p.Sections = append(p.Sections, unlike, draw.FactSection(facts...))
	return p.Save(path)
}

func (r *Report) headline() []draw.Card {
	return []draw.Card{
		{Name: "Prompts unlike the reference", Value: stats.Percent(r.Unlike.Share), Note: "95% interval " + r.Unlike.Interval.Percent() + "; 5% where both are drawn alike", Main: true},
		{Name: "In the reference", Value: fmt.Sprint(r.Shared), Note: fmt.Sprintf("of %s, the same but for case and white space", stats.Plural(r.Compared[1], "prompt"))},
		{Name: "Reference", Value: fmt.Sprint(r.Compared[0]), Note: "prompts compared"},
	}
}

func (r *Report) sections() []draw.Section {
	sets := draw.Table{Columns: []string{"set", "rows", "prompts", "compared", "responses"}}
	for i, s := range []*Set{r.Reference, r.Data} {
		sets.Rows = append(sets.Rows, []string{[]string{"reference", "data"}[i], fmt.Sprint(s.Rows), fmt.Sprint(s.Prompts), fmt.Sprint(r.Compared[i]), fmt.Sprint(s.Responses)})
	}
	unlike := draw.Table{Columns: []string{"prompts of the data", "share", "95% interval", "alike drawn", "threshold"},
		Rows: [][]string{{"unlike the reference", stats.Percent(r.Unlike.Share), r.Unlike.Interval.Percent(), "5.0%", r.Threshold.String()},
			{"in the reference", stats.Percent(stats.Over(float64(r.Shared), float64(r.Compared[1]))), "", "", ""}}}
	quantities := draw.Table{Columns: []string{"one value a prompt", "reference", "data", "median", "median", "KS", "p", "energy"}}
	for _, c := range r.Quantity {
		quantities.Rows = append(quantities.Rows, []string{c.Name, fmt.Sprint(c.N[0]), fmt.Sprint(c.N[1]), c.Median[0].String(), c.Median[1].String(), c.KS.String(), c.P.String(), c.Energy.String()})
	}
	out := []draw.Section{{Title: "Prompts", Tables: []draw.Table{sets, unlike}}, {Title: "Distributions", Tables: []draw.Table{quantities}}}
	if len(r.Layouts) == 0 {
		return out
	}
	layouts := draw.Table{Columns: []string{"responses with", "reference", "data", "difference", "95% interval"}}
	for _, l := range r.Layouts {
		layouts.Rows = append(layouts.Rows, []string{l.Name, stats.Percent(l.Share[0]), stats.Percent(l.Share[1]), stats.Percent(l.Difference), l.Interval.Percent()})
	}
	return append(out, draw.Section{Title: "Layouts", Tables: []draw.Table{layouts}})
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Similarity", Text: "Cosine of two prompts' words and pairs of neighbouring words, each weighted by its idf in the reference, log((1+N)/(1+df)) + 1. It knows words, not meanings: a prompt in other words is unlike."},
		{Name: "Unlike", Text: "Less similar to its nearest prompt of the reference than 95% of the reference's own prompts are to their nearest other one. Of data drawn as the reference is 5% are."},
		{Name: "KS, p", Text: "Largest distance of the two distribution functions, and the asymptotic chance of one so large where both are drawn from one distribution. One value a prompt: the mean over its responses."},
		{Name: "Energy", Text: "Székely and Rizzo's coefficient, (2E|X-Y| - E|X-X'| - E|Y-Y'|) / 2E|X-Y|: 0 where the distributions are the same, 1 where each is a constant of its own."},
		{Name: "Layouts", Text: "Shares of responses, the mean over prompts; the interval is the normal one of the difference of two means."},
	}
}
