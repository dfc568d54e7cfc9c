package loop

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/feedback/chat"
)

// Report is what changed from round to round, of the rounds that are finished:
// loop.json.
type Report struct {
	Rounds []RoundReport `json:"rounds"`
	Spent  chat.Spent    `json:"spent"` // by these rounds
}

// RoundReport is one round of it.
type RoundReport struct {
	Round int `json:"round"`
	Measures
}

// NewReport gathers what the finished rounds measured.
func NewReport(s *State) *Report {
	r := &Report{Rounds: []RoundReport{}}
	for i, round := range s.Rounds {
		if round.Finished {
			r.Rounds = append(r.Rounds, RoundReport{i + 1, round.Measures})
			r.Spent = r.Spent.Plus(round.Measures.Spent)
		}
	}
	return r
}

// Print writes the report's tables for a terminal.
func (r *Report) Print(w io.Writer) error { return draw.Print(w, r.sections(), nil) }

const (
	modelTitle = "Reward model"
	labelTitle = "Labels"
	flipTitle  = "Flips"
	costTitle  = "Cost"
)

func (r *Report) sections() []draw.Section {
	return []draw.Section{
		{Title: modelTitle, Tables: []draw.Table{r.modelTable()}},
		{Title: labelTitle, Tables: []draw.Table{r.labelTable(), r.peopleTable()}},
		{Title: flipTitle, Tables: []draw.Table{r.flipTable()}},
		{Title: costTitle, Tables: []draw.Table{r.costTable()}},
	}
}

// table has a row for each round.
func (r *Report) table(columns []string, cells func(*Measures) []string) draw.Table {
	t := draw.Table{Columns: append([]string{"round"}, columns...)}
	for i := range r.Rounds {
		t.Rows = append(t.Rows, append([]string{fmt.Sprint(r.Rounds[i].Round)}, cells(&r.Rounds[i].Measures)...))
	}
	return t
}

func (r *Report) modelTable() draw.Table {
	return r.table([]string{"training pairs", "pairs held out", "accuracy", "best of", "gain in reward", "judges prefer the best"}, func(m *Measures) []string {
		return []string{fmt.Sprint(m.Pairs), fmt.Sprint(m.HeldOut.Pairs), fmt.Sprintf("%s (%s)", stats.Percent(m.HeldOut.Accuracy), m.HeldOut.Interval.Percent()),
			fmt.Sprintf("%.3g", m.BestOfN.Candidates), fmt.Sprintf("%v (%v)", m.BestOfN.Reward.Mean, m.BestOfN.Reward.Interval), m.BestOfN.Judge.OfN()}
	})
}

func (r *Report) labelTable() draw.Table {
	return r.table([]string{"prompts", "comparisons", "labelled", "abstained", "agreement with gold"}, func(m *Measures) []string {
		gold := "n/a"
		if m.Gold != nil {
			gold = m.Gold.OfN()
		}
		return []string{fmt.Sprint(m.Prompts), fmt.Sprint(m.Comparisons), fmt.Sprint(m.Labelled), fmt.Sprint(m.Abstained), gold}
	})
}

func (r *Report) peopleTable() draw.Table {
	t := r.table([]string{"put to people", "answers merged", "overturned", "abstentions decided"}, func(m *Measures) []string {
		return []string{fmt.Sprint(m.People.Asked), fmt.Sprint(m.People.Merged), fmt.Sprint(m.People.Overturned), fmt.Sprint(m.People.Decided)}
	})
	t.Caption = "People's answers"
	return t
}

// principles are those of all rounds, the first of which stands for all.
func (r *Report) principles() (names []string) {
	seen := map[string]bool{}
	for _, round := range r.Rounds {
		for _, f := range round.Flips {
			seen[f.Principle] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// flips are those under a principle, of which a round may know nothing.
func (m *Measures) flips(principle string) stats.Share {
	for _, f := range m.Flips {
		if f.Principle == principle {
			return f.Flipped
		}
	}
	var none stats.Trials
	return none.Share()
}

func (r *Report) flipTable() draw.Table {
	var columns []string
	for _, name := range r.principles() {
		if name == "" {
			name = "all"
		}
		columns = append(columns, name)
	}
	return r.table(columns, func(m *Measures) (cells []string) {
		for _, name := range r.principles() {
			cells = append(cells, m.flips(name).OfN())
		}
		return cells
	})
}

func (r *Report) costTable() draw.Table {
	return r.table([]string{"requests", "prompt tokens", "completion tokens", "dollars", "label questions", "answers re-used", "questions held out", "re-used held out"}, func(m *Measures) []string {
		held := m.askedHeld()
		return []string{fmt.Sprint(m.Spent.Requests), fmt.Sprint(m.Spent.PromptTokens), fmt.Sprint(m.Spent.CompletionTokens), fmt.Sprintf("%.4f", m.Spent.Cost),
			fmt.Sprint(m.Asked.Questions), fmt.Sprint(m.Asked.Reused), fmt.Sprint(held.Questions), fmt.Sprint(held.Reused)}
	})
}
