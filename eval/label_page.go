package eval

import (
	"fmt"
	"io"
)

// WriteHTML writes one self-contained page: no script, no outside link.
func (r *LabelReport) WriteHTML(path string, facts ...Fact) error {
	p := page{Title: "Label report", Headline: r.headline(), Warnings: r.Warnings, Sections: r.sections(), Facts: facts, Definitions: labelDefinitions()}
	var err error
	under := map[string][]namedChart{outcomeTitle: r.outcomeCharts(), biasTitle: r.biasCharts(), goldTitle: r.goldCharts()}
	for i := range p.Sections {
		if p.Sections[i].Figures, err = inline(under[p.Sections[i].Title]); err != nil {
			return fmt.Errorf("write report %s: %w", path, err)
		}
	}
	return p.save(path)
}

// Print writes the report's tables for a terminal.
func (r *LabelReport) Print(w io.Writer) error { return printSections(w, r.sections(), r.Warnings) }

// PrintBrief writes how judges agree with one another, where there are several,
// and with the gold, where there is some; then the warnings.
func (r *LabelReport) PrintBrief(w io.Writer) error {
	var brief []section
	if r.Raters.Judges != nil {
		brief = append(brief, r.raterSection())
	}
	if r.Gold != nil {
		brief = append(brief, section{Title: goldTitle, Tables: r.Gold.briefTables()})
	}
	return printSections(w, brief, r.Warnings)
}

func (r *LabelReport) headline() []headline {
	out := []headline{
		{"Labelled", percent(over(float64(r.Labelled), float64(r.Labels))), fmt.Sprintf("%d of %s, of %s", r.Labelled, plural(r.Labels, "comparison"), plural(r.Prompts, "prompt")), true},
		{"Mean confidence", r.ConfidenceMean.String(), fmt.Sprintf("vote share %v", r.VoteShareMean), false},
	}
	for _, p := range r.Position {
		if p.Judge == "" && p.Principle == "" {
			out = append(out, headline{"Flip rate", percent(p.Flipped.Share), "of votes, when the responses change places", false})
		}
	}
	out = append(out, headline{"Longer preferred", percent(r.Surface[surfaceLength].Preferred.Share), percentInterval(r.Surface[surfaceLength].Preferred.Interval), false})
	if r.Gold != nil {
		out = append(out, headline{"Agreement with gold", percent(r.Gold.Agreement.Share), percentInterval(r.Gold.Agreement.Interval), false})
	}
	return append(out, headline{"Cost", fmt.Sprintf("$%.2f", r.Cost), plural(r.Requests, "request"), false})
}

func labelDefinitions() []definition {
	return []definition{
		{"Vote", "What a judge makes of a comparison under one principle, both orders taken together."},
		{"Verdict", "The side of more weight among the votes, or an abstention with its reason. Confidence and vote share are of the labels, not of abstentions."},
		{"Intervals", "At 95%, in brackets in per cent. Comparisons of one prompt are not independent, nor are the votes of one comparison: shares have Wilson's interval at the effective number of trials (p(1-p) over the variance of a ratio of sums over prompts, Kish 1965); differences the normal one of the variance between prompts; correlations that of Fisher's z, with the larger of Bonett and Wright's variance and that between prompts; κ the percentile bootstrap's. For Bonett and Wright's variance and for κ the number of comparisons is divided by the design effect of the prompts. Where no prompt repeats, shares, differences and κ have the usual ones. The intervals of a reliability diagram take its labels as independent."},
		{"Flips", "Votes that name the response at the same place in both orders, of those where neither order calls it even."},
		{"First preferred", "Answers for the response shown first, even ones left out: one half without bias. Lean: how much probability the first place is worth."},
		{"More preferred", "Labels for the response with more of the feature, where the two differ. Correlations are Spearman's, of the difference of a and b with the probability that a is better, and of that of chosen and rejected with the confidence. At like length: the shorter has at least four fifths of the longer's characters. Long words have 9 letters or more; their feature is their share."},
		{"Over gold", "Mean of (label prefers more) minus (gold prefers more), where both name a side: what the lean is at matched quality."},
		{"Agreement", "Of labels whose gold names a side; gold ties are counted apart, or as one half. Coverage: labelled, of the comparisons with gold."},
		{"Calibration", "Fitted on about half of the prompts and tested on the others. Temperature divides the logit of the confidence; isotonic is the least-squares map that never falls. Log loss takes probabilities within 1e-6 of 0 and 1 as that far from them."},
		{"ECE", "Expected calibration error: how far confidence and the share of right labels lie apart, over equal-width bins and over bins of equal count. By chance: about what it would be over equal-width bins on as many labels, were every probability right; a lower one says no more."},
		{"Risk and coverage", "Share of wrong labels among the most confident ones, by how many are kept. AURC: its mean over coverages. The threshold is chosen on the fitting part and judged on the tested one."},
		{"κ", "Agreement beyond chance: Cohen's for two raters, Fleiss' for more; over a, b and neither, and where both name a side. A judge's rating is its votes' heavier side."},
		{"Flagged responses", "Those that name an answer or a verdict, tell to ignore instructions, praise themselves to the judge or imitate markers and roles. Flags are for people to look at: some are honest text."},
	}
}
