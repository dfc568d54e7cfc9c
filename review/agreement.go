package review

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"laurel/eval/audit"
	"laurel/eval/stats"
	"laurel/labels"
)

// Agreement is how people agree so far.
type Agreement struct {
	Comparisons int            // of the file
	Answered    int            // by somebody
	Twice       int            // by two people or more
	Annotators  map[string]int // answers of each
	People      audit.People
	Conflicts   []Conflict // in the file's order
}

// Conflict is a comparison on which people disagree.
type Conflict struct {
	ID     string
	People string // a, b, tie, or split where no answer leads
	Said   []audit.Rating
}

// Agreement counts the answers that stand, of all files.
func (b *Book) Agreement() Agreement {
	by := b.standing()
	out := Agreement{Comparisons: len(b.sheets), Annotators: map[string]int{}}
	var rated []audit.RatedComparison
	for i := range b.sheets {
		said := by[i]
		slices.SortFunc(said, func(x, y audit.Rating) int { return cmp.Compare(x.Rater, y.Rater) })
		for _, r := range said {
			out.Annotators[r.Rater]++
		}
		out.Answered += min(1, len(said))
		out.Twice += min(1, len(said)/2)
		rated = append(rated, audit.RatedComparison{Prompt: b.sheets[i].promptKey, Said: said})
		if c, is := conflict(b.sheets[i].id, said); is {
			out.Conflicts = append(out.Conflicts, c)
		}
	}
	out.People = audit.AmongPeople(rated, audit.Config{Seed: b.seed})
	return out
}

// standing are the answers that were not taken back, by sheet.
func (b *Book) standing() map[int][]audit.Rating {
	b.mu.Lock()
	defer b.mu.Unlock()
	by := map[int][]audit.Rating{}
	add := func(a Answer) {
		if i := b.byID[a.ID]; a.Did == Answered {
			by[i] = append(by[i], audit.Rating{Rater: a.Annotator, Side: a.Side})
		}
	}
	for _, p := range b.people {
		for _, a := range p.said {
			add(a)
		}
	}
	for _, a := range b.others {
		add(a)
	}
	return by
}

func conflict(id string, said []audit.Rating) (c Conflict, is bool) {
	n := map[labels.Side]int{}
	for _, r := range said {
		n[r.Side]++
	}
	if len(n) < 2 {
		return c, false
	}
	c = Conflict{ID: id, People: "split", Said: said}
	for side, count := range n {
		leads := true
		for rival, its := range n {
			leads = leads && (rival == side || its < count)
		}
		if leads {
			c.People = sideWord(side)
		}
	}
	return c, true
}

// shownConflicts are printed; laurel merge lists all.
const shownConflicts = 10

// Print writes the agreement as lines for a terminal.
func (a *Agreement) Print(out io.Writer) error {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(a.Annotators)) {
		each = append(each, fmt.Sprintf("%s %d", name, a.Annotators[name]))
	}
	fmt.Fprintf(out, "%d of %s answered (%s), %d by two people or more\n", a.Answered, stats.Plural(a.Comparisons, "comparison"), cmp.Or(strings.Join(each, ", "), "nobody yet"), a.Twice)
	if a.Twice > 0 {
		fmt.Fprintf(out, "agreement: %s\n", kappaLine("Krippendorff's α", a.People.Alpha))
		for _, p := range a.People.Pairs {
			fmt.Fprintf(out, "  %s and %s: %s\n", p.A, p.B, kappaLine("Cohen's κ", p.All))
		}
	}
	if len(a.Conflicts) > 0 {
		fmt.Fprintf(out, "conflicts between people: %d\n", len(a.Conflicts))
	}
	for i, c := range a.Conflicts {
		if i == shownConflicts {
			fmt.Fprintf(out, "  and %d more\n", len(a.Conflicts)-i)
			break
		}
		var said []string
		for _, r := range c.Said {
			said = append(said, r.Rater+" "+sideWord(r.Side))
		}
		fmt.Fprintf(out, "  %s: people %s (%s)\n", c.ID, c.People, strings.Join(said, ", "))
	}
	return nil
}

func kappaLine(name string, k audit.Kappa) string {
	if !k.Kappa.Defined() {
		return fmt.Sprintf("%s undefined: all answers are one and the same (%d comparisons)", name, k.N)
	}
	return fmt.Sprintf("%s %.3f (95%% %.3f to %.3f), %s agree; over %d comparisons", name, float64(k.Kappa), float64(k.Interval[0]), float64(k.Interval[1]), stats.Percent(k.Agreement), k.N)
}
