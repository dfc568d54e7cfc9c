package triage

import (
	"fmt"
	"strings"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// shownPairs bounds the page; triage.jsonl has all.
const shownPairs = 20

// Examples are the pairs that are the most probably mislabelled, with their texts,
// which are read again.
func (r *Result) Examples(source Source) (draw.Section, error) {
	out := draw.Section{Title: "The most probably mislabelled", Note: "triage.jsonl has all pairs, in this order."}
	first := r.order[:min(len(r.order), shownPairs)]
	at := map[int32]int{}
	for n, i := range first {
		at[i] = n
	}
	out.Examples = make([]draw.Example, len(first))
	found, i := 0, int32(0)
	for p, err := range source() {
		if err != nil {
			return out, err
		}
		if n, shown := at[i]; shown {
			out.Examples[n] = r.example(n, i, &p)
			found++
		}
		if i++; found == len(first) {
			break
		}
	}
	return out, nil
}

func (r *Result) example(n int, i int32, p *data.Pair) draw.Example {
	return draw.Example{Title: fmt.Sprintf("%d. %s (%s, %s)", n+1, r.pairs.id[i], p.File, p.Place()),
		Note:  fmt.Sprintf("P(mislabelled) %v; the label's probability out of fold %v, its confidence %v", stats.Value(r.wrong[i]), stats.Value(stats.Sigmoid(r.z[i])), stats.Value(p.Confidence)),
		Texts: []draw.Passage{{Name: "Prompt", Text: draw.Words(p.Prompt)}, {Name: "Chosen", Text: draw.Words(p.Chosen)}, {Name: "Rejected", Text: draw.Words(p.Rejected)}}}
}

// WriteHTML writes one self-contained page.
func (r *Result) WriteHTML(path, of string, examples draw.Section, facts ...draw.Fact) error {
	figures, err := draw.Figures([]draw.NamedChart{{Name: "mislabelled", Chart: r.chart()}})
	if err != nil {
		return err
	}
	p := draw.Page{Title: "Triage: labels that are probably wrong", Of: of, Warnings: r.Warnings, Headline: r.headline(), Sections: r.sections(), Definitions: definitions()}
	p.Sections[0].Figures = figures
	p.Sections = append(p.Sections, examples, draw.FactSection(facts...))
	return p.Save(path)
}

// bins of the chart.
const bins = 40

func (r *Result) chart() *draw.Chart {
	h := stats.NewHistogram(r.wrong, 0, 1, bins)
	c := draw.New("P(mislabelled)", fmt.Sprintf("%s, %v expected to be mislabelled", stats.Plural(r.Pairs, "pair"), r.Expected), "probability that the label is wrong", "share of pairs (%)")
	var bs draw.Bars
	top := 0.0
	for k, count := range h.Counts {
		share := 100 * float64(count) / float64(r.Pairs)
		colour := draw.Blue()
		if 2*k >= bins {
			colour = draw.Vermillion()
		}
		bs = append(bs, draw.Bar{Left: float64(k) / bins, Right: float64(k+1) / bins, Top: share, Color: colour})
		top = max(top, share)
	}
	c.Add(bs)
	c.Frame(0, 1, 0, 1.05*top)
	return c
}

func (r *Result) headline() []draw.Card {
	cards := []draw.Card{
		{Name: "Noise rate", Value: stats.Percent(r.Noise.Rate), Note: "confident learning; 95% interval " + r.Noise.Interval.Percent() + ". What the regression cannot tell counts as noise too", Main: true},
		{Name: "Contradictions", Value: fmt.Sprint(r.Groups[Contradiction]), Note: fmt.Sprintf("groups, %s; %d circles of preferences", stats.Plural(r.Grouped[Contradiction], "pair"), r.Groups[InCycle])},
		{Name: "Labels predicted", Value: stats.Percent(r.Accuracy.Share), Note: "out of fold; 95% interval " + r.Accuracy.Interval.Percent()},
	}
	if found := r.found(); found != nil {
		cards = append(cards, draw.Card{Name: "Flips found", Value: found.AUROC.String(), Note: "AUROC of labels turned on purpose, one in ten"})
	}
	return cards
}

// found is what became of one label in ten turned on purpose.
func (r *Report) found() *Injected {
	for i := range r.Injected {
		if r.Injected[i].Rate == 0.1 && r.Injected[i].AUROC.Defined() {
			return &r.Injected[i]
		}
	}
	return nil
}

func (r *Result) by() string {
	if r.Models > 0 {
		return "the rewards of " + stats.Plural(r.Models, "model")
	}
	return "words and surface counts"
}

func (r *Result) sections() []draw.Section {
	noise := draw.Table{Columns: []string{"of the labels", ""}, Rows: [][]string{
		{"pairs, different prompts", fmt.Sprintf("%d, %d", r.Pairs, r.Prompts)},
		{"labels predicted out of fold", r.Accuracy.String()},
		{"noise rate", fmt.Sprintf("%s (95%% %s)", stats.Percent(r.Noise.Rate), r.Noise.Interval.Percent())},
		{"confidently right, wrong, undecided", fmt.Sprintf("%d, %d, %d", r.Noise.Right, r.Noise.Wrong, r.Noise.Undecided)},
		{"expected to be mislabelled", fmt.Sprintf("%v (the sum of P)", r.Expected)}}}
	out := []draw.Section{{Title: "Labels", Note: fmt.Sprintf("Logistic regressions on %s, %d folds by prompt, each fitted on %d pairs or more of the others.", r.by(), r.Folds, r.Fitted), Tables: []draw.Table{noise}}}
	groups := draw.Table{Columns: []string{"pairs alike", "groups", "pairs"}}
	for _, kind := range []string{Duplicate, NearDuplicate, Contradiction, InCycle} {
		groups.Rows = append(groups.Rows, []string{strings.ReplaceAll(kind, "_", "-"), fmt.Sprint(r.Groups[kind]), fmt.Sprint(r.Grouped[kind])})
	}
	flips := draw.Table{Columns: []string{"labels turned", "turned", "found (AUROC)", "noise rate", "95% interval", "expected"}}
	for _, i := range r.Injected {
		flips.Rows = append(flips.Rows, []string{stats.Percent(i.Rate), fmt.Sprint(i.Turned), i.AUROC.String(), stats.Percent(i.Noise), i.Interval.Percent(), stats.Percent(i.Expected)})
	}
	out = append(out, draw.Section{Title: "Groups", Note: "groups.jsonl has each one.", Tables: []draw.Table{groups}},
		draw.Section{Title: "Labels turned on purpose", Note: "How far to trust this page: whether flips put into these data are found, and whether the noise rate follows.", Tables: []draw.Table{flips}})
	if b := r.Rejudge; b != nil {
		out = append(out, draw.Section{Title: "Worth judging again", Tables: []draw.Table{{Columns: []string{"budget", "worth it", "listed", "expected mislabelled", "expected gain"},
			Rows: [][]string{{fmt.Sprint(b.Budget), fmt.Sprint(b.Worth), fmt.Sprint(b.Listed), b.Wrong.String(), b.Gain.String()}}}}})
	}
	return out
}

// weakAUROC is where a ranking is little better than none.
const weakAUROC = 0.7

func (r *Result) warn() {
	say := func(when bool, format string, args ...any) {
		if when {
			r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
		}
	}
	if found := r.found(); found != nil {
		say(found.AUROC < weakAUROC, "one label in ten turned on purpose is found with an AUROC of %v only: on these data %s tell little of who is right, so the ranking is weak and the noise rate too high; the rewards of a model (--model) may tell more", found.AUROC, r.by())
	}
	say(!(r.Accuracy.Interval[0] > 0.5), "the regressions predict no more labels than chance (%v): P(mislabelled) tells nothing", r.Accuracy)
	say(r.Models > 0, "if the models were trained on these pairs, their rewards have seen the labels that they are to judge: train them on others")
	say(r.Unscored > 0, "%s could not be scored, and have the probability of the mean (reason not_scored)", stats.Plural(r.Unscored, "pair"))
	say(r.MadeIDs > 0, "%s had no id, or that of an earlier pair, and are called by file and row", stats.Plural(r.MadeIDs, "pair"))
	say(r.NotCompared > 0, "%d comparisons of texts that may be alike were left out: over %d share a key", r.NotCompared, mostCompared)
	if b := r.Rejudge; b != nil {
		say(b.Listed < b.Budget, "the list has %d pairs for a budget of %d: of the others a judge that is wrong in %s is expected to make more labels wrong than right", b.Listed, b.Budget, stats.Percent(b.JudgeError))
	}
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "P(mislabelled)", Text: "By Bayes from the noise rate and what regressions that have not seen the prompt say of the pair. Labels of pairs alike are taken together: where they contradict one another, their probabilities add up to what must be wrong."},
		{Name: "Noise rate", Text: "Confident learning (Northcutt and others, 2021): of the pairs that the regressions are sure of, the share whose label is the other one. Sure means at least as probable as labels are on average. The interval is a bootstrap over prompts; it does not know what the regressions cannot learn."},
		{Name: "Pairs alike", Text: "Prompt and both responses each have Jaccard similarity of their shingles (three neighbouring words) above the threshold, in one order or the other; candidates by MinHash, each compared exactly. A contradiction has both orders, a cycle is A over B over C over A."},
		{Name: "Labels turned on purpose", Text: "So many labels of a sample are turned round and everything is fitted anew. AUROC is the chance that a turned label is ranked above one that is not. Expected is n + r - 2nr, n the noise rate without flips."},
		{Name: "Expected gain", Text: "Confidence times (P(mislabelled) - the judge's error): the weight of wrong labels in training that judging the pair again is expected to take away."},
	}
}
