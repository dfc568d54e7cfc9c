package audit

import (
	"fmt"
	"io"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/eval/surface"
)

// WriteHTML writes one self-contained page: no script, no outside link. of says
// what was labelled, and by whom.
func (r *Report) WriteHTML(path, of string, facts ...draw.Fact) error {
	p := draw.Page{Title: "Label report", Of: of, Headline: r.headline(), Warnings: r.Warnings, Sections: slices.Concat(r.sections(), r.disputedSections(), []draw.Section{draw.FactSection(facts...)}), Definitions: definitions()}
	var err error
	under := map[string][]draw.NamedChart{outcomeTitle: r.outcomeCharts(), biasTitle: r.biasCharts(), goldTitle: r.goldCharts()}
	for i := range p.Sections {
		if p.Sections[i].Figures, err = draw.Figures(under[p.Sections[i].Title]); err != nil {
			return fmt.Errorf("write report %s: %w", path, err)
		}
	}
	return p.Save(path)
}

// Print writes the report's tables for a terminal.
func (r *Report) Print(w io.Writer) error { return draw.Print(w, r.sections(), r.Warnings) }

// PrintBrief writes how judges agree with one another, where there are several,
// and with the gold, where there is some; then the warnings.
func (r *Report) PrintBrief(w io.Writer) error {
	var brief []draw.Section
	if r.Raters.Judges != nil {
		brief = append(brief, r.raterSection())
	}
	if r.Gold != nil {
		brief = append(brief, draw.Section{Title: goldTitle, Tables: r.Gold.briefTables()})
	}
	return draw.Print(w, brief, r.Warnings)
}

func (r *Report) headline() []draw.Card {
	out := []draw.Card{
		{Name: "Labelled", Value: stats.Percent(stats.Over(float64(r.Labelled), float64(r.Labels))), Note: fmt.Sprintf("%d of %s, of %s", r.Labelled, stats.Plural(r.Labels, "comparison"), stats.Plural(r.Prompts, "prompt")), Main: true},
		{Name: "Mean confidence", Value: r.ConfidenceMean.String(), Note: fmt.Sprintf("vote share %v", r.VoteShareMean)},
	}
	for _, p := range r.Position {
		if p.Judge == "" && p.Principle == "" {
			out = append(out, draw.Card{Name: "Flip rate", Value: stats.Percent(p.Flipped.Share), Note: "of votes, when the responses change places"})
		}
	}
	out = append(out, draw.Card{Name: "Longer preferred", Value: stats.Percent(r.Surface[surface.Length].Preferred.Share), Note: r.Surface[surface.Length].Preferred.Interval.Percent()})
	if r.Gold != nil {
		out = append(out, draw.Card{Name: "Agreement with gold", Value: stats.Percent(r.Gold.Agreement.Share), Note: r.Gold.Agreement.Interval.Percent()})
	}
	return append(out, draw.Card{Name: "Cost", Value: fmt.Sprintf("$%.2f", r.Cost), Note: stats.Plural(r.Requests, "request")})
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Vote", Text: "What a judge makes of a comparison under one principle, both orders taken together."},
		{Name: "Verdict", Text: "The side of more weight among the votes, or an abstention with its reason. Confidence and vote share are of the labels, not of abstentions."},
		{Name: "Intervals", Text: "At 95%, in brackets in per cent. Comparisons of one prompt are not independent, nor are the votes of one comparison: shares have Wilson's interval at the effective number of trials (p(1-p) over the variance of a ratio of sums over prompts, Kish 1965; never so large that the interval is narrower than that of unanimous trials of the same prompts); differences the normal one of the variance between prompts; correlations that of Fisher's z, with the larger of Bonett and Wright's variance and that between prompts; κ the percentile bootstrap's. For Bonett and Wright's variance and for κ the number of comparisons is divided by the design effect of the prompts. Where no prompt repeats, shares, differences and κ have the usual ones. The intervals of a reliability diagram take its labels as independent."},
		{Name: "Flips", Text: "Votes that name the response at the same place in both orders, of those where neither order calls it even."},
		{Name: "First preferred", Text: "Answers for the response shown first, even ones left out: one half without bias. Lean: how much probability the first place is worth."},
		{Name: "More preferred", Text: "Labels for the response with more of the feature, where the two differ. Correlations are Spearman's, of the difference of a and b with the probability that a is better, and of that of chosen and rejected with the confidence. At like length: the shorter has at least four fifths of the longer's characters. Long words have 9 letters or more; their feature is their share."},
		{Name: "Over gold", Text: "Mean of (label prefers more) minus (gold prefers more), where both name a side: what the lean is at matched quality."},
		{Name: "Agreement", Text: "Of labels whose gold names a side; gold ties are counted apart, or as one half. Coverage: labelled, of the comparisons with gold."},
		{Name: "Calibration", Text: "Fitted on about half of the prompts and tested on the others. Temperature divides the logit of the confidence; isotonic is the least-squares map that never falls. Log loss takes probabilities within 1e-6 of 0 and 1 as that far from them."},
		{Name: "ECE", Text: "Expected calibration error: how far confidence and the share of right labels lie apart, over equal-width bins and over bins of equal count. By chance: about what it would be over equal-width bins on as many labels, were every probability right; a lower one says no more."},
		{Name: "Risk and coverage", Text: "Share of wrong labels among the most confident ones, by how many are kept. AURC: its mean over coverages. The threshold is chosen on the fitting part and judged on the tested one."},
		{Name: "κ", Text: "Agreement beyond chance: Cohen's for two raters, Fleiss' for more; over a, b and neither, and where both name a side. A judge's rating is its votes' heavier side."},
		{Name: "Flagged responses", Text: "Those that name an answer or a verdict, tell to ignore instructions, praise themselves to the judge or imitate markers and roles. Flags are for people to look at: some are honest text."},
	}
}
