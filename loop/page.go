package loop

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// WriteHTML writes the report as one self-contained page: no script, no outside
// link.
func (r *Report) WriteHTML(path string, c Config) error {
	p := draw.Page{Title: "Rounds of AI feedback", Of: strings.Join(c.Prompts, ", "), Headline: r.headline(), Definitions: definitions()}
	p.Sections = append(r.sections(), draw.FactSection(
		draw.Fact{Name: "prompts", Value: strings.Join(c.Prompts, ", ")}, draw.Fact{Name: "rounds", Value: fmt.Sprint(c.Rounds)},
		draw.Fact{Name: "constitution", Value: c.Label.Constitution}, draw.Fact{Name: "responses by", Value: strings.Join(c.Generate.Names(), ", ")},
		draw.Fact{Name: "later rounds start from", Value: c.Start}, draw.Fact{Name: "and train on the pairs of", Value: c.TrainOn}, draw.Fact{Name: "seed", Value: fmt.Sprint(c.Seed)}))
	var err error
	for i := range p.Sections {
		if p.Sections[i].Figures, err = draw.Figures(r.charts(p.Sections[i].Title)); err != nil {
			return fmt.Errorf("write report %s: %w", path, err)
		}
	}
	return p.Save(path)
}

func (r *Report) headline() []draw.Card {
	if len(r.Rounds) == 0 {
		return nil
	}
	last := r.Rounds[len(r.Rounds)-1]
	cards := []draw.Card{
		{Name: "Accuracy held out", Value: stats.Percent(last.HeldOut.Accuracy), Note: fmt.Sprintf("round %d, %s", last.Round, last.HeldOut.Interval.Percent()), Main: true},
		{Name: "Gain of best-of-n", Value: last.BestOfN.Reward.Mean.String(), Note: fmt.Sprintf("in reward, best of %.3g", last.BestOfN.Candidates)},
	}
	if last.Gold != nil {
		cards = append(cards, draw.Card{Name: "Agreement with gold", Value: stats.Percent(last.Gold.Share), Note: last.Gold.Interval.Percent()})
	}
	return append(cards, draw.Card{Name: "Cost", Value: fmt.Sprintf("$%.2f", r.Spent.Cost), Note: stats.Plural(r.Spent.Requests, "request") + " of all rounds"})
}

// charts are those of a section.
func (r *Report) charts(section string) []draw.NamedChart {
	if len(r.Rounds) == 0 {
		return nil
	}
	switch section {
	case modelTitle:
		return []draw.NamedChart{
			{Name: "accuracy.svg", Chart: r.chart("Accuracy on pairs held out", "share ranked right (%)", 100, series{"accuracy", draw.Blue(), asPercent, func(m *Measures) (stats.Value, stats.Interval) {
				return percent(m.HeldOut.Accuracy, m.HeldOut.Interval)
			}})},
			{Name: "gain.svg", Chart: r.chart("Gain of best-of-n in reward", "logits over the mean", 0, series{"gain", draw.Green(), asLogits, func(m *Measures) (stats.Value, stats.Interval) {
				return m.BestOfN.Reward.Mean, m.BestOfN.Reward.Interval
			}})},
			{Name: "judges.svg", Chart: r.chart("Judges prefer the best of n", "share of labels (%)", 100, series{"preferred", draw.Purple(), asPercent, func(m *Measures) (stats.Value, stats.Interval) {
				return percent(m.BestOfN.Judge.Share, m.BestOfN.Judge.Interval)
			}})},
		}
	case labelTitle:
		return []draw.NamedChart{{Name: "labels.svg", Chart: r.labelChart()}}
	case costTitle:
		return []draw.NamedChart{{Name: "requests.svg", Chart: r.chart("Requests and answers re-used", "number", 1,
			series{"requests sent", draw.Vermillion(), asCount, func(m *Measures) (stats.Value, stats.Interval) { return stats.Value(m.Spent.Requests), none() }},
			series{"answers re-used", draw.Green(), asCount, func(m *Measures) (stats.Value, stats.Interval) {
				return stats.Value(m.Asked.Reused + m.askedHeld().Reused), none()
			}})}}
	}
	return nil
}

// labelChart has agreement with gold where a round has gold.
func (r *Report) labelChart() *draw.Chart {
	title := "Abstentions"
	all := []series{{"abstained", draw.Vermillion(), asPercent, func(m *Measures) (stats.Value, stats.Interval) {
		return percent(stats.Over(float64(m.Abstained), float64(m.Labelled+m.Abstained)), none())
	}}}
	if slices.ContainsFunc(r.Rounds, func(round RoundReport) bool { return round.Gold != nil }) {
		title += " and agreement with gold"
		all = append(all, series{"agrees with gold", draw.Blue(), asPercent, func(m *Measures) (stats.Value, stats.Interval) {
			if m.Gold == nil {
				return none()[0], none()
			}
			return percent(m.Gold.Share, m.Gold.Interval)
		}})
	}
	return r.chart(title, "share (%)", 100, all...)
}

// series is a value of each round.
type series struct {
	label  string
	color  color.Color
	format string // of a value in words
	of     func(*Measures) (stats.Value, stats.Interval)
}

const (
	asPercent = "%.1f%%"
	asLogits  = "%.3f"
	asCount   = "%.0f"
)

func none() stats.Interval { return stats.Interval{stats.Over(0, 0), stats.Over(0, 0)} }

func percent(v stats.Value, i stats.Interval) (stats.Value, stats.Interval) {
	return 100 * v, stats.Interval{100 * i[0], 100 * i[1]}
}

// chart draws series against the rounds, with their intervals, on an axis that reaches
// to top at least.
func (r *Report) chart(title, unit string, top float64, all ...series) *draw.Chart {
	c := draw.New(title, "", "round", unit)
	low, high := 0.0, top
	var facts []string
	for _, s := range all {
		var points plotter.XYs
		var values []string
		for i := range r.Rounds {
			value, interval := s.of(&r.Rounds[i].Measures)
			if !value.Defined() {
				continue
			}
			x := float64(r.Rounds[i].Round)
			c.Whisker(x, interval, draw.Tint(s.color, 0.4))
			points, values = append(points, plotter.XY{X: x, Y: float64(value)}), append(values, fmt.Sprintf(s.format, float64(value)))
			for _, y := range []stats.Value{value, interval[0], interval[1]} {
				if y.Defined() {
					low, high = math.Min(low, float64(y)), math.Max(high, float64(y))
				}
			}
		}
		if len(points) == 0 {
			continue
		}
		c.Line(points, s.color, 1.4)
		c.Dots(points, s.color, 3)
		c.Legend = append(c.Legend, draw.Key{Label: s.label, Color: s.color, Dot: true})
		facts = append(facts, s.label+" "+strings.Join(values, ", "))
	}
	c.Facts = strings.Join(facts, "; ")
	if len(facts) == 0 {
		c.Facts = "none was measured"
	}
	last := r.Rounds[len(r.Rounds)-1].Round
	c.Frame(0.5, float64(last)+0.5, low, high+0.05*(high-low))
	c.X.Tick.Marker = plot.ConstantTicks(roundTicks(last))
	return c
}

// roundTicks are whole rounds up to the last, twelve at most.
func roundTicks(last int) (ticks []plot.Tick) {
	step := int(max(1, stats.NiceWidth(float64(last)/12)))
	for round := step; round <= last; round += step {
		ticks = append(ticks, plot.Tick{Value: float64(round), Label: fmt.Sprint(round)})
	}
	return ticks
}

func definitions() []draw.Definition {
	return []draw.Definition{
		{Name: "Held out", Text: "Prompts that no round trains on, the same in all rounds. Accuracy is of the pairs of eval.data, or else of the responses to these prompts as the judges label them; ties count one half. Intervals are at 95%, Wilson's at the effective number of pairs where prompts repeat."},
		{Name: "Best of n", Text: "Of the responses to each prompt held out the one with the highest reward. The gain is its reward less the mean of its prompt's, in logits, with the normal interval of the variance between prompts: rewards of two models are on two scales. Judges prefer the best: share of the labels that compare it with another response to its prompt; one half is chance."},
		{Name: "Flips", Text: "Votes that name the response at the same place in both orders, of those where neither order calls it even."},
		{Name: "Re-used", Text: "Answers to label questions, about the round's comparisons and about those held out, that were kept before the labelling began: of other steps, other rounds, or of a constitution whose principle has the same text."},
		{Name: "Cost", Text: "What all steps of the round spent: responses, labels, retries. Dollars where the servers' prices are given."},
	}
}
