// Package benchmarks measures a reward model, or a judge, on the benchmarks that
// people quote: it reads their files as they are published (Read), and scores
// rewards or a judge's answers by their own rules (Measure). docs/benchmarks.md
// says which file, which rule, and where the rule is written.
package benchmarks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"laurel/data"
)

// Benchmark is one of them.
type Benchmark struct {
	Name     string
	Title    string // as its authors write it
	rows     func(file string) (*rowReader, error)
	expected map[string]int // rows of each subset, as published; nil: not known
	open     bool           // subsets beyond those of expected are named by the data
	measure  func(items []Item, s Scores) measured
	check    func(items []Item) ([]string, error) // what else a file must hold, and what it lacks
}

// all are those that Find knows.
func all() []*Benchmark {
	return []*Benchmark{rewardBench(), rewardBench2(), rmBench(), judgeBench(), ppe(), hh(), summarize()}
}

// Names are those that Find takes.
func Names() []string {
	var names []string
	for _, b := range all() {
		names = append(names, b.Name)
	}
	return names
}

// Find gives the benchmark of a name.
func Find(name string) (*Benchmark, error) {
	for _, b := range all() {
		if b.Name == name {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no benchmark %q%s; there are %s", name, data.DidYouMean(name, Names()), strings.Join(Names(), ", "))
}

// Item is a row of a benchmark: a prompt with the responses that are compared.
type Item struct {
	ID, Subset string
	Group      string   // rows that are scored together: the prompt's number of Ties; "" elsewhere
	Categories []string // of the prompt, where the benchmark has any
	Prompt     data.Text
	Responses  []data.Text
	Right      []bool   // of the responses: whether it is a right one; nil where only Pairs are known
	Pairs      [][2]int // the better response of each comparison, and the worse
	File       string
	Place      string // "row 12", "line 13"
}

// prompt is the number of the item's prompt: rows of one prompt are not
// independent of one another.
func (it *Item) prompt() uint64 {
	if it.Group != "" {
		return data.PromptKey(data.Text{Plain: it.Group})
	}
	return data.PromptKey(it.Prompt)
}

// Set is what was read of a benchmark's files.
type Set struct {
	*Benchmark
	Items []Item
	Rows  data.Counts
	Left  map[string]int // rows that the benchmark does not measure, by why
	// Partial says what the files lack of the published benchmark; empty where
	// nothing is known to be missing.
	Partial []string
	Empty   int // responses that are empty: they are scored as they are
}

// leave counts a row that is not measured.
func (s *Set) leave(why string) {
	if s.Left == nil {
		s.Left = map[string]int{}
	}
	s.Left[why]++
}

// complete compares the rows of each subset with those published.
func (s *Set) complete() error {
	have := map[string]int{}
	for i := range s.Items {
		it := &s.Items[i]
		if _, known := s.expected[it.Subset]; !known && s.expected != nil && !s.open {
			return fmt.Errorf("%s, %s: unknown subset %q: the subsets of %s are %s", it.File, it.Place, it.Subset, s.Title, data.List(sortedKeys(s.expected)))
		}
		have[it.Subset]++
	}
	published := maps.Clone(s.expected)
	maps.DeleteFunc(published, func(_ string, rows int) bool { return rows == 0 }) // not of every score, or its size is not known
	lacks, err := compare(have, published, s.Title)
	s.Partial = append(s.Partial, lacks...)
	if err != nil || s.check == nil {
		return err
	}
	lacks, err = s.check(s.Items)
	s.Partial = append(s.Partial, lacks...)
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// compare says which of the rows that a set should have are missing, and refuses
// more than those.
func compare(have, want map[string]int, of string) (lacks []string, err error) {
	for _, name := range sortedKeys(want) {
		switch n := have[name]; {
		case n > want[name]:
			return nil, fmt.Errorf("%s has %d rows, and %s has %d in it: is a file named twice, or is it another split?", name, n, of, want[name])
		case n == 0:
			lacks = append(lacks, fmt.Sprintf("%s is missing (%d rows)", name, want[name]))
		case n < want[name]:
			lacks = append(lacks, fmt.Sprintf("%s has %d of %d rows", name, n, want[name]))
		}
	}
	return lacks, nil
}
