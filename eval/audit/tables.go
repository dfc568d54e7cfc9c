package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/labels"
)

// Titles of the sections that have plots.
const (
	outcomeTitle = "Outcomes"
	biasTitle    = "Bias audit"
	goldTitle    = "Against gold"
)

// sections are the report's tables, in print and on the page.
func (r *Report) sections() []draw.Section {
	out := []draw.Section{
		{Title: outcomeTitle, Tables: []draw.Table{r.outcomeTable()}},
		{Title: "Principles", Tables: []draw.Table{r.principleTable()}},
	}
	if len(r.Raters.Pairs) > 0 || r.Raters.People != nil {
		out = append(out, r.raterSection())
	}
	bias := draw.Section{Title: biasTitle, Tables: []draw.Table{r.positionTable(), r.surfaceTable()}}
	if r.Gold != nil {
		bias.Tables = append(bias.Tables, r.qualityTable())
	}
	if len(r.SelfPreference) > 0 {
		bias.Tables = append(bias.Tables, r.selfTable())
	}
	if len(r.Injections) > 0 {
		bias.Tables = append(bias.Tables, r.injectionTable())
	}
	out = append(out, bias)
	if r.Gold != nil {
		out = append(out, draw.Section{Title: goldTitle, Tables: r.Gold.tables()})
	}
	return out
}

// Outline has what became of the comparisons, and the principles with their
// weights: what a model that was trained on the labels owes to them.
func (r *Report) Outline() []draw.Table {
	outcomes, principles := r.outcomeTable(), r.principleTable()
	outcomes.Caption, principles.Caption = "Outcomes of labelling", "Constitution: principles, their weights and votes"
	return []draw.Table{outcomes, principles}
}

func (r *Report) outcomeTable() draw.Table {
	t := draw.Table{Columns: []string{"outcome", "comparisons", "share"}}
	row := func(name string, n int) {
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(n), stats.Percent(stats.Over(float64(n), float64(r.Labels)))})
	}
	for _, o := range r.outcomes() {
		row(o.name, o.count)
	}
	row("all", r.Labels)
	return t
}

func (r *Report) principleTable() draw.Table {
	t := draw.Table{Columns: []string{"principle", "weight", "votes", "for a side"}}
	reasons := r.reasonsOfVotes()
	for _, reason := range reasons {
		t.Columns = append(t.Columns, strings.ReplaceAll(string(reason), "_", " "))
	}
	t.Columns = append(t.Columns, "confidence", "with verdict")
	if r.Gold != nil {
		t.Columns = append(t.Columns, "with gold")
	}
	for _, p := range r.Principles {
		row := []string{draw.Label(p.Name, 40), stats.Value(p.Weight).String(), fmt.Sprint(p.Votes), fmt.Sprint(p.Decided)}
		for _, reason := range reasons {
			row = append(row, fmt.Sprint(p.Reasons[reason]))
		}
		row = append(row, p.Confidence.String(), p.WithVerdict.String())
		if r.Gold != nil {
			row = append(row, p.WithGold.String())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// reasonsOfVotes are those for which a vote was for neither side.
func (r *Report) reasonsOfVotes() []labels.Abstention {
	there := map[labels.Abstention]bool{}
	for _, p := range r.Principles {
		for reason := range p.Reasons {
			there[reason] = true
		}
	}
	return slices.Sorted(maps.Keys(there))
}

func (r *Report) raterSection() draw.Section {
	t := draw.Table{Columns: []string{"raters", "n", "agree", "κ", "95%", "n, both decided", "agree", "κ", "95%"}}
	for _, p := range r.Raters.Pairs {
		t.Rows = append(t.Rows, append(append([]string{p.A + " and " + p.B}, p.All.cells()...), p.One.cells()...))
	}
	if k := r.Raters.Judges; k != nil {
		t.Rows = append(t.Rows, append(append([]string{"all judges (Fleiss)"}, k.cells()...), "", "", "", ""))
	}
	if k := r.Raters.People; k != nil {
		t.Rows = append(t.Rows, append(append([]string{fmt.Sprintf("people, %d votes each (Fleiss)", r.Raters.PeopleVotes)}, k.cells()...), "", "", "", ""))
	}
	return draw.Section{Title: "Agreement between raters", Tables: []draw.Table{t}}
}

func (k Kappa) cells() []string {
	return []string{fmt.Sprint(k.N), stats.Percent(k.Agreement), k.Kappa.String(), k.Interval.String()}
}

func (r *Report) positionTable() draw.Table {
	t := draw.Table{Caption: "Position", Columns: []string{"votes", "n", "flip", "answers", "first preferred", "lean to the first"}}
	for _, p := range r.Position {
		name := "all"
		switch {
		case p.Judge != "":
			name = "judge " + p.Judge
		case p.Principle != "":
			name = "principle " + p.Principle
		}
		t.Rows = append(t.Rows, []string{draw.Label(name, 50), fmt.Sprint(p.Flipped.N), p.Flipped.String(), fmt.Sprint(p.First.N), p.First.String(), p.Lean.String()})
	}
	return t
}

// differing are the features in which some two responses differ; alike names
// the others.
func (r *Report) differing() (differ []SurfaceBias, alike string) {
	var same []string
	for _, s := range r.Surface {
		if s.Preferred.N == 0 && !s.Probability.Spearman.Defined() {
			same = append(same, s.Feature)
		} else {
			differ = append(differ, s)
		}
	}
	if len(same) > 0 {
		alike = " (no two responses differ in: " + strings.Join(same, ", ") + ")"
	}
	return differ, alike
}

func (r *Report) surfaceTable() draw.Table {
	differ, alike := r.differing()
	t := draw.Table{Caption: "Length, jargon and formatting" + alike, Columns: []string{"feature", "n", "more preferred", "at like length", "correlation with p", "with confidence"}}
	for _, s := range differ {
		t.Rows = append(t.Rows, []string{s.Feature, fmt.Sprint(s.Preferred.N), s.Preferred.String(), s.PreferredAlike.OfN(),
			s.Probability.String(), s.Confidence.String()})
	}
	return t
}

func (r *Report) qualityTable() draw.Table {
	t := draw.Table{Caption: "The same at matched quality: more preferred, by what gold prefers",
		Columns: []string{"feature", "gold is a tie", "gold prefers more", "gold prefers less", "over gold"}}
	differ, _ := r.differing()
	for _, s := range differ {
		t.Rows = append(t.Rows, []string{s.Feature, s.GoldTie.OfN(), s.GoldMore.OfN(), s.GoldLess.OfN(), s.OverGold.String()})
	}
	return t
}

func (r *Report) selfTable() draw.Table {
	t := draw.Table{Caption: "Self-preference", Columns: []string{"judge", "family", "own preferred", "gold prefers own", "over gold"}}
	for _, s := range r.SelfPreference {
		t.Rows = append(t.Rows, []string{s.Judge, s.Family, s.Own.OfN(), s.Gold.OfN(), s.OverGold.String()})
	}
	return t
}

func (r *Report) injectionTable() draw.Table {
	t := draw.Table{Caption: "Responses that speak to the judge", Columns: []string{"flag", "responses", "flagged preferred", "gold prefers flagged"}}
	for _, i := range r.Injections {
		t.Rows = append(t.Rows, []string{cmp.Or(string(i.Sign), "any"), fmt.Sprint(i.Responses), i.Preferred.OfN(), i.Gold.OfN()})
	}
	return t
}

func (g *Agreement) tables() []draw.Table {
	out := []draw.Table{g.matchTable(), g.goldTable(), g.headTable()}
	for _, by := range []struct {
		caption string
		rows    []Agreeing
	}{{"Agreement by confidence", g.ByConfidence}, {"Agreement by clarity of the gold", g.ByClarity}, {"Agreement by kind of gold", g.ByKind}, {"Agreement by subset", g.BySubset}} {
		if len(by.rows) > 1 || by.caption == "Agreement by confidence" {
			out = append(out, agreeingTable(by.caption, by.rows))
		}
	}
	if g.Calibration != nil {
		out = append(out, g.Calibration.table())
	}
	return append(out, g.Risk.table())
}

func (g *Agreement) briefTables() []draw.Table {
	out := []draw.Table{g.headTable(), agreeingTable("Agreement by confidence", g.ByConfidence)}
	if g.Calibration != nil {
		out = append(out, g.Calibration.table())
	}
	return out
}

func (g *Agreement) matchTable() draw.Table {
	t := draw.Table{Caption: "Rows that met", Columns: []string{"rows", "n"}}
	for _, row := range []struct {
		name string
		n    int
	}{
		{"labels and abstentions with gold", g.Matched}, {"of them by text, not by id", g.ByText}, {"of them with the responses swapped", g.Swapped},
		{"without gold", g.LabelsWithout}, {"id has gold of other texts", g.TextsDiffer}, {"gold rows", g.GoldRows}, {"gold rows without a label", g.GoldWithout},
	} {
		t.Rows = append(t.Rows, []string{row.name, fmt.Sprint(row.n)})
	}
	return t
}

func (g *Agreement) goldTable() draw.Table {
	t := draw.Table{Caption: "Verdict by gold", Columns: []string{"verdict", "gold a", "gold b", "gold tie"}}
	for _, row := range []struct {
		name  string
		cells [3]int
	}{{"labelled a", g.Outcomes.A}, {"labelled b", g.Outcomes.B}, {"abstained", g.Outcomes.Abstained}} {
		t.Rows = append(t.Rows, []string{row.name, fmt.Sprint(row.cells[0]), fmt.Sprint(row.cells[1]), fmt.Sprint(row.cells[2])})
	}
	return t
}

func (g *Agreement) headTable() draw.Table {
	t := draw.Table{Caption: "Agreement", Columns: []string{"", "n", "share", "95%"}}
	for _, row := range []struct {
		name  string
		share stats.Share
	}{{"agreement, gold ties left out", g.Agreement}, {"agreement, gold ties one half", g.AgreementTiesHalf}, {"coverage (not abstained)", g.Coverage}} {
		t.Rows = append(t.Rows, append([]string{row.name}, shareCells(row.share)...))
	}
	return t
}

func shareCells(s stats.Share) []string {
	return []string{fmt.Sprint(s.N), stats.Percent(s.Share), s.Interval.Percent()}
}

func agreeingTable(caption string, rows []Agreeing) draw.Table {
	t := draw.Table{Caption: caption, Columns: []string{"group", "with gold", "abstained", "gold ties", "n", "agreement", "95%"}}
	for _, a := range rows {
		t.Rows = append(t.Rows, append([]string{draw.Label(a.Group, 50), fmt.Sprint(a.Matched), fmt.Sprint(a.Abstained), fmt.Sprint(a.GoldTies)}, shareCells(a.Agreement)...))
	}
	return t
}

func (c *Recalibration) table() draw.Table {
	t := draw.Table{Caption: fmt.Sprintf("Calibration, fitted on %d labels and tested on %d of other prompts", c.Fit, c.Test),
		Columns: []string{"confidence", "ECE", "by chance", "ECE, equal mass", "Brier", "log loss"}}
	for _, s := range []CalibrationScores{c.Raw, c.Temperature, c.Isotonic} {
		t.Rows = append(t.Rows, []string{s.Calibrator.Describe(), s.ECE.String(), s.ECEByChance.String(), s.ECEEqualMass.String(), s.Brier.String(), s.LogLoss.String()})
	}
	return t
}

func (r RiskCoverage) table() draw.Table {
	t := draw.Table{Caption: fmt.Sprintf("Risk and coverage, for a precision of %v", r.Wanted), Columns: []string{"", "n", "value", "95%"}}
	threshold := r.Threshold.String()
	if !r.Threshold.Defined() {
		threshold = "none reaches it"
	}
	t.Rows = [][]string{
		{"AURC", fmt.Sprint(r.N), r.AURC.String(), ""},
		{"threshold of confidence", "", threshold, ""},
		append([]string{"precision there, tested part"}, shareCells(r.Precision)...),
		append([]string{"coverage left, tested part"}, shareCells(r.Coverage)...),
		append([]string{"precision there, all"}, shareCells(r.PrecisionAll)...),
		append([]string{"coverage left, all"}, shareCells(r.CoverageAll)...),
	}
	return t
}
